"""How many annotators a study needs: against what was simulated independently, and against Spearman and Brown."""

import json
import math
from io import StringIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from annotate.models import Criterion, Study
from judging.results.planning import report as planning
from judging.results.planning.report import Design, PlanError, Point
from judging.stats import Estimate, raters_needed
from tests.factories import make_study

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")

# What 25 ratings make .77 of: the reference simulation's reliability of the mean.
ONE = 0.77 / (25 - 24 * 0.77)


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_user("staff", is_staff=True, is_superuser=True))
    return client


def detectable(prompts: int = 50, annotators: int = 60, ratings: int = 25) -> float:
    found = planning.plan(Design(prompts, 15, annotators, ratings, -0.4, ONE)).smallest_detectable
    assert found is not None
    return found


def test_the_plan_equals_the_reference_simulation() -> None:
    """Power at .1 there: .50 with 60 annotators, .32 with 25, .65 with 250, .29 with 20 prompts (1,000 data sets).

    A power p at .1 with t quantile t means a standard error of .1 / (t + z_p), hence a smallest detectable effect
    of (t + .85) of them.
    """
    assert detectable() == pytest.approx(0.143, abs=0.012)
    assert detectable(annotators=25) == pytest.approx(0.182, abs=0.015)
    assert detectable(annotators=250) == pytest.approx(0.119, abs=0.010)
    assert detectable(prompts=20) == pytest.approx(0.192, abs=0.025)


def test_a_plan_says_how_exact_it_is_and_repeats_itself() -> None:
    design = Design(50, 15, 60, 25, -0.4, ONE)
    found = planning.plan(design)
    assert found == planning.plan(design)
    assert found.simulation_error is not None
    assert 0 < found.simulation_error < 0.005
    assert found.n_identified == found.n_simulated >= 40
    assert found.strength is not None
    assert 12 < found.strength < 17  # the reference: "50 x 15 x 25 from 60 annotators 12 to 17"
    assert design.reliability_of_mean == pytest.approx(0.77)


def test_too_small_a_study_is_told_that_it_could_not_tell() -> None:
    found = planning.plan(Design(15, 7, 5, 5))  # passes the gate in 10 % of cases in the reference
    assert (found.smallest_detectable, found.simulation_error) == (None, None)
    assert "can’t tell" in found.reason


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"prompts": 1}, "prompts"),
        ({"ratings": 61}, "ratings"),
        ({"annotators": 2}, "annotators"),
        ({"reliability": 1.0}, "reliability"),
        ({"correlation": float("nan")}, "correlation"),
        ({"prompts": 1000, "responses": 100}, "prompts × responses × ratings"),
    ],
)
def test_impossible_designs_are_refused_by_name(changed: dict[str, int | float], field: str) -> None:
    asked = {"prompts": 50, "responses": 15, "annotators": 60, "ratings": 25} | changed
    with pytest.raises(PlanError) as error:
        Design(**asked)  # type: ignore[arg-type]
    assert error.value.field == field


def point(k: int, reliability: float | None) -> Point:
    found = (
        Estimate.undefined("no variation", 9)
        if reliability is None
        else Estimate(reliability, max(-1, reliability - 0.1), min(1, reliability + 0.1), 9)
    )
    return Point(k, 9, 0.1, 0.1, found)


def test_where_to_stop() -> None:
    points = [point(k, planning.stepped(0.4, k)) for k in range(2, 9)]
    target = planning.stop_at_target(points, 0.8)
    assert target == planning.Stop(6, extrapolated=False)
    beyond = planning.stop_at_target(points, 0.9)
    assert beyond == planning.Stop(14, extrapolated=True)  # .9 (1 - .4) / (.4 (1 - .9)) = 13.5
    idle = planning.stop_at_small_gain(points)
    assert idle is not None
    assert idle.extrapolated
    gain = planning.stepped(0.4, 2 * idle.k) - planning.stepped(0.4, idle.k)
    before = planning.stepped(0.4, 2 * idle.k - 2) - planning.stepped(0.4, idle.k - 1)
    assert gain < 0.02 < before
    sure = [point(k, planning.stepped(0.95, k)) for k in (2, 3, 4)]
    assert planning.stop_at_small_gain(sure) == planning.Stop(2, extrapolated=False)
    assert planning.stop_at_target([point(2, -0.2)], 0.8) is None
    assert planning.stop_at_target([point(2, None)], 0.8) is None
    assert planning.stop_at_target([], 0.8) is None


def test_reliability_from_variance_within_and_between() -> None:
    """Shrout and Fleiss 1979, table 4: six targets, four judges, ICC(1, 4) = .44."""
    ratings = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
    )
    found = _of_four(ratings)
    assert found["reliability"] == pytest.approx(0.44, abs=0.005)
    assert found["n_items"] == 6
    flat = _of_four(np.ones((5, 4)))
    assert math.isnan(flat["reliability"])
    assert "do not vary" in flat["reason"]
    few = _of_four(np.array([[1, 2, 1, 2], [3, 4, 3, 4]], float))
    assert math.isnan(few["reliability"])
    assert "three are needed" in few["reason"]


def _of_four(ratings: npt.NDArray[np.float64]) -> dict[str, Any]:
    n, k = ratings.shape
    units, people = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    rows = raters_needed(units, people, ratings.ravel(), range(1, 11), "interval", ks=[4])
    return {str(name): value for name, value in rows.iloc[0].items()}


def test_the_curve_of_the_demo_follows_spearman_and_brown(demo: Study) -> None:
    quality = Criterion.objects.get(study=demo, key="quality")
    found = planning.curve(quality)
    ks = [p.k for p in found.points]
    assert ks == list(range(2, ks[-1] + 1))
    assert {p.n_units for p in found.points} == {found.points[0].n_units}, "the same units for every k"
    last = found.points[-1].reliability.estimate
    assert last is not None
    one = planning.stepped(last, 1 / ks[-1])
    for p in found.points:
        assert p.reliability.estimate == pytest.approx(planning.stepped(one, p.k), abs=0.12)
        low, middle, high = p.reliability.low, p.reliability.estimate, p.reliability.high
        assert low is not None
        assert middle is not None
        assert high is not None
        assert low <= middle <= high
    widths = [p.mean_width for p in found.points]
    assert widths == sorted(widths, reverse=True)
    assert found == planning.curve(quality)


@pytest.mark.django_db
def test_without_answers_there_is_no_curve_but_a_reason(staff: Client) -> None:
    study = make_study()
    found = planning.curve(study.criteria.earliest("position"))
    assert (found.points, found.reason) == ([], "Most items have fewer than two answers so far.")
    html = staff.get("/studies/tiny/planning/").content.decode()
    assert "Most items have fewer than two answers so far." in html


def test_the_page_draws_what_it_says(demo: Study, staff: Client) -> None:
    html = staff.get("/studies/demo/planning/", {"criterion": "similarity", "target": "0,9"}).content.decode()
    assert html.count("<svg") == 2
    assert "Simulated." in html
    assert "2 annotators an item reach a reliability of 0.90: the study could stop there" in html
    assert "The page uses 0.80" in staff.get("/studies/demo/planning/?target=much").content.decode()
    assert "The page uses 0.80" in staff.get("/studies/demo/planning/?target=nan").content.decode()


def test_the_page_plans_and_says_what_is_wrong(demo: Study, staff: Client) -> None:
    asked: dict[str, str | int] = {
        "prompts": 50,
        "responses": 15,
        "annotators": 60,
        "ratings": 25,
        "correlation": "−0.4",
        "reliability": "0.12",
    }
    html = staff.get("/studies/demo/planning/", asked).content.decode()
    assert "0.15 SD of the score per SD of unusualness" in html
    for changed, words in (
        ({"prompts": "many"}, "prompts: expected a number, found “many”"),
        ({"prompts": "2.5"}, "prompts: expected a whole number, found 2.5"),
        ({"ratings": "61"}, "ratings: expected 2 to 60, found 61"),
        ({"prompts": "1e99"}, "prompts: expected a number below 1,000,000,000"),
        ({"reliability": "nan"}, "reliability: expected a number below 1,000,000,000"),
        ({"annotators": ""}, "annotators: expected a number, found “”"),
    ):
        page = staff.get("/studies/demo/planning/", {**asked, **changed})
        assert page.status_code == 200
        assert words in page.content.decode()


def run(*args: str) -> str:
    out = StringIO()
    call_command("plan", *args, stdout=out)
    return out.getvalue()


def test_the_command_plans() -> None:
    size = ["--prompts", "20", "--responses", "15", "--annotators", "60", "--ratings", "10"]
    text = run(*size)
    assert "Smallest detectable underrating (80 % power, two-sided 5 %): 0." in text
    assert "simulated" in text
    found = json.loads(run(*size, "--json"))
    assert found["prompts"] == 20
    assert f"{found['smallest_detectable']:.3f} SD" in text
    with pytest.raises(CommandError, match="ratings: expected 2 to 60, found 99"):
        run(*size[:-1], "99")
