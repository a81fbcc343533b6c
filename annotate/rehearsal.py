"""A study as its annotators will meet it, tried by a researcher: a small copy, thrown away with its answers."""

import datetime as dt
import secrets

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotate import cloning
from annotate.folder.load import without_query_log
from annotate.folder.replace import remove_study
from annotate.kinds import ItemKind
from annotate.models import Item, Study

# So many main items of each kind: enough to see each question, and thanks within minutes.
EACH = 2
KEPT = dt.timedelta(days=1)


def start(study: Study) -> Study:
    """An open copy with a few items of each kind, and what checks and teaches."""
    with transaction.atomic(), without_query_log():
        _forget_old()
        copy = cloning.copied_study(
            study,
            f"{study.slug[:80]}-try-{secrets.token_hex(4)}",
            f"Rehearsal: {study.title}"[:300],
            status=Study.Status.OPEN,
            rehearsal_of=study,
            seats=1,
            panel_required=False,
        )
        items = study.items.filter(pk__in=_chosen(study))
        prompts = study.prompts.filter(pk__in=items.values("prompt"))
        responses = study.responses.filter(pk__in=items.values("item_responses__response"))
        cloning.copy_content(study, copy, prompts, responses, items)
        return copy


def _chosen(study: Study) -> list[int]:
    shown = study.items.filter(withheld=False).order_by("place", "pk")
    main: list[int] = []
    for kind in ItemKind:
        main += shown.filter(role=Item.Role.MAIN, kind=kind).values_list("pk", flat=True)[:EACH]
    practice = list(shown.filter(role=Item.Role.PRACTICE).values_list("pk", flat=True))
    gold = list(shown.filter(role=Item.Role.GOLD).values_list("pk", flat=True)[:EACH])
    repeats = list(shown.filter(repeat_of__in=main).values_list("pk", flat=True)[:1])
    return [*main, *practice, *gold, *repeats]


def end(study: Study) -> None:
    """Throw the study's rehearsals away."""
    _remove(Q(rehearsal_of=study))


def _forget_old() -> None:
    _remove(Q(rehearsal_of__isnull=False, created_at__lt=timezone.now() - KEPT))


def _remove(which: Q) -> None:
    with transaction.atomic():
        for rehearsal in Study.objects.filter(which):
            remove_study(rehearsal)
