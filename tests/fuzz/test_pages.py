"""Odd values at every address: whatever a query, a form, a file or a header holds, no page breaks down."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotate.models import Study
from tests.addresses import ROUTES
from tests.browser_forms import forms_of
from tests.size import sized
from tests.test_access import ACCESS, ANNOTATOR, account, annotator_client, filled, kwargs_of

pytestmark = pytest.mark.django_db

EXAMPLES = sized(2, 60)
ROOT = Path(__file__).parents[2]
ODD = [
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\ud800",
        "a\r\nSet-Cookie: b=c",
        "\u202e\ufeff",
        "x" * 70_000,
        "'; --",
        "{{ 7 }}",
    ),
    *(
        "0",
        "-1",
        "1",
        "٣",
        "²",
        "1_0",
        "1.5",
        "1e999",
        "-1e999",
        "NaN",
        "Infinity",
        "9" * 5_000,
        "-" + "9" * 5_000,
    ),
    *("2147483648", "9223372036854775807", "9223372036854775808", "99999999999999999999"),
    *(
        "true",
        "on",
        "null",
        "[]",
        "{}",
        '{"a": 1}',
        "[" * 5_000,
        '["\\ud800"]',
        '{"a": NaN}',
        "a,b",
        "a\\b",
        "a/b",
    ),
    *(
        "0001-01-01",
        "9999-12-31",
        "2026-02-30",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "24:00",
    ),
    *("../../etc/passwd", "/etc/passwd", "%00", "%ff", "quality", "tiny", "owner", "rating"),
]
VALUES = st.sampled_from(ODD) | st.text(st.characters(), max_size=20)
RANGES = [
    "bytes=0-0",
    "bytes=-" + "9" * 5_000,
    "bytes=" + "9" * 5_000 + "-",
    "bytes=٣-",
    "bytes=5-2",
    "lines=1-2",
]
FILES = [
    b"",
    b"\0",
    b"\xff\xfe\xff",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"a,b\r\n1",
    b'{"a": ' * 3_000,
    b'"',
    b"PAR1PAR1",
]
READS = re.compile(r"(?:GET|POST|query|posted|data)(?:\.get|\.getlist)?[(\[]\s*\"([\w-]+)\"")
FIELDS = re.compile(r"\bname=\"([\w-]+)\"")


def names_read() -> list[str]:
    """Parameters that any view asks for."""
    sources = [p for app in ("annotate", "judging") for p in (ROOT / app).rglob("*.py")]
    return sorted({name for p in sources for name in READS.findall(p.read_text())})


NAMES = names_read()


def escaped(text: str) -> str:
    """Also what no address can hold."""
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="")


def encoded(fields: dict[str, list[str]]) -> str:
    return "&".join(
        f"{escaped(name)}={escaped(value)}" for name, values in fields.items() for value in values
    )


@pytest.fixture
def clients() -> dict[str, Client]:
    cache.clear()
    study = filled("tiny")
    owner = account("root", is_superuser=True, is_staff=True).client
    return {"owner": owner, "annotator": annotator_client(study)}


@pytest.fixture
def path(request: pytest.FixtureRequest, clients: dict[str, Client]) -> str:
    study = Study.objects.get(slug="tiny")
    return reverse(request.param, kwargs=kwargs_of(request.param, study, study))


@contextmanager
def undone() -> Iterator[None]:
    """What an example changes does not meet the next one."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def form_of(client: Client, path: str) -> dict[str, list[str]]:
    """The fields of the page as they stand; of several forms all."""
    html = b"".join(client.get(path)).decode(errors="replace")
    fields: dict[str, list[str]] = {name: [] for name in FIELDS.findall(html)}
    for form in forms_of(html):
        fields |= form.sent()
    return fields


@pytest.mark.parametrize("path", sorted(ROUTES), indirect=True)
def test_no_page_breaks_down(path: str, clients: dict[str, Client], request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["path"]
    who = clients["annotator" if ANNOTATOR in ACCESS[name] else "owner"]
    who.raise_request_exception = False
    form = form_of(who, path)
    wanted = sorted(form) or NAMES

    @given(
        query=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
        changes=st.dictionaries(
            st.sampled_from(wanted), st.lists(VALUES, max_size=2), min_size=1, max_size=3
        ),
        file=st.sampled_from(FILES),
        span=st.sampled_from(RANGES),
        way=st.sampled_from(["form", "multipart", "json"]),
    )
    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )  # fmt: skip
    def holds(query: dict[str, str], changes: dict[str, list[str]], file: bytes, span: str, way: str) -> None:
        with undone():
            address = f"{path}?{encoded({n: [v] for n, v in query.items()})}"
            response = who.get(address, headers={"Range": span})
            assert response.status_code < 500, address[:500]
        with undone():
            response = posted(who, path, form | changes, file, way)
            assert response.status_code < 500, (way, {n: v[:1] for n, v in changes.items()}, file)

    holds()


def posted(client: Client, path: str, fields: dict[str, list[str]], file: bytes, way: str) -> Any:
    if way == "form":
        return client.post(path, encoded(fields), content_type="application/x-www-form-urlencoded")
    if way == "json":
        return client.post(path, file, content_type="application/json")
    sound = {n: [v.encode("utf-8", "replace").decode() for v in values] for n, values in fields.items()}
    sent = SimpleUploadedFile("../odd\\name.csv", file)
    return client.post(path, sound | dict.fromkeys(("folder", "sent", "file", "files"), sent))
