"""Members of a study: who becomes one, what owners do, and that an owner stays."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from annotate import members
from annotate.models import Membership, Role, Study
from tests.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam(client: Client) -> User:
    user = User.objects.create_user("sam", is_staff=True)
    client.force_login(user)
    return user


def roles(study: Study) -> dict[str, str]:
    return dict(study.memberships.values_list("user__username", "role"))


def test_each_role_may_do_what_those_before_it_may() -> None:
    assert [r.value for r in Role] == ["auditor", "researcher", "owner"]
    assert Role.OWNER.includes(Role.AUDITOR)
    assert not Role.AUDITOR.includes(Role.RESEARCHER)
    assert Role.RESEARCHER.and_above == ["researcher", "owner"]


def test_who_makes_or_clones_a_study_owns_it(client: Client, sam: User) -> None:
    client.post(reverse("new-study"), {"title": "Lines", "seats": 2})
    study = Study.objects.get()
    assert roles(study) == {"sam": "owner"}
    client.post(reverse("clone", args=[study.slug]), {"title": "Lines again", "slug": "again"})
    assert roles(Study.objects.get(slug="again")) == {"sam": "owner"}


def test_the_list_shows_ones_own_studies_with_ones_role(client: Client, sam: User) -> None:
    members.add(make_study("mine"), sam, Role.AUDITOR)
    make_study("theirs")
    page = client.get(reverse("studies")).content.decode()
    assert "Study mine" in page
    assert "<td>auditor</td>" in page
    assert "Study theirs" not in page


def test_an_auditor_is_shown_what_an_auditor_may_open(client: Client, sam: User) -> None:
    members.add(make_study(), sam, Role.AUDITOR)
    page = client.get(reverse("study", args=["tiny"])).content.decode()
    for name in ("agreement", "audit", "planning"):
        assert reverse(name, args=["tiny"]) in page
    for name in ("monitor", "items", "members", "move-study", "clone", "delete"):
        assert reverse(name, args=["tiny"]) not in page
    assert "/join/" not in page, "with the invite link an auditor could answer"


def test_an_owner_adds_changes_and_removes(client: Client, sam: User) -> None:
    study = make_study()
    members.add(study, sam, Role.OWNER)
    User.objects.create_user("ann")
    page = reverse("members", args=["tiny"])
    client.post(page, {"username": "ann", "role": "auditor"})
    assert roles(study) == {"sam": "owner", "ann": "auditor"}
    change = reverse("change-member", args=["tiny", study.memberships.get(user__username="ann").pk])
    client.post(change, {"role": "researcher"})
    assert roles(study)["ann"] == "researcher"
    assert "There is no role" in client.post(change, {"role": "emperor"}, follow=True).content.decode()
    assert roles(study)["ann"] == "researcher"
    client.post(change, {"role": "none"})
    assert roles(study) == {"sam": "owner"}


@pytest.mark.parametrize(("name", "why"), [("nobody", "There is no account"), ("sam", "is a member already")])
def test_who_cannot_be_added_is_told_why(client: Client, sam: User, name: str, why: str) -> None:
    members.add(make_study(), sam, Role.OWNER)
    answer = client.post(reverse("members", args=["tiny"]), {"username": name, "role": "auditor"})
    assert answer.status_code == 422
    assert why in answer.content.decode()


@pytest.mark.parametrize("role", ["none", "auditor"])
def test_the_last_owner_stays(client: Client, sam: User, role: str) -> None:
    study = make_study()
    own = members.add(study, sam, Role.OWNER)
    change = reverse("change-member", args=["tiny", own.pk])
    assert "needs an owner" in client.post(change, {"role": role}, follow=True).content.decode()
    assert roles(study) == {"sam": "owner"}
    members.add(study, User.objects.create_user("ann"), Role.OWNER)
    left = client.post(change, {"role": role})
    assert left["Location"] == reverse("studies")
    assert roles(study).get("sam", "none") == role


def test_one_membership_a_study_and_only_known_roles() -> None:
    study, user = make_study(), User.objects.create_user("ann")
    with pytest.raises(IntegrityError):
        Membership.objects.create(study=study, user=user, role="emperor")


def test_members_by_command() -> None:
    study = make_study()
    User.objects.create_user("ann")
    out = StringIO()
    call_command("member", "tiny", "ann", "--role", "owner", stdout=out)
    assert out.getvalue() == "ann in tiny: owner\n"
    with pytest.raises(CommandError, match="last owner"):
        call_command("member", "tiny", "ann", "--role", "none")
    User.objects.create_user("bob")
    call_command("member", "tiny", "bob", "--role", "owner", stdout=out)
    call_command("member", "tiny", "ann", "--role", "none", stdout=out)
    assert roles(study) == {"bob": "owner"}
    with pytest.raises(CommandError, match="no study 'nope'"):
        call_command("member", "nope", "ann", "--role", "owner")
