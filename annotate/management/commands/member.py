from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate import members
from annotate.models import Role, Study


class Command(BaseCommand):
    help = "Add an account to a study, change its role, or remove it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name", help="user name of the account")
        parser.add_argument("--role", required=True, choices=[*Role.values, "none"])

    def handle(self, *, slug: str, name: str, role: str, **options: Any) -> None:
        study = Study.objects.filter(slug=slug).first()
        user = User.objects.filter(username=name).first()
        if study is None or user is None:
            missing = f"study {slug!r}" if study is None else f"account {name!r} (createsuperuser makes one)"
            raise CommandError(f"There is no {missing}.")
        try:
            self._set(study, user, role)
        except members.LastOwnerError:
            raise CommandError(
                f"{name} is the last owner of {slug}: make someone else an owner first."
            ) from None
        self.stdout.write(f"{name} in {slug}: {role}")

    def _set(self, study: Study, user: User, role: str) -> None:
        if role != "none":
            members.change(members.add(study, user, Role(role)), Role(role))
        elif membership := study.memberships.filter(user=user).first():
            members.remove(membership)
