"""One row an item, or an annotator, of one criterion: to look into, and to take along as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from annotate.cells import in_one_row
from annotate.models import Annotator, Criterion, Item, Response
from judging.results.agreement.units import Units, units
from judging.stats import describe_annotators, describe_items

MOST = 8
NAMES = ["item", "response", "other"]


@dataclass(frozen=True, slots=True)
class Share:
    """How many gave one value."""

    value: str
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class DividedItem:
    """An item on which people disagree: its numbers, the whole distribution, and the texts."""

    numbers: dict[str, Any]
    shares: list[Share]
    item: Item
    texts: list[Response]


def items(criterion: Criterion) -> pd.DataFrame | None:
    """Distribution and soft label of every item's answers, by keys: ready to be written as a table."""
    values = units(criterion)
    return None if values is None else _named(criterion, item_numbers(values))


def item_numbers(values: Units) -> pd.DataFrame:
    """One row a unit, by primary keys: item_id, response_id, other_id, and what describe_items says."""
    domain = values.domain
    unit, _, value = values.long
    numbers = describe_items(unit, value, domain)
    if not values.countable:
        counted = [c for c in numbers.columns if c.startswith(("count_", "share_"))]
        numbers = numbers.drop(columns=[*counted, "entropy_bits"])
    if not values.numeric:
        numbers = numbers.drop(columns=["mean", "mean_low", "mean_high", "variance", "bimodality"])
    # Not as they were first answered: that would say who came first.
    ids = ["item_id", "response_id", "other_id"]
    about = values.given.drop_duplicates("unit")[["unit", *ids]].sort_values([*ids, "unit"])
    return about.merge(numbers, on="unit").drop(columns="unit")


def _named(criterion: Criterion, numbers: pd.DataFrame) -> pd.DataFrame:
    """The same with keys in place of numbers; columns that name nothing are left out."""
    item_keys = dict(criterion.study.items.values_list("pk", "key"))
    keys = dict(criterion.study.responses.in_pool().values_list("pk", "key"))
    table = numbers.assign(
        item=numbers["item_id"].map(item_keys),
        response=numbers["response_id"].map(keys),
        other=numbers["other_id"].map(keys),
    )
    names = [name for name in NAMES if table[name].notna().any()]
    rest = [c for c in numbers.columns if not c.endswith("_id")]
    return table[[*names, *rest]]


def annotators(criterion: Criterion) -> pd.DataFrame | None:
    """Correlation with the rest, severity, scale use and self-consistency of every annotator, by pseudonym."""
    values = units(criterion)
    return None if values is None else people(criterion, values)


def people(criterion: Criterion, values: Units) -> pd.DataFrame | None:
    """The same from answers that were read already; repeats are read where the study has some."""
    if criterion.study.items.filter(role=Item.Role.REPEAT).exists():
        values = units(criterion, repeats=True) or values
    keys = dict(Annotator.objects.filter(study=criterion.study).persons().values_list("pk", "key"))
    if not values.numeric or not keys:
        return None
    rows = describe_annotators(*values.long, values.domain)
    rows = rows[rows["annotator_id"].isin(keys)]
    named = rows.assign(annotator=rows["annotator_id"].map(keys)).sort_values("annotator")
    return named[["annotator", *[c for c in rows.columns if c != "annotator_id"]]]


def as_csv(table: pd.DataFrame) -> str:
    """Identifiers and headings come from whoever made the study: no spreadsheet shall calculate them."""
    safe = table.rename(columns=in_one_row).map(in_one_row)
    return safe.to_csv(index=False, lineterminator="\n")


TABLES: dict[str, Callable[[Criterion], pd.DataFrame | None]] = {"items": items, "annotators": annotators}


def most_divided(criterion: Criterion, values: Units) -> list[DividedItem]:
    """The items with the most disagreement: by entropy, of those with at least half the typical number of answers."""
    rows = item_numbers(values)
    if rows.empty or "entropy_bits" not in rows:
        return []
    rows = rows[rows["n"] >= max(2, rows["n"].median() / 2)]
    by = ["entropy_bits", *(["variance"] if "variance" in rows else []), "item_id"]
    top = rows.sort_values(by, ascending=[*[False] * (len(by) - 1), True]).head(MOST)
    shown = Item.objects.select_related("prompt").in_bulk([int(i) for i in top["item_id"]])
    wanted = {int(pk) for name in ("response_id", "other_id") for pk in top[name].dropna()}
    of_item = _texts_of([i.pk for i in shown.values() if i.kind == "pair"])
    responses = Response.objects.in_bulk(wanted | {pk for pks in of_item.values() for pk in pks})
    return [_divided(row, shown, of_item, responses) for row in top.to_dict("records")]


def _texts_of(pairs: list[int]) -> dict[int, list[int]]:
    """The responses of pairs, of which an answer may name only one, or none."""
    rows = Item.objects.filter(pk__in=pairs).order_by("pk", "item_responses__position")
    responses: dict[int, list[int]] = {}
    for item, response in rows.values_list("pk", "item_responses__response_id"):
        responses.setdefault(item, []).append(response)
    return responses


def _divided(
    row: dict[Any, Any], shown: dict[int, Item], of_item: dict[int, list[int]], responses: dict[int, Response]
) -> DividedItem:
    item = shown[int(row["item_id"])]
    named = [int(row[name]) for name in ("response_id", "other_id") if not pd.isna(row[name])]
    shares = [
        Share(str(name).removeprefix("count_"), int(n), float(n) / float(row["n"]))
        for name, n in row.items()
        if str(name).startswith("count_")
    ]
    numbers = {str(k): None if pd.isna(v) else v for k, v in row.items()}
    return DividedItem(numbers, shares, item, [responses[pk] for pk in of_item.get(item.pk, named)])
