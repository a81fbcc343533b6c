"""Valid files with something broken in them: read whole or refused with places, and the database is never half full."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from annotate.folder import unpack
from annotate.formats import FORMATS
from annotate.models import Study
from judging.folder.scores import load_folder
from tests.annotate.folder.small import database
from tests.annotate.formats.samples import xlsx
from tests.fuzz import targets

# Not shrunk: what broke a reader is small enough to be read, and shrinking takes minutes.
QUICK = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
TOKENS = [
    *(
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\x1f\x8b",
        b"\r",
        b"\n\n",
        b'"',
        b"'",
        b",",
        b";",
        b"[",
        b"]",
        b"{",
        b"}",
    ),
    *(
        b"null",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"-0.0",
        b"9" * 400,
        b"9" * 5_000,
        b"true",
        b'""',
        b"[]",
        b"{}",
    ),
    *(b"\\ud800", b"\\u0000", b"\xed\xa0\x80", b'"text": ', b'"value": "x"', b"0001-01-01", b"24:00", b"../"),
    *(b"a\0b\0\n\0", b"\xff\xfe\0\0", b"\x1b$B", b"\xe2\x80\xa8", b"\xef\xbb\xbf\n", b"\x82\x8b", b"sep=;\n"),
    *(
        b"1,002",
        b"{{%PID%}}",
        b"undefined",
        b"Human: ",
        b"\\n\\nAssistant: ",
        b'{"role": "user", "parts": []}',
    ),
]


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes with up to four small things wrong."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        to = min(len(content), at + draw(st.integers(0, 12)))
        piece = draw(st.sampled_from(TOKENS) | st.binary(max_size=4))
        match draw(st.sampled_from(["insert", "replace", "drop", "twice", "cut"])):
            case "insert":
                content = content[:at] + piece + content[at:]
            case "replace":
                content = content[:at] + piece + content[to:]
            case "drop":
                content = content[:at] + content[to:]
            case "twice":
                content = content[:to] + content[at:]
            case _:
                content = content[:at]
    return content


@st.composite
def broken(draw: st.DrawFn, files: dict[str, bytes]) -> dict[str, bytes]:
    name = draw(st.sampled_from(sorted(files)))
    found = dict(files)
    found[name] = draw(mutated(files[name]))
    return found


def packed() -> dict[str, bytes]:
    """A table in every form."""
    table = pa.table(
        {"prompt_id": ["a", "b"], "text": ["One", None], "n": [1.5, float("nan")], "l": [["x"], []]}
    )
    parquet, arrow = io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet)
    pyarrow.feather.write_feather(table, arrow)
    rows = b'{"prompt_id": "a", "text": "One", "l": [1, {"b": null}]}\n{"prompt_id": "b", "text": "Two"}\n'
    sheet = b'prompt_id,text\na,"On""e, ""\nb,Two\n'
    plain = {
        "rows.json": b"[" + rows.strip().replace(b"\n", b",\n") + b"]",
        "rows.jsonl": rows,
        "rows.csv": sheet,
        "rows.tsv": sheet.replace(b",", b"\t"),
        "rows.parquet": parquet.getvalue(),
        "rows.arrow": arrow.getvalue(),
        "rows.xlsx": xlsx([["prompt_id", "text"], ["a", "One"], ["b", 2.5]], "A1:B1"),
        "wide.csv": sheet.decode().encode("utf-16-le"),
    }
    small = {
        f"{name}.gz": gzip.compress(plain[name], mtime=0)
        for name in ("rows.jsonl", "rows.csv", "rows.parquet")
    }
    return plain | small


PACKED = packed()


@pytest.mark.parametrize("name", sorted(PACKED))
@settings(QUICK, max_examples=60)
@given(data=st.data())
def test_a_broken_table(name: str, data: st.DataObject) -> None:
    targets.table(name, data.draw(mutated(PACKED[name])))


@pytest.mark.parametrize("form", targets.FORMS)
@settings(QUICK, max_examples=40)
@given(content=st.binary(max_size=300))
def test_any_bytes(form: str, content: bytes) -> None:
    targets.table(f"any.{form}", content)


@pytest.mark.parametrize("name", sorted(targets.samples()))
@settings(QUICK, max_examples=20)
@given(data=st.data())
def test_a_broken_file_of_another_tool(name: str, data: st.DataObject) -> None:
    format, files = targets.samples()[name]
    targets.foreign(data.draw(broken(files)), format)


@settings(QUICK, max_examples=30)
@given(content=mutated(b"3.8\tA cat.\tA dog.\n1.5\tOne.\tTwo.\n"))
def test_a_broken_file_without_a_header(content: bytes) -> None:
    targets.foreign({"sts.tsv": content}, "")


def test_every_format_is_tried() -> None:
    assert {format for format, _ in targets.samples().values()} == set(FORMATS)


@settings(QUICK, max_examples=30)
@given(data=st.data())
def test_a_broken_plain_table(data: st.DataObject) -> None:
    sheet = {"a.csv": b"prompt,response,who,rating\nWrite.,One,ann,3\nWrite.,Two,bo,4\n"}
    mapping = {"prompt": "prompt", "response": "response", "annotator": "who", "rating.quality": "rating"}
    targets.foreign(data.draw(broken(sheet)), "mapped", mapping=mapping | {"scale": "1,5"})


def test_the_folder_is_taken_as_it_is() -> None:
    assert targets.study_folder(targets.FOLDER)


@pytest.mark.django_db
@settings(QUICK, max_examples=120)
@given(files=broken(targets.FOLDER))
def test_a_broken_folder_comes_in_whole_or_not_at_all(files: dict[str, bytes]) -> None:
    with transaction.atomic():
        before = database()
        taken = targets.study_folder(files, load_folder)
        if taken:
            study = Study.objects.latest("pk")
            assert study.prompts.exists()
            assert study.responses.exists()
        else:
            assert database() == before
        transaction.set_rollback(True)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in targets.FOLDER.items():
            archive.writestr(f"small/{name}", content)
    return out.getvalue()


def tarred(mode: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in targets.FOLDER.items():
            member = tarfile.TarInfo(f"small/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


ARCHIVES = {"a.zip": zipped(), "a.tar": tarred("w"), "a.tar.gz": tarred("w:gz")}


@pytest.mark.parametrize("name", sorted(ARCHIVES))
@settings(QUICK, max_examples=60)
@given(data=st.data())
def test_a_broken_archive(name: str, data: st.DataObject) -> None:
    targets.archive(name, data.draw(mutated(ARCHIVES[name]) | st.binary(max_size=200)))


def test_valid_archives_are_unpacked(tmp_path: Path) -> None:
    for n, (name, content) in enumerate(ARCHIVES.items()):
        target = tmp_path / str(n)
        target.mkdir()
        unpack([targets.Sent(name, content)], target)
        assert {p.name for p in target.iterdir()} == set(targets.FOLDER)
