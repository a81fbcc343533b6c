"""What a new study begins with: questions, instructions, and settings that suit responses of language models."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from annotate import members, planting, trail
from annotate.folder.study_toml import CriterionSpec, criterion_of
from annotate.models import Action, Role, Study

# Responses of LLMs are Markdown; attention fades within half an hour; whoever can't answer should be able to say so.
SETTINGS: dict[str, Any] = {
    "markup": Study.Markup.MARKDOWN,
    "session_items": 30,
    "break_after": 10,
    "allow_skip": True,
    "allow_comment": True,
}
SEATS = 5
CONSENT = """You are invited to take part in a study on responses written by language models.

- Taking part is voluntary, and you may stop at any time without giving a reason.
- Your answers are stored under a pseudonym, and used for research.
- You are 18 or older.
"""
INSTRUCTIONS = """Read the prompt, then each response to its end.

{task} There is no right answer: we ask for **your** judgment. Length alone is no merit.
"""


@dataclass(frozen=True)
class Template:
    name: str
    title: str
    summary: str
    criteria: tuple[CriterionSpec, ...]
    instructions: str
    seats: int

    @property
    def label(self) -> str:
        return f"{self.title}: {self.summary}"


def _templates() -> dict[str, Template]:
    tables = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    criteria = {key: CriterionSpec(key=key, **fields) for key, fields in tables["criterion"].items()}
    return {
        name: Template(
            name=name,
            title=table["title"],
            summary=table["summary"],
            criteria=tuple(criteria[key] for key in table.get("asks", ())),
            instructions=INSTRUCTIONS.format(task=table["task"].strip()) if "task" in table else "",
            seats=table.get("seats", SEATS),
        )
        for name, table in tables["template"].items()
    }


TEMPLATES = _templates()


def start(study: Study, template: Template, owner: Any) -> None:
    """Store a new draft with what the template brings."""
    study.status, study.seed, study.seats = Study.Status.DRAFT, planting.new_seed(), template.seats
    study.instructions, study.consent = template.instructions, CONSENT if template.criteria else ""
    for name, value in SETTINGS.items():
        setattr(study, name, value)
    with transaction.atomic():
        study.save()
        for position, spec in enumerate(template.criteria):
            criterion = criterion_of(spec, position)
            criterion.study = study
            criterion.save()
        trail.record(study, Action.CREATED, template=template.name)
        members.add(study, owner, Role.OWNER)
