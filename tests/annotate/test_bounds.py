"""Files that would fill memory or disk, or climb out of their folder: each is refused, with words, and at once."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from annotate.folder import FolderError, unpack
from annotate.folder.tables import Table, json_value
from annotate.formats.source import Source
from annotate.models import Study, TrailEntry
from tests.annotate.folder.small import database, small, write_folder
from tests.factories import make_study

MB = 2**20


@pytest.fixture(autouse=True)
def little(settings: Settings) -> None:
    """Bounds that a test reaches quickly."""
    settings.UPLOAD_MOST_BYTES = 8 * MB
    settings.READ_MOST_ROWS = 1_000
    settings.READ_MOST_LINE = MB


def refusal(path: Path, reader: Callable[[Path], Any]) -> str:
    """What is said, and that little memory was taken to say it."""
    tracemalloc.start()
    try:
        with pytest.raises(FolderError) as error:
            for _ in reader(path).rows():
                pass
        assert tracemalloc.get_traced_memory()[1] < 40 * MB
    finally:
        tracemalloc.stop()
    return str(error.value)


READERS = pytest.mark.parametrize("reader", [Table, Source])
LINE = "at most 1 MB in a line, a value or a row"


@READERS
@pytest.mark.parametrize("name", ["prompts.jsonl", "prompts.csv"])
def test_a_line_without_an_end(tmp_path: Path, reader: Any, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"prompt_id,text\n" * (name[-1] == "v") + b'{"text": "' + b"x" * (5 * MB))
    assert f"expected {LINE}, found more" in refusal(path, reader)


@READERS
def test_a_quote_that_is_never_closed(tmp_path: Path, reader: Any) -> None:
    """Every line is short, but they all belong to one cell."""
    path = tmp_path / "prompts.csv"
    path.write_text('prompt_id,text\np1,"' + ("x" * 9_999 + "\n") * 600)
    assert "field larger than field limit (1048576)" in refusal(path, reader)


def test_one_json_value_of_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[{"text": "' + "x" * (5 * MB))
    assert LINE in refusal(path, Source)


@READERS
@pytest.mark.parametrize("name", ["prompts.jsonl", "prompts.csv", "prompts.jsonl.gz"])
def test_more_rows_than_are_read(tmp_path: Path, reader: Any, name: str) -> None:
    path = tmp_path / name
    lines = "a\n" + "x\n" * 1_001 if "csv" in name else '{"a": 1}\n' * 1_001
    path.write_bytes(gzip.compress(lines.encode()) if name.endswith("gz") else lines.encode())
    said = refusal(path, reader)
    assert f"{name}, line {1002 if 'csv' in name else 1001}: expected at most 1,000 rows, found more" in said


@READERS
def test_parquet_with_absurdly_many_rows(tmp_path: Path, reader: Any) -> None:
    """Twenty million rows of one value are a few kilobytes."""
    path = tmp_path / "prompts.parquet"
    pq.write_table(pa.table({"text": pa.repeat("x", 20_000_000)}), path, compression="zstd")
    assert path.stat().st_size < MB
    assert "20,000,000 rows, and at most 1,000 rows are read" in refusal(path, reader)


@READERS
def test_parquet_with_a_text_that_every_row_repeats(tmp_path: Path, reader: Any) -> None:
    path = tmp_path / "prompts.parquet"
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 500, pa.int32()), ["x" * 500_000])
    pq.write_table(pa.table({"text": text}), path)
    assert path.stat().st_size < MB
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    n = sum(len(row["text"]) == 500_000 for _, row in reader(path).rows())
    assert n == 500
    assert tracemalloc.get_traced_memory()[1] < 40 * MB, "a few rows at a time"
    tracemalloc.stop()
    assert pa.total_allocated_bytes() - before < 40 * MB


@READERS
def test_parquet_with_a_list_of_one_text_over_and_over(tmp_path: Path, reader: Any) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), ["x" * 10_000])
    lists = pa.ListArray.from_arrays(pa.array([0, 5_000]), text)
    path = tmp_path / "prompts.parquet"
    pq.write_table(pa.table({"category": lists}), path)
    assert path.stat().st_size < MB
    assert LINE in refusal(path, reader)


@READERS
def test_parquet_with_a_list_of_numbers_without_an_end(tmp_path: Path, reader: Any) -> None:
    lists = pa.ListArray.from_arrays(pa.array([0, 3_000_000], pa.int32()), pa.repeat(1, 3_000_000))
    path = tmp_path / "prompts.parquet"
    pq.write_table(pa.table({"n": lists}), path, compression="zstd")
    assert "3,000,000 values in n.list.element, and at most 10,000" in refusal(path, reader)


def test_texts_stored_once_are_read_as_they_are(tmp_path: Path) -> None:
    """Dictionaries, plain texts, nulls, and lists and structs of them."""
    rows = [
        {"a": ["one", "two", None][n % 3], "b": str(n), "c": ["one", str(n)], "d": {"e": "one"}}
        for n in range(300)
    ]
    path = tmp_path / "prompts.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=70)
    assert [row for _, row in Table(path).rows()] == rows


@READERS
def test_json_nested_deeper_than_python_goes(tmp_path: Path, reader: Any) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"a": ' * 100_000 + "1" + "}" * 100_000 + '\n{"a": 1}\n')
    first, second = reader(path).rows()
    assert "recursion" in str(first[1])
    assert second == (2, {"a": 1})


def test_a_key_that_comes_twice_among_very_many() -> None:
    """Looked for in one pass: by counting each of them this took hours."""
    pairs = ", ".join(f'"{n}": 1' for n in range(200_000))
    with pytest.raises(ValueError, match="last"):
        json_value('{"first": 1, ' + pairs + ', "last": 1, "last": 2}')


@READERS
def test_a_header_of_very_many_columns(tmp_path: Path, reader: Any) -> None:
    path = tmp_path / "prompts.csv"
    path.write_text(",".join(f"c{n}" for n in range(100_000)) + "\n")
    assert list(reader(path).rows()) == []


@pytest.mark.django_db
def test_nul_is_named_where_it_stands(tmp_path: Path) -> None:
    from judging.folder.scores import load_folder

    tables = small()
    tables["prompts"][0]["text"] = "before\0after"
    before = database()
    with pytest.raises(FolderError, match="line 1, text: expected text without NUL"):
        load_folder(write_folder(tmp_path / "in", tables))
    (tmp_path / "in" / "prompts.csv").write_bytes(b"prompt_id,text\np1,\0\n")
    (tmp_path / "in" / "prompts.jsonl").unlink()
    with pytest.raises(FolderError, match="expected text without NUL"):
        load_folder(tmp_path / "in")
    assert database() == before


# Archives.


def named(name: str, content: bytes) -> Any:
    return SimpleUploadedFile(name, content)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=form) as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def entry(name: str, **more: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(info, key, value)
    return info


def linked(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def many_entries() -> bytes:
    return zipped({f"{'n' * 200}{n}": b"" for n in range(20_000)}, zipfile.ZIP_STORED)


ZEROS = bytes(9 * MB)
BOMBS = {
    "a zip that is large once unpacked": ("a.zip", lambda: zipped({"prompts.csv": ZEROS}), "at most 8 MB"),
    "a zip of several": (
        "a.zip",
        lambda: zipped({f"{t}.csv": ZEROS[: 4 * MB] for t in ("prompts", "responses", "items")}),
        "at most 8 MB",
    ),
    "a gzip": ("prompts.csv.gz", lambda: gzip.compress(ZEROS), "at most 8 MB"),
    "a gzip in pieces": ("prompts.csv.gz", lambda: gzip.compress(ZEROS[:MB]) * 9, "at most 8 MB"),
    "a gzip in a zip": (
        "a.zip",
        lambda: zipped({"prompts.csv.gz": gzip.compress(ZEROS)}),
        "at most 8 MB",
    ),
    "a tar": ("a.tar.gz", lambda: tarred((entry("prompts.csv"), ZEROS)), "at most 8 MB"),
    "a tar of what is not wanted": ("a.tar.gz", lambda: tarred((entry("film.avi"), ZEROS)), "at most 8 MB"),
    "a tar with a header without an end": (
        "a.tgz",
        lambda: tarred((entry("prompts.csv", pax_headers={"comment": "x" * 5 * MB}), b"")),
        "headers of at most 4 MB",
    ),
    "a zip with a directory without an end": ("a.zip", many_entries, "headers of at most 4 MB"),
    "a zip in a zip": (
        "a.zip",
        lambda: zipped({"study.toml": b"", "more.zip": zipped({"prompts.csv": b""})}),
        "not an archive inside the archive",
    ),
    "a tar in a tar": (
        "a.tar.gz",
        lambda: tarred((entry("b.TAR.GZ"), b"")),
        "not an archive inside the archive",
    ),
    "another method": (
        "a.zip",
        lambda: zipped({"prompts.csv": b"x"}, zipfile.ZIP_LZMA),
        "a .zip with deflate",
    ),
    "an absolute path": ("a.tar.gz", lambda: tarred((entry("/etc/prompts.csv"), b"")), "a path inside"),
    "a path upwards": ("a.zip", lambda: zipped({"../prompts.csv": b""}), "a path inside"),
    "a path upwards, later": ("a.zip", lambda: zipped({"a/b/../../../prompts.csv": b""}), "a path inside"),
    "a path of Windows": ("a.zip", lambda: zipped({"..\\prompts.csv": b""}), "a path inside"),
    "a symbolic link": (
        "a.tar.gz",
        lambda: tarred((entry("prompts.csv", type=tarfile.SYMTYPE, linkname="/etc/passwd"), b"")),
        "a plain file",
    ),
    "a symbolic link in a zip": ("a.zip", lambda: linked("prompts.csv"), "a plain file"),
    "a hard link": (
        "a.tar.gz",
        lambda: tarred((entry("prompts.csv", type=tarfile.LNKTYPE, linkname="../../x"), b"")),
        "a plain file",
    ),
    "a device": (
        "a.tar.gz",
        lambda: tarred((entry("prompts.csv", type=tarfile.CHRTYPE), b"")),
        "a plain file",
    ),
    "a cut-off zip": ("a.zip", lambda: zipped({"prompts.csv": b"x" * 999})[:-30], "a whole archive"),
    "a cut-off tar": (
        "a.tar.gz",
        lambda: tarred((entry("prompts.csv"), ZEROS[:MB]))[:-300],
        "a whole archive",
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_an_archive_is_refused(tmp_path: Path, bomb: str) -> None:
    name, made, words = BOMBS[bomb]
    content = made()
    target = tmp_path / "target"
    target.mkdir()
    tracemalloc.start()
    try:
        with pytest.raises(FolderError) as error:
            unpack([named(name, content)], target)
        assert tracemalloc.get_traced_memory()[1] < 60 * MB
    finally:
        tracemalloc.stop()
    assert words in str(error.value)
    assert {p.name for p in tmp_path.iterdir()} == {"target"}
    assert sum(p.stat().st_size for p in target.rglob("*")) <= 8 * MB


# What a request brings.


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/desk/upload/", "/desk/import/", "/studies/tiny/pool/"])
def test_more_than_may_be_sent_at_once(staff: Client, path: str) -> None:
    make_study()
    before = Study.objects.count(), TrailEntry.objects.count()
    field = {"/desk/upload/": "folder", "/desk/import/": "sent"}.get(path, "sent")
    response = staff.post(path, {field: named("prompts.csv", ZEROS)})
    assert response.status_code == 413
    assert "At most 8 MB can be sent at once." in response.content.decode()
    assert (Study.objects.count(), TrailEntry.objects.count()) == before


@pytest.mark.django_db
def test_a_pool_that_is_large_once_unpacked(staff: Client) -> None:
    make_study()
    sent = {"sent": named("prompts.csv.gz", gzip.compress(ZEROS))}
    response = staff.post("/studies/tiny/pool/", sent)
    assert response.status_code == 422
    assert "at most 8 MB in all, unpacked" in response.content.decode()


@pytest.mark.django_db
def test_who_has_no_account_sends_no_files() -> None:
    """With a cookie alone a request gets as far as the search for the token in its body."""
    client = Client(enforce_csrf_checks=True)
    client.get("/login/")
    response = client.post("/desk/upload/", {"folder": named("prompts.csv", b"x")})
    assert response.status_code == 413
    assert "Log in before uploading a file." in response.content.decode()


@pytest.mark.django_db
def test_too_many_fields_and_too_much_text(staff: Client) -> None:
    response = staff.post("/desk/markdown/", {f"f{n}": "1" for n in range(5_001)})
    assert response.status_code == 413
    assert "5,000 fields" in response.content.decode()
    response = staff.post("/desk/markdown/", {"instructions": "x" * 21 * MB})
    assert response.status_code == 413
    assert "20 MB of text" in response.content.decode()


@pytest.mark.django_db
def test_a_folder_within_the_bounds_comes_in(staff: Client, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", small())
    files = {f"small/{p.name}": p.read_bytes() for p in folder.iterdir()}
    for name, content in (
        ("a.zip", zipped(files)),
        ("a.tar.gz", tarred(*[(entry(n), c) for n, c in files.items()])),
        ("a.tgz", tarred(*[(entry(n), c) for n, c in files.items()], form=tarfile.GNU_FORMAT)),
    ):
        response = staff.post("/desk/upload/", {"folder": named(name, content)})
        assert response.status_code == 302, response.content.decode()
    assert Study.objects.get().prompts.count() == len(small()["prompts"])
