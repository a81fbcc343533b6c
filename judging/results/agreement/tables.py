"""One row an item, or an annotator, of one criterion: to look into, and to take along as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from annotate.cells import in_one_row
from annotate.models import Annotator, Criterion, Item, Response
from judging.results.agreement.units import Units, units
from judging.stats import describe_annotators, describe_items

SHOWN = 8
NAMES = ["item", "response", "other"]


@dataclass(frozen=True, slots=True)
class Share:
    """How many gave one value."""

    value: str
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class Divided:
    """An item people part on: its numbers, the whole distribution, and the texts."""

    numbers: dict[str, Any]
    shares: list[Share]
    item: Item
    texts: list[Response]


def items(criterion: Criterion) -> pd.DataFrame | None:
    """Distribution and soft label of every item's answers, by keys: ready to be written as a table."""
    asked = units(criterion)
    return None if asked is None else _named(criterion, item_numbers(asked))


def item_numbers(asked: Units) -> pd.DataFrame:
    """One row a unit, by primary keys: item_id, response_id, other_id, and what describe_items says."""
    domain = asked.domain
    unit, _, value = asked.long
    found = describe_items(unit, value, domain)
    if not asked.countable:
        counted = [c for c in found.columns if c.startswith(("count_", "share_"))]
        found = found.drop(columns=[*counted, "entropy_bits"])
    if not asked.numeric:
        found = found.drop(columns=["mean", "mean_low", "mean_high", "variance", "bimodality"])
    about = asked.given.drop_duplicates("unit")[["unit", "item_id", "response_id", "other_id"]]
    return about.merge(found, on="unit").drop(columns="unit")


def _named(criterion: Criterion, found: pd.DataFrame) -> pd.DataFrame:
    """The same with keys in place of numbers; columns that name nothing are left out."""
    item_keys = dict(criterion.study.items.values_list("pk", "key"))
    keys = dict(criterion.study.responses.values_list("pk", "key"))
    table = found.assign(
        item=found["item_id"].map(item_keys),
        response=found["response_id"].map(keys),
        other=found["other_id"].map(keys),
    )
    names = [name for name in NAMES if table[name].notna().any()]
    rest = [c for c in found.columns if not c.endswith("_id")]
    return table[[*names, *rest]]


def annotators(criterion: Criterion) -> pd.DataFrame | None:
    """Correlation with the rest, severity, scale use and self-consistency of every annotator, by pseudonym."""
    asked = units(criterion)
    return None if asked is None else people(criterion, asked)


def people(criterion: Criterion, asked: Units) -> pd.DataFrame | None:
    """The same from answers that were read already; repeats are read where the study has some."""
    if criterion.study.items.filter(role=Item.Role.REPEAT).exists():
        asked = units(criterion, repeats=True) or asked
    keys = dict(Annotator.objects.filter(study=criterion.study).persons().values_list("pk", "key"))
    if not asked.numeric or not keys:
        return None
    found = describe_annotators(*asked.long, asked.domain)
    found = found[found["annotator_id"].isin(keys)]
    named = found.assign(annotator=found["annotator_id"].map(keys)).sort_values("annotator")
    return named[["annotator", *[c for c in found.columns if c != "annotator_id"]]]


def as_csv(table: pd.DataFrame) -> str:
    """Identifiers and headings come from whoever made the study: no spreadsheet shall calculate them."""
    safe = table.rename(columns=in_one_row).map(in_one_row)
    return safe.to_csv(index=False, lineterminator="\n")


TABLES: dict[str, Callable[[Criterion], pd.DataFrame | None]] = {"items": items, "annotators": annotators}


def most_divided(criterion: Criterion, asked: Units) -> list[Divided]:
    """What people part on most: by entropy among what at least half as many answered as is usual."""
    found = item_numbers(asked)
    if found.empty or "entropy_bits" not in found:
        return []
    found = found[found["n"] >= max(2, found["n"].median() / 2)]
    by = ["entropy_bits", *(["variance"] if "variance" in found else []), "item_id"]
    top = found.sort_values(by, ascending=[*[False] * (len(by) - 1), True]).head(SHOWN)
    shown = Item.objects.select_related("prompt").in_bulk([int(i) for i in top["item_id"]])
    wanted = {int(pk) for name in ("response_id", "other_id") for pk in top[name].dropna()}
    of_item = _texts_of([i.pk for i in shown.values() if i.kind == "pair"])
    responses = Response.objects.in_bulk(wanted | {pk for pks in of_item.values() for pk in pks})
    return [_divided(row, shown, of_item, responses) for row in top.to_dict("records")]


def _texts_of(pairs: list[int]) -> dict[int, list[int]]:
    """The responses of pairs, of which an answer may name only one, or none."""
    rows = Item.objects.filter(pk__in=pairs).order_by("pk", "item_responses__position")
    found: dict[int, list[int]] = {}
    for item, response in rows.values_list("pk", "item_responses__response_id"):
        found.setdefault(item, []).append(response)
    return found


def _divided(
    row: dict[Any, Any], shown: dict[int, Item], of_item: dict[int, list[int]], responses: dict[int, Response]
) -> Divided:
    item = shown[int(row["item_id"])]
    named = [int(row[name]) for name in ("response_id", "other_id") if not pd.isna(row[name])]
    shares = [
        Share(str(name).removeprefix("count_"), int(n), float(n) / float(row["n"]))
        for name, n in row.items()
        if str(name).startswith("count_")
    ]
    numbers = {str(k): None if pd.isna(v) else v for k, v in row.items()}
    return Divided(numbers, shares, item, [responses[pk] for pk in of_item.get(item.pk, named)])
