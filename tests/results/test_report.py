"""The report: what it says of the demo, where it may say nothing, and that an export gives the same bytes."""

import hashlib
import json
import re
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import vl_convert
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from annotate.models import Study
from judging.folder.scores import load_folder
from judging.models import Embedding, ScoreRun
from judging.results.audit.headline import verdict_line
from judging.results.figures import csv_of
from judging.results.summary.files import files, html, zipped
from judging.results.summary.report import report
from judging.runs import work as scoring
from judging.templatetags.figures import typeset
from tests.factories import make_study

ROOT = Path(__file__).parents[2]


def test_the_demo_s_report_convicts_one_scorer_and_acquits_the_other(demo: Study) -> None:
    found = report(demo)
    assert found.headline == (
        "rm-conventional marks down unusual answers that people find as good; "
        "rm-fair does not, as far as these data show"
    )
    assert [s.scorer for s in found.says] == ["rm-conventional", "rm-fair", "length"]
    assert re.search(r"falls by 0\.\d\d SD .*95 % interval 0\.\d\d to 0\.\d\d", found.says[0].text)
    assert "Still significant after correcting for several scorers" in found.says[0].text
    assert found.says[1].text.startswith("shows no sign of underrating: an effect of 0.20 SD or more")
    assert found.says[2].baseline
    assert found.five_of == "rm-conventional"
    assert len(found.five) == 5
    assert all(r.gap > 0 and r.human_mean > 3 for r in found.five)
    assert found.five_scale == "1 to 5"
    assert found.lede.startswith(
        "40 simulated annotators gave 3,840 ratings of 192 responses, 640 judgments of 32 pairs and 320 judgments of "
        "16 sets, for 16 prompts."
    )
    assert [part.title for part in found.parts] == [
        "Choices between two responses", "Kinds of source", "How alike two responses are", "Groups that people made",
    ]  # fmt: skip
    assert "simulated" in found.limits[0]
    assert found.lead is not None
    assert found.lead.rows[0][0] == "rm-conventional ★"
    assert {s.key for s in found.sheets} >= {
        "scorers-in-full",
        "measures-in-full",
        "agreement",
        "sources-in-full",
        "votes-in-full",
        "margins-in-full",
        "position-and-length",
        "similarity-in-full",
        "people-on-likeness",
        "kinds-of-source",
    }


def test_the_page_and_the_files_say_what_the_report_says(demo: Study, auditor: Client) -> None:
    found = report(demo)
    page = auditor.get("/studies/demo/report/").content.decode()
    assert found.headline in page
    for part in found.parts:
        assert part.title in page
        assert part.title in html(found)
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
    assert "Choices between two responses:" in out.getvalue()
    assert "640 judgments of 32 pairs" in out.getvalue()
    assert {"tables/votes-in-full.csv", "tables/kinds-of-source.csv", "figures/votes.csv"} <= set(written)


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


@pytest.mark.parametrize(
    ("told", "n", "line"),
    [
        ((["a"], [], []), 1, "a marks down unusual answers that people find as good"),
        (([], ["a"], []), 1, "a does not mark unusual answers down, as far as these data show"),
        (([], [], ["a"]), 2, "a marks unusual answers up; for one other the data are not enough"),
        (([], [], []), 1, "These ratings do not show whether this scorer underrates unusual answers"),
        (
            ([], [], []),
            9,
            "These ratings do not show whether any of the 9 scorers underrates unusual answers",
        ),
        (
            (["a", "b", "c"], ["d", "e"], []),
            9,
            "3 of 9 scorers mark down unusual answers that people find as good; d and e do not, as far as these "
            "data show; for 4 others the data are not enough",
        ),
    ],
)
def test_headlines(told: tuple[list[str], list[str], list[str]], n: int, line: str) -> None:
    assert verdict_line(*told, n) == line


def test_sentences_have_minus_signs_where_numbers_fall_below_zero() -> None:
    assert (
        typeset("from -0.15 to 0.34 (text-embedding-3), [-2, 5-6]")
        == "from −0.15 to 0.34 (text-embedding-3), [−2, 5-6]"
    )


def test_hanna_s_report_says_that_three_raters_cannot_tell(shared: Path, db: None) -> None:
    """Its metrics and judges, with vectors made up here: why nothing can be told lies in the ratings."""
    load_folder(shared / "data" / "hanna")
    study = Study.objects.get(slug="hanna")
    _embedded(study)
    scoring.score(study, "length")
    found = report(study)
    assert found.headline.startswith(
        "These ratings do not show whether any of the 20 scorers underrates unusual answers"
    )
    assert found.lede.startswith("22 people gave 3,168 ratings of 1,056 responses to 96 prompts.")
    # Judges' means of grades are on people's scale: gaps in points, whatever the ratings say of quality.
    kinds = next(s for s in found.sheets if s.key == "kinds-of-source")
    at = {name: n for n, name in enumerate(kinds.columns)}
    own = {(row[0], row[1]): row for row in kinds.rows}
    first = study.criteria.get(measures="quality").key
    assert own["ChatGPT engagement", first][at["contrast, points"]] is not None
    assert own["BARTScore-PS", first][at["contrast, points"]] is None
    assert (
        own["ChatGPT engagement", first][at["people’s gap, points"]]
        == own["BARTScore-PS", first][at["people’s gap, points"]]
    )
    assert len(found.says) <= 6
    assert sum(len(re.split(", | and ", s.scorer)) for s in found.says) == 21
    assert {s.look for s in found.says} == {"cant_tell"}
    assert found.says[-1].scorer == "length"
    assert found.limits[0].startswith("For people like these none of the 21 scorers can be judged")


def test_languages_that_the_embedder_does_not_know_are_said_where_it_is_used(
    demo: Study, auditor: Client
) -> None:
    warning = "Some prompts are in de, which"
    pages = ["report/", "homogeneity/", f"homogeneity/{demo.prompts.get(key='time-metaphor').pk}/"]
    for page in pages:
        assert warning not in auditor.get(f"/studies/demo/{page}").content.decode()
    ScoreRun.objects.filter(embeddings__isnull=False).update(languages=["en"])
    demo.prompts.filter(key="time-metaphor").update(language="de")
    caches["results"].clear()
    for page in pages:
        assert warning in auditor.get(f"/studies/demo/{page}").content.decode(), page
    other = demo.prompts.exclude(key="time-metaphor")[0].pk
    assert warning not in auditor.get(f"/studies/demo/homogeneity/{other}/").content.decode()
    assert (
        "prompts in de, which it does not know" in auditor.get("/studies/demo/similarity/").content.decode()
    )
    assert any("in de are" in line for line in report(demo).limits)


@pytest.mark.django_db
def test_without_ratings_of_single_responses_it_says_so(auditor: Client) -> None:
    study = make_study(kinds=("pair",))
    found = report(study)
    assert found.headline == "No scorer can be compared with people here"
    assert "rates single responses" in found.why_none
    page = auditor.get("/studies/tiny/report/")
    assert page.status_code == 200
    assert "rates single responses" in page.content.decode()
    assert next(iter(dict(files(found)))) == "report.html"
    assert study.slug in found.provenance[0][1]


def test_a_study_of_pairs_speaks_of_its_judges(shared: Path, db: None, auditor: Client) -> None:
    """pandalm, as anybody who knows it would count it; vectors made up here."""
    load_folder(shared / "data" / "pandalm")
    study = Study.objects.get(slug="pandalm")
    _embedded(study)
    found = report(study)
    assert found.headline == (
        "gpt-3.5-turbo sides with people in 80 % of 900 pairs, PandaLM-7B in 75 % of 914; these votes do not show "
        "whether either underrates unusual answers"
    )
    assert found.lede.startswith("3 people gave 2,997 judgments of 999 pairs of responses to 170 prompts.")
    assert found.why_none == ""
    assert "rates single responses" in found.limits[0]
    (choices,) = [part for part in found.parts if part.key == "votes"]
    assert [line.name for line in choices.lines] == ["gpt-3.5-turbo", "PandaLM-7B", "length"]
    assert "900 pairs in which one response is ahead (974 judged pairs, 169 prompts)" in choices.lines[0].text
    assert "of 653 pairs, people in 69 %" in choices.lines[0].text
    assert "By votes alone:" in choices.lines[0].text
    page = auditor.get("/studies/pandalm/report/").content.decode()
    assert choices.lines[0].name in page
    assert "Nothing to show" not in page


def test_a_study_of_similarity_speaks_of_its_embedder(shared: Path, db: None) -> None:
    load_folder(shared / "data" / "biosses")
    study = Study.objects.get(slug="biosses")
    _embedded(study)
    found = report(study)
    assert re.fullmatch(
        r"made-up and people rank 100 pairs by similarity with a Spearman correlation of −?0\.\d\d "
        r"\(word overlap: 0\.77; the most that people’s noise allows: 0\.99\)",
        found.headline,
    )
    assert found.question == "Do machines find two answers alike where people do?"
    assert found.lede.startswith("5 people gave 500 judgments of 100 pairs of responses to 100 prompts.")
    (alike,) = found.parts
    assert [line.name for line in alike.lines] == ["made-up", "word overlap"]
    assert "100 pairs, 100 prompts, 5 annotators" in alike.lines[0].text


def _embedded(study: Study) -> None:
    """Every response embedded, by vectors made up."""
    run = ScoreRun.objects.create(study=study, scorer="made-up", version="1", computed_here=True)
    rng = np.random.default_rng(1)
    Embedding.objects.bulk_create(
        Embedding(run=run, response_id=pk, vector=rng.normal(size=24).astype("<f4").tobytes())
        for pk in study.responses.order_by("pk").values_list("pk", flat=True)
    )


def test_where_to_is_asked_for_and_nothing_is_overwritten(demo: Study, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="say where to"):
        call_command("report", "demo")
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(CommandError, match="not an empty folder"):
        call_command("report", "demo", "--folder", str(tmp_path))
    assert (tmp_path / "kept.txt").read_text() == "mine"
    with pytest.raises(CommandError, match="There is no study"):
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
