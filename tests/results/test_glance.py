"""A study at a glance, and the front page's picture of what comes out."""

from pathlib import Path

import pytest
from django.test import Client

from annotate.models import Annotator, Study
from judging.monitor.live import live
from judging.results.audit.charts import forest
from judging.results.audit.options import DEFAULTS
from judging.results.audit.result import RESULT
from tests.factories import make_annotator, make_study
from tests.judging.monitor.rows import work

pytestmark = pytest.mark.django_db
PICTURE = Path(__file__).parents[2] / "static/img/verdict.svg"


def test_the_page_of_a_study_says_how_far_it_is_and_fetches_what_comes_out(
    auditor: Client, demo: Study
) -> None:
    page = auditor.get("/studies/demo/").content.decode()
    assert "4,800 of 6,000 judgments" in page
    assert 'hx-get="/studies/demo/glance/"' in page
    glance = auditor.get("/studies/demo/glance/").content.decode()
    verdict = auditor.get("/studies/demo/audit/").context["headline"]
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
