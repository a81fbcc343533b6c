"""Clones, leaks, gold items and repeats on the study desk."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotate import planting, seats
from annotate.models import PLANTED, Assignment, Item, Judgment, Response, Study
from tests.annotate.test_desk import judge
from tests.factories import make_annotator, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    return client


def test_a_clone_has_everything_but_answers(staff: Client) -> None:
    study = make_study(seats=2)
    planting.add_repeats(study, 0.2, ["single", "pair", "set"])
    judge(study)
    staff.post(reverse("clone", args=["tiny"]), {"title": "Again", "slug": ""})
    copy = Study.objects.get(slug="again")
    assert copy.status == "draft"
    assert not Judgment.objects.in_study(copy).exists()
    for name in ("criteria", "prompts", "responses", "items"):
        assert getattr(copy, name).count() == getattr(study, name).count() > 0
    for item in copy.items.prefetch_related("item_responses__response").select_related("prompt", "repeat_of"):
        before = study.items.get(key=item.key)
        assert (item.role, item.place, item.prompt.study) == (before.role, before.place, copy)
        assert [s.response.key for s in item.item_responses.all()] == [
            s.response.key for s in before.item_responses.all()
        ]
        assert {s.response.study_id for s in item.item_responses.all()} == {copy.pk}
        assert (item.repeat_of.study if item.repeat_of else copy) == copy
    assert copy.items.filter(role="repeat").exists()
    assert Assignment.objects.filter(study=copy).free().count() == 2 * copy.items.filter(role="main").count()


def test_only_an_unjudged_draft_is_deleted(staff: Client) -> None:
    study = make_study()
    path = reverse("delete", args=["tiny"])
    assert staff.post(path).status_code == 409
    Study.objects.update(status="draft")
    assert "can't be undone" in staff.get(path).content.decode()
    Study.objects.update(status="open")
    judge(study)
    Study.objects.update(status="draft")
    assert staff.post(path).status_code == 409
    assert Study.objects.exists()


def test_leaks_are_listed_held_back_and_released(staff: Client) -> None:
    study = make_study(prompts=1)
    leaky = study.responses.order_by("pk").first()
    assert leaky is not None
    Response.objects.filter(pk=leaky.pk).update(text="Sure! As an AI language model, I <3 time.")
    holder = make_annotator(study)
    assert seats.next_assignment(holder)
    page = staff.get(reverse("leaks", args=["tiny"])).content.decode()
    assert "<mark>As an AI</mark>" in page
    assert "I &lt;3 time" in page
    path = reverse("hold-back", args=["tiny"])
    staff.post(path, {"do": "chosen", "response": leaky.pk, "reason": "says it is one"})
    leaky.refresh_from_db()
    assert leaky.held_back == "says it is one"
    shows = Item.objects.filter(item_responses__response=leaky)
    assert set(study.items.filter(withheld=True)) == set(shows)
    assert len(shows) == 3
    assert not Assignment.objects.held().filter(item__in=shows).exists()
    seat = seats.next_assignment(holder)
    assert seat is not None
    assert seat.item not in shows
    staff.post(path, {"do": "release", "response": leaky.pk})
    assert not study.items.filter(withheld=True).exists()
    staff.post(path, {"do": "all"})
    assert study.responses.exclude(held_back="").count() == 1


@pytest.mark.parametrize("kind", ["single", "pair", "set"])
def test_a_gold_item_is_planted_by_answering_it(staff: Client, kind: str) -> None:
    study = make_study()
    path = reverse("plant", args=["tiny"]) + f"?kind={kind}"
    page = staff.get(path).content.decode()
    fields = dict.fromkeys(re.findall(r'name="(c[\d-]+)"', page))
    size = {"single": 1, "pair": 2, "set": 3}[kind]
    typed = {f"text_{n}": f"Please choose what is marked, {n}." for n in range(1, size + 1)}
    typed |= {"role": "gold", "prompt": "A check", "explain": "It said so.", "tolerance": "0"}
    assert "Answer at least one" in staff.post(path, typed).content.decode()
    assert not study.items.filter(role="gold").exists()
    answers = {name: re.search(rf'name="{name}" value="([^"]+)"', page) for name in fields}
    typed |= {name: found[1] for name, found in answers.items() if found}
    assert staff.post(path, typed).status_code == 302
    item = study.items.get(role="gold")
    keys = [s.response.key for s in item.item_responses.all()]
    wanted: dict[str, dict[str, Any]] = {
        "single": {"quality": 1},
        "pair": {"preference": keys[0], "similarity": 0},
        "set": {"grouping": dict.fromkeys(keys, 1)},
    }
    assert item.expected == {"explain": "It said so.", **wanted[kind]}
    assert not item.assignments.exists()  # everybody who comes gets a seat of their own
    assert item.prompt.key == "gold-1"
    assert {r.source for r in item.prompt.responses.all()} == {PLANTED}
    # No pool takes planted texts in.
    assert "gold-1" not in {pool.key for pool in planting.pools(study)}


def test_a_tolerance_admits_the_points_around(staff: Client) -> None:
    study = make_study(kinds=["single"])
    [criterion] = study.criteria.all()
    typed = {"role": "practice", "prompt": "P", "text_1": "T", "tolerance": "1", f"c{criterion.pk}-1": "5"}
    stored = staff.post(reverse("plant", args=["tiny"]), typed)
    assert stored.status_code == 302, (stored.context["form"].errors, stored.context["controls"])
    assert study.items.get(role="practice").expected == {"quality": [4, 5]}


def test_repeats_are_planted_once_and_items_taken_back(staff: Client) -> None:
    study = make_study(prompts=5)
    path = reverse("repeat-items", args=["tiny"])
    staff.post(path, {"share": 20})
    repeats = study.items.filter(role="repeat")
    assert sorted(repeats.values_list("kind", flat=True)) == [
        "pair",
        "set",
        "single",
        "single",
        "single",
        "single",
    ]
    staff.post(path, {"share": 20})
    assert repeats.count() == 6
    assert staff.post(path, {"share": 0}).status_code == 422
    judgment = judge(study)
    staff.post(reverse("remove-items", args=["tiny"]), {"role": "main"})
    kept = set(study.items.values_list("pk", flat=True))
    assert judgment.assignment.item_id in kept
    # Those that the annotator holds stay too; everything else is gone, repeats with what they repeat.
    held = set(Assignment.objects.exclude(status="free").values_list("item_id", flat=True))
    assert kept == held
    assert {repeat.repeat_of_id for repeat in repeats} <= kept
