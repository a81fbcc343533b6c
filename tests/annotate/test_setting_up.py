"""From a template to an open study: steps, questions, items, and what they cost."""

import tomllib

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotate import planting, workload
from annotate.folder.problems import Problems
from annotate.folder.study_toml import render, spec_from, spec_of
from annotate.models import Item, Study
from annotate.planting import Wanted
from annotate.readiness import open_issues
from annotate.study_templates import TEMPLATES
from tests.browser_forms import submit
from tests.factories import make_study

pytestmark = pytest.mark.django_db

POOL = "prompt,response,model\n" + "".join(
    f"Write about {about}.,{about} by m{n}.,m{n}\n" for about in ("time", "snow") for n in range(6)
)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    return client


def page(staff: Client, name: str, *args: str) -> str:
    return staff.get(reverse(name, args=["a-study", *args])).content.decode()


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_leads_step_by_step_to_a_study_that_opens(staff: Client, template: str) -> None:
    made = submit(staff, reverse("new-study"), {"title": "A study", "template": template})
    study = Study.objects.get()
    assert made["Location"] == reverse("pool", args=["a-study"])
    assert (study.seats, study.markup, study.break_after) == (TEMPLATES[template].seats, "markdown", 10)
    # A draft of a template is a study folder that loads.
    if template != "empty":
        problems = Problems()
        assert spec_from(tomllib.loads(render(spec_of(study))), problems) is not None
    submit(staff, made["Location"], {"pasted": POOL})
    added = staff.post(reverse("pool-preview", args=["a-study"]), {"store": "1"})
    if template == "empty":
        assert added["Location"] == reverse("criteria", args=["a-study"])
        return
    items = reverse("items", args=["a-study"])
    assert added["Location"] == items
    done = submit(staff, items, having="seats")
    assert done["Location"] == study.get_absolute_url()
    assert not [issue for issue in open_issues(study) if issue.stops]
    kinds = set(study.items.values_list("kind", flat=True))
    assert kinds == {criterion.on for criterion in TEMPLATES[template].criteria}
    staff.post(reverse("move-study", args=["a-study"]), {"to": "open"})
    study.refresh_from_db()
    assert study.status == "open"


def test_the_steps_say_how_far_a_draft_has_come(staff: Client) -> None:
    submit(staff, reverse("new-study"), {"title": "A study", "template": "rate"})

    def steps(html: str) -> tuple[int, str]:
        part = html[html.index('class="steps"') : html.index("</ol>")]
        here = part[part.index('aria-current="step"') :].split("\n")[1].strip().removesuffix("</a></li>")
        return part.count('class="done"'), here

    assert steps(page(staff, "pool")) == (2, "Texts")
    submit(staff, reverse("pool", args=["a-study"]), {"pasted": POOL})
    staff.post(reverse("pool-preview", args=["a-study"]), {"store": "1"})
    assert steps(page(staff, "items")) == (3, "Items")
    submit(staff, reverse("items", args=["a-study"]), having="seats")
    assert steps(page(staff, "study")) == (4, "Check and open")
    Study.objects.update(status="open")
    assert 'class="steps"' not in page(staff, "study")


def test_a_draft_has_no_empty_tabs(staff: Client) -> None:
    make_study("a-study")
    assert reverse("audit", args=["a-study"]) in page(staff, "study")
    Study.objects.update(status="draft")
    html = page(staff, "pool")
    for name in ("audit", "agreement", "monitor", "report", "exports", "planning", "webhooks"):
        assert f'href="{reverse(name, args=["a-study"])}"' not in html, name
    assert reverse("links", args=["a-study"]) in html
    # Whoever knows the address may still look.
    assert 'aria-current="page"' in page(staff, "leaks")


def test_work_and_cost_are_said_before_any_item_is_made(staff: Client) -> None:
    submit(staff, reverse("new-study"), {"title": "A study", "template": "rate-compare"})
    submit(staff, reverse("pool", args=["a-study"]), {"pasted": POOL})
    staff.post(reverse("pool-preview", args=["a-study"]), {"store": "1"})
    path = reverse("items", args=["a-study"])
    # 12 single responses and 6 pairs for each of two prompts, by five people each.
    assert "24 items, 120\njudgments" in staff.get(path).content.decode()
    changed = {"pair": "3", "seats": "10", "pay": "20"}
    part = staff.post(path, {"single": "2", **changed}, headers={"HX-Request": "true"}).content.decode()
    assert "10 items, 100\njudgments" in part
    assert "<html" not in part
    assert (
        "24 items" not in submit(staff, path, {**changed, "estimate": "1"}, having="seats").content.decode()
    )
    assert not Item.objects.exists()
    submit(staff, path, changed, having="seats")
    study = Study.objects.get()
    assert (study.items.filter(kind="single").count(), study.items.filter(kind="pair").count()) == (12, 6)
    assert (study.seats, study.assignments.count()) == (10, 180)
    assert study.trail.filter(details__has_key="seats").exists()
    assert submit(staff, path, {"pair": ""}, having="seats").status_code == 422


def test_what_is_planned_is_what_is_made() -> None:
    study = make_study(prompts=2, responses=5, kinds=["single", "pair", "set"])
    orders = [Wanted("singles"), Wanted("random", 4), Wanted("sets", 3, 3)]
    planned = planting.planned(study, orders)
    for order in orders:
        planting.make_items(study, order)
    made = {kind: study.items.filter(kind=kind).count() for kind in planned}
    assert {kind: n for kind, (n, _) in planned.items()} == made


def test_the_workload_adds_up() -> None:
    study = make_study(prompts=2, responses=4, kinds=["single"])
    Study.objects.update(session_items=20)
    study.refresh_from_db()
    work = workload.workload(study, {"single": (80, 1)}, seats=3, pay=12)
    assert work is not None
    assert (work.items, work.judgments, work.people, work.visit_items) == (80, 240, 12, 20)
    assert work.cost == pytest.approx(12 * work.hours)
    assert work.people * work.visit_minutes / 60 >= work.hours
    assert workload.workload(study, {}, seats=3, pay=12) is None
