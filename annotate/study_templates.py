"""What a new study begins with: questions, instructions, and settings that suit responses of language models."""

from dataclasses import dataclass
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
CONSENT = """You are invited to take part in a study on responses written by language models.

- Taking part is voluntary, and you may stop at any time without giving a reason.
- Your answers are stored under a pseudonym, and used for research.
- You are 18 or older.
"""
QUALITY = CriterionSpec(
    key="quality", on="single", kind="rating", measures="quality", scale=[1, 5],
    text="How good is this response?", labels={"1": "very poor", "3": "fair", "5": "excellent"},
)  # fmt: skip
BETTER = CriterionSpec(
    key="better", on="pair", kind="preference", measures="quality", text="Which response is better?"
)
ALIKE = CriterionSpec(
    key="alike", on="pair", kind="similarity", measures="similarity", scale=[1, 5],
    text="How alike are the two responses in what they say?",
    labels={"1": "nothing in common", "3": "partly the same", "5": "the same"},
)  # fmt: skip
GROUPS = CriterionSpec(
    key="groups", on="set", kind="grouping", measures="similarity",
    text="Which responses say the same? Put them into one group.",
)  # fmt: skip
READ = "Read the prompt, then each response to its end.\n\n"
OWN = "There is no right answer: we ask for **your** judgment. Length alone is no merit.\n"


@dataclass(frozen=True)
class Template:
    name: str
    title: str
    summary: str
    criteria: tuple[CriterionSpec, ...] = ()
    instructions: str = ""
    seats: int = 5

    @property
    def label(self) -> str:
        return f"{self.title}: {self.summary}"


TEMPLATES = {
    template.name: template
    for template in (
        Template(
            "rate", "Rate each", "one response a screen, from 1 to 5", (QUALITY,),
            f"{READ}Say how good it is as an answer to this prompt. {OWN}",
        ),
        Template(
            "compare", "Compare pairs", "two responses a screen, which is better", (BETTER,),
            f"{READ}Say which of the two answers the prompt better, and by how much. {OWN}",
        ),
        Template(
            "rate-compare", "Rate and compare", "each response, then pairs of them", (QUALITY, BETTER),
            f"{READ}Some screens show one response: say how good it is. Others show two: say which is better. {OWN}",
        ),
        Template(
            "group", "Group by meaning", "several responses a screen, which say the same", (GROUPS,),
            f"{READ}Put responses that say the same into one group, however they say it. {OWN}",
        ),
        Template(
            "hivemind", "Artificial Hivemind", "ratings, pairs and similarity by 25 people",
            (QUALITY, BETTER, ALIKE),
            f"{READ}Some screens show one response: say how good it is. Others show two: say which is better, and how "
            f"alike they are. {OWN}",
            seats=25,
        ),
        Template("empty", "Empty", "you write the questions"),
    )
}  # fmt: skip


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
