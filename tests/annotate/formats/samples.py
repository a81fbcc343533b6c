"""The small files of `fixtures/formats`: what each folder holds, and what comes out of it. The texts are ours."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from annotate.folder import FolderError
from annotate.formats import Existing, Options, Reading, read, read_scores
from annotate.formats.ids import text_hash
from annotate.formats.machine_scores import Named, Score, Verdict
from judging.imports.study import Imported, import_study

ROOT = Path(__file__).parents[3] / "fixtures" / "formats"
EXPECTED = "expected.json"
# Named in the order in which they are best read: by the names of the folders.
NAMES = sorted(folder.name for folder in ROOT.iterdir())

MUCH_FIRST = "Response 1 is much better than Response 2"
SLIGHTLY_SECOND = "Response 2 is slightly better than Response 1"
SIMILAR = "Response 1 and Response 2 are similar / it's hard to tell which one is better"


@dataclass(frozen=True)
class Sample:
    name: str
    format: str
    options: dict[str, Any]
    # The sample whose texts the files speak of, where they have none of their own.
    into: str
    gives: dict[str, Any]
    # The field that holds a response's text, if one does.
    text: str | None = None

    @property
    def paths(self) -> list[Path]:
        return [p for p in sorted((ROOT / self.name).iterdir()) if p.name != EXPECTED]

    @property
    def rows(self) -> dict[str, Any]:
        """What the files hold, so that tests can change it."""
        return {path.name: _rows(path) for path in self.paths}


def sample(name: str) -> Sample:
    told = json.loads((ROOT / name / EXPECTED).read_text())
    return Sample(
        name,
        told["format"],
        told.get("options", {}),
        told.get("into", ""),
        told.get("gives", {}),
        told.get("text"),
    )


def _rows(path: Path) -> Any:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    return json.loads(path.read_text())


def jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def written(folder: Path, files: dict[str, Any]) -> list[Path]:
    """The files of a sample, as their names say."""
    folder.mkdir(exist_ok=True)
    for name, rows in files.items():
        if name.endswith(".jsonl"):
            jsonl(folder / name, rows)
        elif name.endswith(".csv"):
            with (folder / name).open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                writer.writerows(rows)
        else:
            (folder / name).write_text(json.dumps(rows, indent=1))
    return [folder / name for name in files]


def brought(path: Path | list[Path], format: str = "", **options: Any) -> Imported:
    dry_run = options.pop("dry_run", False)
    paths = path if isinstance(path, list) else [path]
    return import_study(paths, format, Options(**{"slug": "in", **options}), dry_run=dry_run)


# What comes out of files, without ids that are made of hashes


def contents(sample: Sample) -> dict[str, Any]:
    """The records that a study is made of, or why none is."""
    options = Options(slug="in", **sample.options)
    if sample.into:
        with read(globals()["sample"](sample.into).paths) as base:
            options = Options(slug="in", into=_existing(base), **sample.options)
            described = _described(base)
            with read(sample.paths, sample.format, options) as reading:
                return _records(reading, described)
    with read(sample.paths, sample.format, options) as reading:
        return _records(reading, ({}, {}))


def _table(reading: Reading, name: str) -> list[dict[str, Any]]:
    path = reading.folder / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _existing(reading: Reading) -> Existing:
    existing = Existing(reading.spec)
    existing.prompts = {row["prompt_id"]: text_hash(row["text"]) for row in _table(reading, "prompts")}
    for row in _table(reading, "responses"):
        existing.responses[row["response_id"]] = row["prompt_id"], text_hash(row["text"])
    existing.items = {
        row["item_id"]: (row["kind"], tuple(row["response_ids"])) for row in _table(reading, "items")
    }
    return existing


Described = tuple[dict[str, str], dict[str, list[str]]]


def _described(reading: Reading) -> Described:
    """Texts of responses, and what items show, by id."""
    texts = {row["response_id"]: row["text"] for row in _table(reading, "responses")}
    items = {
        row["item_id"]: [texts.get(key, key) for key in row["response_ids"]]
        for row in _table(reading, "items")
    }
    return texts, items


def _records(reading: Reading, known: Described) -> dict[str, Any]:
    described = _described(reading)
    texts, items = known[0] | described[0], known[1] | described[1]
    prompts = {row["prompt_id"]: row["text"] for row in _table(reading, "prompts")}
    names = {"prompt_id", "response_id", "other_id", "response_ids", "item_id", "shown"}

    def plain(row: dict[str, Any]) -> dict[str, Any]:
        named: dict[str, Any] = {}
        if "prompt_id" in row and "text" not in row:
            named["prompt"] = prompts[row["prompt_id"]]
        if "item_id" in row:
            named["item"] = items[row["item_id"]]
        for column, name in (("response_id", "response"), ("other_id", "other")):
            if column in row:
                named[name] = texts.get(row[column], row[column])
        if "shown" in row:
            named["shown"] = [texts[key] for key in row["shown"]]
        return named | {k: v for k, v in row.items() if k not in names}

    gives: dict[str, Any] = {
        "prompts": [plain(row) for row in _table(reading, "prompts")],
        "responses": [
            {"prompt": prompts[row["prompt_id"]]}
            | {k: v for k, v in row.items() if k not in ("prompt_id", "response_id")}
            for row in _table(reading, "responses")
        ],
        "items": [[row["kind"], *items[row["item_id"]]] for row in _table(reading, "items")],
        "criteria": [
            [c.key, c.kind, c.on, *c.scale] if c.scale else [c.key, c.kind, c.on]
            for c in reading.spec.criterion
        ],
        "answers": [plain(row) for row in _table(reading, "answers")],
        "scores": [plain(row) for row in _table(reading, "scores")],
        "remarks": reading.remarks,
    }
    for row in gives["answers"]:
        # A slot is called by its item, which is called by a hash.
        if "-label-" in row["annotator_id"]:
            row["annotator_id"] = f"label-{row['annotator_id'][-2:]}"
    return {name: rows for name, rows in gives.items() if rows}


def records_of(paths: list[Path], format: str = "", **options: Any) -> dict[str, Any]:
    """The records that files give, by table."""
    with read(paths, format, Options(**{"slug": "in", **options})) as reading:
        return _records(reading, ({}, {}))


def versions(value: Any, change: Callable[[Any], Any]) -> list[tuple[str, Any]]:
    """Every version of rows in which one value is changed, and the path of the field; None where it is as it was."""
    below: list[tuple[str, Any]] = []
    if isinstance(value, list):
        inner = [(at, path, new) for at, one in enumerate(value) for path, new in versions(one, change)]
        below = [(path, [*value[:at], new, *value[at + 1 :]]) for at, path, new in inner]
    elif isinstance(value, dict):
        below = [
            (f"{name}.{path}".strip("."), value | {name: new})
            for name, one in value.items()
            for path, new in versions(one, change)
        ]
    new = change(value)
    return below if new is None else [("", new), *below]


def tables(paths: list[Path], one: Sample, **options: Any) -> dict[str, list[dict[str, Any]]] | None:
    """The study folder that comes of the files of a sample; None where they are refused."""
    try:
        with read(paths, one.format, Options(slug="in", **{**one.options, **options})) as reading:
            return {path.stem: _table(reading, path.stem) for path in reading.folder.glob("*.jsonl")}
    except FolderError:
        return None


def machine_scores(sample: Sample) -> list[dict[str, Any]]:
    """What a study that is there would take up of the files."""
    taken: list[dict[str, Any]] = []

    def take(record: Score | Verdict) -> None:
        row = {k: v for k, v in asdict(record).items() if v not in ("", None)}
        for name in ("of", "first", "second"):
            if isinstance(named := getattr(record, name, None), Named):
                row[name] = {k: v for k, v in asdict(named).items() if v not in ("", None, ())}
                row[name]["ids"] = list(named.ids)
        if isinstance(record, Verdict):
            row["choice"] = {k: v for k, v in row["choice"].items() if v not in ("", None)}
        taken.append(row)

    read_scores(sample.paths, sample.format, Options(**sample.options), take)
    return taken


def absolute(**further: Any) -> list[dict[str, Any]]:
    """Two queries, two responses each, with ragged label lists."""
    labels = [[5, 4, 4], [1, 2], [3, 3, 3, 5], [2, float("nan"), 4]]
    return [
        {"user_query": f"Query {n // 2}?", "response": f"Answer {n}.", "human_labels": row, **further}
        for n, row in enumerate(labels)
    ]


def said(*turns: str) -> list[dict[str, str]]:
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(turns)]


PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def xlsx(rows: list[list[Any]], merged: str = "", cells: dict[str, str] | None = None) -> bytes:
    """A workbook of one sheet, by hand: texts inline, numbers as they are; `cells` puts some in place of others."""

    def cell(value: Any) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
        return f"<c><v>{value}</v></c>" if value is not None else "<c/>"

    lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    for one, other in (cells or {}).items():
        lines = lines.replace(one, other)
    joined = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type="{rels}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rels}"><sheets>'
        '<sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" '
        f'Type="{rels}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData>{joined}</worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{content}')
    return out.getvalue()
