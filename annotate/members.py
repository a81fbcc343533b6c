"""Members of a study. A study that has an owner keeps one."""

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from annotate import trail
from annotate.models import Action, Membership, Role, Study


class LastOwnerError(Exception):
    """The study would be left without an owner."""


def add(study: Study, user: User | AnonymousUser, role: Role) -> Membership:
    """Make the user a member; existing members keep their role."""
    with transaction.atomic():
        membership, created = Membership.objects.get_or_create(
            study=study, user_id=user.pk, defaults={"role": role}
        )
        if created:
            trail.record(study, Action.MEMBER_ADDED, user.get_username(), role=role)
    return membership


def change(membership: Membership, role: Role) -> None:
    with transaction.atomic():
        if role != Role.OWNER:
            _check_another_owner(membership)
        Membership.objects.filter(pk=membership.pk).update(role=role)
        if role != membership.role:
            about = membership.user.get_username()
            trail.record(membership.study, Action.ROLE_CHANGED, about, role=[membership.role, role])


def remove(membership: Membership) -> None:
    with transaction.atomic():
        _check_another_owner(membership)
        membership.delete()
        about = membership.user.get_username()
        trail.record(membership.study, Action.MEMBER_REMOVED, about, role=membership.role)


def _check_another_owner(membership: Membership) -> None:
    # Two owners who leave at once wait for each other here.
    Study.objects.select_for_update().get(pk=membership.study_id)
    owners = Membership.objects.filter(study=membership.study_id, role=Role.OWNER)
    if membership.role == Role.OWNER and not owners.exclude(pk=membership.pk).exists():
        raise LastOwnerError
