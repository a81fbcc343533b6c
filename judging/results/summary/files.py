"""The report to send: one HTML file that asks the network for nothing, and a folder of tables and charts."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string

from judging.results.figures import csv_of
from judging.results.summary.report import Report

_STATIC = ("css/offbeat.css", "css/report.css")
_SCRIPTS = (
    "vendor/vega/vega.min.js",
    "vendor/vega/vega-lite.min.js",
    "vendor/vega/vega-embed.min.js",
    "vendor/vega/vega-interpreter.js",
    "js/charts.js",
)
_EPOCH = (1980, 1, 1, 0, 0, 0)


@cache
def _read(names: tuple[str, ...], ends: str) -> str:
    """Files of ours, made fit to stand inside an element that `ends` so."""
    folder = Path(settings.BASE_DIR) / "static"
    texts = [(folder / name).read_text(encoding="utf-8") for name in names]
    return "\n".join(texts).replace(f"</{ends}", f"<\\/{ends}").replace("<!--", "<\\!--")


def html(report: Report) -> str:
    """Everything in one file, interactive without a server."""
    context = {"report": report, "styles": _read(_STATIC, "style"), "scripts": _read(_SCRIPTS, "script")}
    return render_to_string("judging/results/summary_file.html", context)


def files(report: Report) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file of the folder, the manifest last."""
    hashes: dict[str, str] = {}
    for path, content in _contents(report):
        hashes[path] = hashlib.sha256(content).hexdigest()
        yield path, content
    manifest = {
        "study": report.slug,
        "simulated": report.simulated,
        "headline": report.headline,
        "provenance": dict(report.provenance),
        "sha256": hashes,
    }
    yield "manifest.json", (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()


def _contents(report: Report) -> Iterator[tuple[str, bytes]]:
    yield "report.html", html(report).encode()
    for figure in ([report.lead] if report.lead else []) + list(report.figures):
        stem = f"figures/{figure.key}"
        yield f"{stem}.csv", figure.csv.encode()
        yield f"{stem}.png", figure.png
        yield f"{stem}.svg", figure.svg_file.encode()
        yield f"{stem}.vl.json", (json.dumps(figure.spec, indent=1, ensure_ascii=False) + "\n").encode()
    for sheet in report.sheets:
        yield f"tables/{sheet.key}.csv", csv_of(sheet.columns, sheet.rows).encode()


def zipped(report: Report) -> bytes:
    """The folder as one archive, the same bytes every time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files(report):
            entry = zipfile.ZipInfo(f"offbeat-report/{path}", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()
