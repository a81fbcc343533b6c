"""A study at a glance, and the front page's picture of what comes out."""

from pathlib import Path

import pytest
from django.test import Client

from annotate.models import Annotator, Criterion, Study
from judging.monitor.live import live
from judging.results.audit.charts import forest
from judging.results.audit.options import DEFAULTS
from judging.results.audit.result import RESULT
from judging.results.replication.report import Panel
from judging.stats import Cell, Estimate, Family, Reading
from tests.factories import make_annotator, make_study
from tests.judging.monitor.rows import work

pytestmark = pytest.mark.django_db
UNDEFINED = Estimate(None, None, None, 0, "of no concern here", 0.95)
PICTURE = Path(__file__).parents[2] / "static/img/verdict.svg"


def test_the_page_of_a_study_says_how_far_it_is_and_fetches_what_comes_out(
    auditor: Client, demo: Study
) -> None:
    page = auditor.get("/studies/demo/").content.decode()
    assert "4,800 of 6,000 judgments" in page
    assert 'hx-get="/studies/demo/glance/"' in page
    glance = auditor.get("/studies/demo/glance/").content.decode()
    verdict = auditor.get("/studies/demo/audit/").context["conclusion"]
    assert verdict.startswith("rm-conventional marks down unusual answers")
    assert verdict in glance
    agreement = auditor.get("/studies/demo/glance/").context["agreement"]
    assert [e.alpha for e in agreement] == [e.alpha for e in live(demo).agreement.value]


def test_a_study_without_scorers_says_what_there_is(auditor: Client) -> None:
    study = make_study("small", prompts=2, responses=4, kinds=("single",), seats=3)
    page = auditor.get("/studies/small/").content.decode()
    assert "0 of 24 judgments" in page
    assert "hx-get" not in page, "nothing to say of nothing"
    for n in range(3):
        work(make_annotator(study, f"a{n}"))
    assert Annotator.objects.count() == 3
    glance = auditor.get("/studies/small/glance/")
    assert glance.status_code == 200
    assert glance.context["verdict"] == auditor.get("/studies/small/report/").context["report"].headline


def test_the_front_page_shows_the_demos_own_figure(auditor: Client, demo: Study) -> None:
    rows = RESULT.cached(demo, DEFAULTS).rows
    main = [row for row in rows if row.criterion == rows[0].criterion]
    drawn = forest(main).svg_file
    assert PICTURE.read_text() == drawn, "put charts/scorers.svg of the demo's report (zip) here anew"
    page = auditor.get("/").content.decode()
    assert "img/verdict" in page


def test_results_begin_with_what_comes_out(auditor: Client, demo: Study) -> None:
    agreement = auditor.get("/studies/demo/agreement/")
    assert agreement.context["conclusion"] == (
        "Annotators agree most on similarity (alpha 0.83) and least on preference (0.05)"
    )
    assert agreement.content.decode().index("figure-alphas") < agreement.content.decode().index(
        "table-headline"
    )
    replication = auditor.get("/studies/demo/replication/")
    panel = replication.context["panel"]
    outside = max(panel.readings[Reading.BELOW], panel.readings[Reading.ABOVE])
    defined = panel.n_cells - panel.readings[Reading.UNDEFINED]
    assert f" in {outside:,} of {defined:,} correlations" in panel.conclusion
    assert panel.conclusion in replication.content.decode()


LESS = "rm follows people less than selection alone explains in"
MORE = "rm follows people more closely than selection alone explains in"
CHANCE = "correlations; chance alone does that to about 1"


@pytest.mark.parametrize(
    ("below", "above", "words"),
    [
        (0, 0, "rm follows people in every subset as far as selection alone lets any scorer"),
        (9, 1, f"{LESS} 9 of 40 {CHANCE}"),
        (1, 4, f"{MORE} 4 of 40 {CHANCE}"),
    ],
)
def test_the_panels_conclusion(below: int, above: int, words: str) -> None:
    def cells(reading: Reading, n: int) -> list[Cell]:
        return n * [Cell(Family.SIMILAR, 1.0, "1", "spearman", "pooled", UNDEFINED, UNDEFINED, reading)]

    rest = cells(Reading.EXPLAINED, 40 - below - above)
    every = cells(Reading.BELOW, below) + cells(Reading.ABOVE, above) + rest
    assert Panel("rm", Criterion(), 10, 0, every).conclusion == words
    assert Panel("rm", Criterion(), 10, 0, cells(Reading.UNDEFINED, 4)).conclusion == ""


@pytest.mark.parametrize("page", ["audit/", "homogeneity/", "similarity/", "items/by-distance/"])
def test_what_needs_an_embedder_leads_to_a_run(auditor: Client, page: str) -> None:
    study = make_study("small", prompts=2, responses=4, seats=2)
    study.criteria.filter(kind="rating").update(measures="quality")
    work(make_annotator(study, "a"))
    html = auditor.get(f"/studies/small/{page}").content.decode()
    assert '<a href="/studies/small/runs/">Start a run</a>' in html
