"""The report: what it says of the demo, where it may say nothing, and that an export gives the same bytes."""

import hashlib
import json
import re
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
import vl_convert
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from annotate.models import Study
from judging import scoring
from judging.exports import load_folder
from judging.figures import csv_of
from judging.models import Embedding
from judging.report import report
from judging.report_files import files, html, zipped
from tests.factories import make_study

ROOT = Path(__file__).parents[2]


@pytest.fixture
def auditor(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("auditor"))
    return client


def test_the_demo_s_report_convicts_one_scorer_and_acquits_the_other(demo: Study) -> None:
    found = report(demo)
    assert found.headline == (
        "1 of 2 scorers (rm-conventional) marks down unusual answers that people find as good; "
        "1 does not, as far as can be seen"
    )
    assert [s.scorer for s in found.says] == ["rm-conventional", "rm-fair", "length"]
    assert re.search(r"falls by 0\.\d\d SD .*95 % interval 0\.\d\d to 0\.\d\d", found.says[0].text)
    assert "stands among all scorers" in found.says[0].text
    assert found.says[1].text.startswith("is acquitted as far as these data reach")
    assert found.says[2].baseline
    assert found.five_of == "rm-conventional"
    assert len(found.five) == 5
    assert all(r.gap > 0 for r in found.five)
    assert "simulated" in found.limits[0]
    assert found.lead is not None
    assert found.lead.rows[0][0] == "rm-conventional ★"
    assert {s.key for s in found.sheets} >= {
        "scorers-in-full",
        "measures-in-full",
        "agreement",
        "sources-in-full",
    }


def test_the_page_and_the_files_say_what_the_report_says(demo: Study, auditor: Client) -> None:
    found = report(demo)
    page = auditor.get("/studies/demo/report/").content.decode()
    assert found.headline in page
    assert page.count('<figure class="plot"') == 1 + len(found.figures)
    assert auditor.get("/studies/demo/report/report.html").content.decode() == html(found)
    archive = auditor.get("/studies/demo/report/report.zip")
    assert archive["Content-Disposition"] == 'attachment; filename="demo-report.zip"'
    assert archive.content == zipped(found)


def test_the_file_asks_the_network_for_nothing(demo: Study) -> None:
    text = html(report(demo))
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href|action)="(?!#)[^"]*"', markup)
    assert "default-src 'none'" in text
    # Every script ends where it should: nothing vendored closes one early.
    assert text.count("<script>") == text.count("</script>") - text.count('<script id="spec-')


def test_the_folder_s_manifest_holds_its_files(demo: Study, tmp_path: Path) -> None:
    out = StringIO()
    call_command(
        "report", "demo", "--out", str(tmp_path / "r.html"), "--folder", str(tmp_path / "f"), stdout=out
    )
    manifest = json.loads((tmp_path / "f/manifest.json").read_text())
    written = {str(p.relative_to(tmp_path / "f")): p for p in (tmp_path / "f").rglob("*.*")}
    assert set(manifest["sha256"]) | {"manifest.json"} == set(written)
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256(written[name].read_bytes()).hexdigest() == digest
    assert (tmp_path / "r.html").read_bytes() == written["report.html"].read_bytes()
    assert {p.suffix for p in written.values()} == {".html", ".csv", ".svg", ".png", ".json"}
    ElementTree.parse(written["figures/scorers.svg"])
    assert "currentColor" not in written["figures/scorers.svg"].read_text()
    assert written["figures/scorers.png"].read_bytes().startswith(b"\x89PNG")
    assert manifest["headline"] in out.getvalue()


def test_an_export_gives_the_same_bytes_elsewhere(demo: Study, tmp_path: Path) -> None:
    """Exported, loaded under other primary keys, embedded anew by the real model: the same report."""
    before = dict(files(report(demo)))
    call_command("export_study", "demo", str(tmp_path / "demo"), stdout=StringIO())
    _forget(demo)
    make_study("in-the-way")
    load_folder(tmp_path / "demo")
    again = Study.objects.get(slug="demo")
    assert again.pk != demo.pk
    scoring.score(again, "minilm")
    after = dict(files(report(again)))
    assert list(before) == list(after)
    assert [name for name in before if before[name] != after[name]] == []


def _forget(study: Study) -> None:
    """As if the study had never been in this database."""
    Embedding.objects.filter(run__study=study).delete()
    # What waits for the end of the transaction is looked at now: PostgreSQL empties no table before.
    connection.check_constraints()
    call_command("flush", interactive=False, verbosity=0, reset_sequences=False)


@pytest.mark.django_db
def test_without_ratings_of_single_responses_it_says_so(auditor: Client) -> None:
    study = make_study(kinds=("pair",))
    found = report(study)
    assert found.headline == "No scorer can be held against people here"
    assert "rates single responses" in found.why_none
    page = auditor.get("/studies/tiny/report/")
    assert page.status_code == 200
    assert "rates single responses" in page.content.decode()
    assert next(iter(dict(files(found)))) == "report.html"
    assert study.slug in found.provenance[0][1]


def test_where_to_is_asked_for_and_nothing_is_overwritten(demo: Study, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="say where to"):
        call_command("report", "demo")
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(CommandError, match="not an empty folder"):
        call_command("report", "demo", "--folder", str(tmp_path))
    assert (tmp_path / "kept.txt").read_text() == "mine"
    with pytest.raises(CommandError, match="no study with slug"):
        call_command("report", "nothing", "--out", str(tmp_path / "x.html"))


def test_cells_that_a_spreadsheet_would_run_are_quoted() -> None:
    text = csv_of(["a", "b"], [["=1+1", -0.25], ["+x", None]])
    assert text == "a,b\n'=1+1,-0.25\n'+x,\n"


def test_vega_in_the_browser_is_the_one_that_draws_the_files() -> None:
    readme = (ROOT / "static/vendor/vega/README.md").read_text()
    versions = dict(re.findall(r"\| (\S+\.js) \| [^|]+ \| ([\d.]+) \|", readme))
    assert versions["vega.min.js"] == vl_convert.get_vega_version()
    assert versions["vega-embed.min.js"] == vl_convert.get_vega_embed_version()
    lite = (ROOT / "static/vendor/vega/vega-lite.min.js").read_text()[:400]
    assert f'"{versions["vega-lite.min.js"]}"' in lite
    assert versions["vega-lite.min.js"].rpartition(".")[0] in vl_convert.get_vegalite_versions()
