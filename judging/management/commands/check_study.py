import json
from dataclasses import asdict
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.invariants import Fault, database_faults, faults
from annotate.models import Study
from judging.folder.invariants import INVARIANTS


class Command(BaseCommand):
    # The other checks load every page: a second, and 55 MB.
    requires_system_checks = [Tags.models]
    help = (
        "Check that a study's rows are consistent, and list those that are not. Exits with 1 if something is wrong. "
        "A doubt proves nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("slug", nargs="?")
        which.add_argument("--all", action="store_true", help="every study, and the database itself")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, slug: str | None, all: bool, json: bool, **options: Any) -> None:
        studies = Study.objects.order_by("slug") if all else Study.objects.filter(slug=slug)
        if not (all or studies):
            raise CommandError(f"There is no study {slug!r}.")
        faults_by_study = {study.slug: list(faults(study, INVARIANTS)) for study in studies}
        if all:
            faults_by_study = {"": list(database_faults())} | faults_by_study
        self.stdout.write(_as_json(faults_by_study) if json else _as_text(faults_by_study))
        wrong = sum(not fault.doubt for some in faults_by_study.values() for fault in some)
        if wrong:
            raise CommandError(f"{wrong} {'check' if wrong == 1 else 'checks'} failed.")


def _as_text(faults_by_study: dict[str, list[Fault]]) -> str:
    lines = []
    for slug, some in faults_by_study.items():
        lines += [f"{slug or 'the database'}: {'as it must be' if not some else ''}".rstrip()]
        lines += [f"  {fault}" for fault in some]
    return "\n".join(lines)


def _as_json(faults_by_study: dict[str, list[Fault]]) -> str:
    studies = [
        {"study": slug or None, "faults": [asdict(fault) for fault in some]}
        for slug, some in faults_by_study.items()
    ]
    return json.dumps({"checked": len(INVARIANTS), "studies": studies}, indent=2)
