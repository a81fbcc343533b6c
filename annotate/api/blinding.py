"""What auditors must not learn: which judgments are one person's.

Whoever works leaves rows one after the other, so their ids, and any order by id or time, tell one person from another.
Auditors see numbers made under a key instead, and lists in the order of those.
"""

from typing import Any

from django.db.models import CharField, F, Model, QuerySet, Value
from django.db.models.functions import MD5, Cast, Concat, Substr

from annotate import pseudonyms
from annotate.models import Annotator, Study

NUMBER = "number_for_auditors"
# Hexadecimal digits: JavaScript, too, holds 52 bits in a number.
DIGITS = 13


def made_by_people(model: type[Model]) -> bool:
    """Whether each row is one person's: some way of foreign keys leads to an annotator."""
    to = [f.related_model for f in model._meta.get_fields() if f.many_to_one and f.concrete]
    return model is Annotator or any(
        isinstance(other, type) and other is not model and made_by_people(other) for other in to
    )


def numbered(rows: QuerySet[Any], study: Study) -> QuerySet[Any]:
    """With the number by which auditors know each row."""
    # The one hash that every database has of itself; the key is as long as nobody guesses.
    key = pseudonyms.key_of_rows(study.slug, rows.model._meta.label_lower)
    text = Concat(Value(key), Cast(F("pk"), CharField()), output_field=CharField())
    known: QuerySet[Any] = rows.annotate(**{NUMBER: Substr(MD5(text), 1, DIGITS)})
    return known


def number_of(row: Model) -> int:
    return int(getattr(row, NUMBER), 16)


def stored(number: int) -> str:
    """The number as the database has it."""
    return f"{number:0{DIGITS}x}"
