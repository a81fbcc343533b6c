"""What each annotator's answers show about how they worked: evidence for a reader, and no verdict.

An annotator's own rows are all that the person gave, whole exclusion or not; the rest they are held against is what
counts. Items passed over and judgments excluded one by one are neither.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from annotate.expected import met
from annotate.kinds import NoPreference, names_of
from annotate.models import Annotator, Answer, Criterion, Item, Study
from judging.frames import tables as frames
from judging.stats import Estimate

WHOLE = "annotator: "  # how an exclusion of all that somebody gave begins
FEW_TIMES = 5


@dataclass(frozen=True, slots=True)
class AnnotatorQuality:
    annotator: Annotator
    items: int
    active_s: float | None
    wall_s: float | None
    gold_met: int
    gold: int
    gold_missed: tuple[str, ...]
    exact: Estimate
    within_one: Estimate
    first_side: Estimate
    same_response: Estimate
    same_side: Estimate
    rest: Estimate
    severity: Estimate
    same_again: Estimate
    same_expected: float | None
    fast: Estimate
    concerns: dict[str, str] = field(default_factory=dict)
    """Columns in which something is unusual, and what, in words."""

    @property
    def gold_share(self) -> float | None:
        return self.gold_met / self.gold if self.gold else None

    @property
    def gold_says_something(self) -> bool:
        """Anyone can misread a single gold item."""
        return self.gold >= 2


def annotator_quality(study: Study) -> list[AnnotatorQuality]:
    """One entry per annotator with judgments, in a bounded number of queries."""
    judged = frames.judged(study)
    own = judged[_is_own(judged["excluded"])]
    people = list(Annotator.objects.filter(study=study).persons().order_by("key"))
    if own.empty or not people:
        return []
    rows = _rows(study, own)
    parts = {
        "times": _times(own),
        "gold": _gold(study, own),
        "repeats": _repeats(rows),
        "sides": _sides(rows),
        "rest": _against_the_rest(rows),
        "same": _same_again(rows),
        "fast": _fast(own),
    }
    present = set(own["annotator_id"])
    return [_entry(person, parts) for person in people if person.pk in present]


def _is_own(excluded: pd.Series) -> pd.Series:
    return (excluded == "") | excluded.str.startswith(WHOLE)


def _rows(study: Study, own: pd.DataFrame) -> pd.DataFrame:
    """Own answers with a number: judgment's columns, criterion's kind, value (signed for a preference), unit."""
    kinds = dict(Criterion.objects.filter(study=study).values_list("pk", "kind"))
    rows = frames.given_answers(study).merge(own.drop(columns="kind"), on="judgment_id")
    rows["asked"] = rows["criterion_id"].map(kinds)
    rows["item"] = rows["repeat_of"].fillna(rows["item_id"]).astype("int64")
    preference = rows["asked"].isin(names_of("prefers"))
    second = rows["response_id"] != rows["item"].map(frames.first_responses(study))
    rows["value"] = rows["value"].where(~(preference & second.fillna(False)), -rows["value"])
    rows.loc[rows["label"] == NoPreference.CANNOT_TELL, "value"] = np.nan
    each = rows["asked"].isin(names_of("per_response"))
    rows["about"] = rows["response_id"].where(each, 0).fillna(0).astype("int64")
    return rows


_Values = dict[int, Any]


def _times(own: pd.DataFrame) -> _Values:
    wall = (own["submitted"] - own["opened"]).dt.total_seconds()
    table = own.assign(wall=wall, active=own["active_ms"] / 1000).groupby("annotator_id")
    medians = table.agg(items=("item_id", "nunique"), active=("active", "median"), wall=("wall", "median"))
    return {int(str(pk)): row for pk, row in medians.to_dict("index").items()}


def _gold(study: Study, own: pd.DataFrame) -> _Values:
    """Per annotator: gold items met, and the keys of those not met."""
    judgments = own.loc[own["role"] == Item.Role.GOLD].set_index("judgment_id")["annotator_id"]
    if judgments.empty:
        return {}
    answers = Answer.objects.filter(
        criterion__study=study, judgment__assignment__item__role=Item.Role.GOLD
    ).select_related("criterion", "response", "other", "judgment__assignment__item")
    grouped: dict[int, list[Answer]] = {}
    for answer in answers.order_by("pk"):
        grouped.setdefault(answer.judgment_id, []).append(answer)
    results: _Values = {}
    for judgment, annotator in judgments.items():
        rows = grouped.get(int(str(judgment)), [])
        item = rows[0].judgment.assignment.item if rows else None
        passed = met(item.expected, rows) if item is not None and item.expected else None
        if item is not None and passed is not None:
            right, missed = results.setdefault(int(annotator), ([], []))
            (right if passed else missed).append(item.key)
    return results


def _repeats(rows: pd.DataFrame) -> _Values:
    """Per annotator: answers to repeats compared, equal, and at most one point away."""
    keys = ["annotator_id", "criterion_id", "item", "about"]
    known = rows[rows["asked"].isin(names_of("numeric", "ranks"))].dropna(subset=["value"])
    again = known[known["role"] == Item.Role.REPEAT]
    first = known[known["role"] != Item.Role.REPEAT]
    both = again[[*keys, "value"]].merge(first[[*keys, "value"]], on=keys, suffixes=("", "_first"))
    gap = (both["value"] - both["value_first"]).abs()
    table = both.assign(exact=gap == 0, near=gap <= 1).groupby("annotator_id")
    counts = table.agg(n=("value", "size"), exact=("exact", "sum"), near=("near", "sum"))
    return {int(str(pk)): row for pk, row in counts.to_dict("index").items()}


def _sides(rows: pd.DataFrame) -> _Values:
    """Per annotator: preferences that chose a response, for the first shown; swapped repeats: same response, side."""
    chose = rows[(rows["asked"].isin(names_of("prefers"))) & rows["response_id"].notna()]
    known = [isinstance(s, list) and len(s) == 2 for s in chose["shown"]]
    chose = chose[np.array(known, dtype=bool)]
    first = [s[0] == r for s, r in zip(chose["shown"], chose["response_id"], strict=True)]
    chose = chose.assign(first=np.array(first, dtype=bool))
    keys = ["annotator_id", "criterion_id", "item"]
    columns = [*keys, "first", "response_id", "shown"]
    again = chose.loc[chose["role"] == Item.Role.REPEAT, columns]
    both = again.merge(
        chose.loc[chose["role"] != Item.Role.REPEAT, columns], on=keys, suffixes=("", "_before")
    )
    turned = [a == b[::-1] for a, b in zip(both["shown"], both["shown_before"], strict=True)]
    both = both[np.array(turned, dtype=bool)]
    counts: _Values = {
        int(str(pk)): {"n": len(g), "first": int(g["first"].sum()), "turned": 0, "response": 0, "side": 0}
        for pk, g in chose.groupby("annotator_id")
    }
    for pk, g in both.groupby("annotator_id"):
        counts[int(str(pk))] |= {
            "turned": len(g),
            "response": int((g["response_id"] == g["response_id_before"]).sum()),
            "side": int((g["first"] == g["first_before"]).sum()),
        }
    return counts


def _against_the_rest(rows: pd.DataFrame) -> _Values:
    """Per annotator: own standardized answers and the mean of the others' to the same question."""
    table = rows[rows["asked"].isin(names_of("numeric")) & rows["role"].isin(frames.COUNTED_ROLES)].dropna(
        subset=["value"]
    )
    counted = table[table["counts"]]
    spread = counted.groupby("criterion_id")["value"].agg(["mean", "std"])
    table = table.join(spread[spread["std"] > 0], on="criterion_id", how="inner")
    # Where nothing is left, pandas makes the key the index too, and then can't tell the two apart.
    table = table.reset_index(drop=True)
    table["z"] = (table["value"] - table["mean"]) / table["std"]
    keys = ["criterion_id", "item", "about"]
    sums = table[table["counts"]].groupby(keys)["z"].agg(["sum", "size"])
    table = table.drop(columns=["mean", "std"]).join(sums, on=keys)
    mine = table["counts"].to_numpy(dtype=float)
    others = table["size"].fillna(0) - mine
    table["others"] = (table["sum"].fillna(0) - table["z"] * mine) / others.where(others > 0)
    table = table.dropna(subset=["others"])
    return {
        int(str(pk)): (
            g["z"].to_numpy(),
            g["others"].to_numpy(),
            (g["others"] - g["z"])[g["asked"].isin(names_of("rates"))].to_numpy(),
        )
        for pk, g in table.groupby("annotator_id")
    }


def _same_again(rows: pd.DataFrame) -> _Values:
    """Per annotator: screens with ratings, those answered exactly as the one before, and how many by chance."""
    scaled = rows[rows["asked"].isin(names_of("scaled"))].sort_values(
        ["judgment_id", "criterion_id", "response_id"]
    )
    place = scaled.groupby("judgment_id").cumcount()
    # Each place has a weight of its own: equal sums are equal answers.
    weights = np.random.default_rng(0).random(int(place.max()) + 1 if len(place) else 1)
    marked = scaled.assign(mark=scaled["value"].fillna(-1) * weights[place.to_numpy(dtype=int)])
    columns = {
        "annotator_id": ("annotator_id", "first"),
        "about": ("criterion_id", "min"),
        "submitted": ("submitted", "first"),
        "mark": ("mark", "sum"),
    }
    screens = marked.groupby("judgment_id").agg(**columns).reset_index()
    screens["mark"] = screens["mark"].round(9)
    screens = screens.sort_values(["submitted", "judgment_id"])
    totals: _Values = {}
    for (pk, _), g in screens.groupby(["annotator_id", "about"]):
        marks = g["mark"].to_numpy()
        n, same, expected = totals.get(int(str(pk)), (0, 0, 0.0))
        pairs, shares = len(marks) - 1, np.array(list(Counter(marks).values())) / len(marks)
        equal = int((marks[1:] == marks[:-1]).sum())
        totals[int(str(pk))] = (n + pairs, same + equal, expected + pairs * _by_chance(shares, len(marks)))
    return totals


def _by_chance(shares: np.ndarray[Any, np.dtype[np.float64]], n: int) -> float:
    """Chance that two of n screens in random order have equal answers."""
    return float((shares * (shares * n - 1)).sum() / (n - 1)) if n > 1 else 0.0


def _fast(own: pd.DataFrame) -> _Values:
    """Per annotator: timed items, and those done in under a third of the item's median active time."""
    timed = own.dropna(subset=["active_ms"])
    of_item = timed.groupby("item_id")["active_ms"].transform("median")
    several = timed.groupby("item_id")["active_ms"].transform("size") >= FEW_TIMES
    typical = of_item.where(several, timed.groupby("kind")["active_ms"].transform("median"))
    table = timed.assign(fast=timed["active_ms"] < typical / 3).groupby("annotator_id")["fast"]
    return {int(str(pk)): (int(n), int(k)) for pk, n, k in table.agg(["size", "sum"]).itertuples()}


def _entry(person: Annotator, parts: dict[str, _Values]) -> AnnotatorQuality:
    def part(name: str, otherwise: Any) -> Any:
        return parts[name].get(person.pk, otherwise)

    times = part("times", {})
    right, missed = part("gold", ((), ()))
    again = part("repeats", {"n": 0, "exact": 0, "near": 0})
    side = part("sides", {"n": 0, "first": 0, "turned": 0, "response": 0, "side": 0})
    own, others, strict = part("rest", (np.empty(0), np.empty(0), np.empty(0)))
    n_same, same, expected = part("same", (0, 0, 0.0))
    n_timed, fast = part("fast", (0, 0))
    no_repeats, no_sides = "no repeats yet", "no preferences with known sides yet"
    return AnnotatorQuality(
        annotator=person,
        items=int(times["items"]),
        active_s=_known(times["active"]),
        wall_s=_known(times["wall"]),
        gold_met=len(right),
        gold=len(right) + len(missed),
        gold_missed=tuple(sorted(missed)),
        exact=share(again["exact"], again["n"], no_repeats),
        within_one=share(again["near"], again["n"], no_repeats),
        first_side=share(side["first"], side["n"], no_sides),
        same_response=share(side["response"], side["turned"], "no swapped repeats yet"),
        same_side=share(side["side"], side["turned"], "no swapped repeats yet"),
        rest=correlation(own, others),
        severity=mean_with_interval(strict),
        same_again=share(same, n_same, "fewer than two screens with ratings so far"),
        same_expected=expected / n_same if n_same else None,
        fast=share(fast, n_timed, "no active times"),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def share(hits: int, n: int, why_none: str) -> Estimate:
    """A share with its Wilson interval."""
    if n == 0:
        return Estimate.undefined(why_none, 0)
    low, high = stats.binomtest(hits, n).proportion_ci(method="wilson")
    return Estimate(hits / n, float(low), float(high), n)


def correlation(own: Any, others: Any) -> Estimate:
    """Pearson's correlation with Fisher's interval."""
    n = len(own)
    if n < 3:
        return Estimate.undefined(
            "fewer than three questions that others answered too and that people disagree on", n
        )
    if np.ptp(own) < 1e-12 or np.ptp(others) < 1e-12:
        return Estimate.undefined("the answers do not vary", n)
    pearson = stats.pearsonr(own, others)
    r = float(pearson.statistic)
    if n < 4 or abs(r) > 1 - 1e-12:
        return Estimate(r, None, None, n, "too few questions")
    low, high = pearson.confidence_interval()
    return Estimate(r, float(low), float(high), n)


def mean_with_interval(values: Any) -> Estimate:
    """A mean with Student's interval."""
    n = len(values)
    if n == 0:
        return Estimate.undefined("no ratings of anything that others rated too", 0)
    mean = float(np.mean(values))
    if n < 2:
        return Estimate(mean, None, None, n, "a single rating")
    reach = float(stats.t.ppf(0.975, n - 1) * stats.sem(values))
    return Estimate(mean, mean - reach, mean + reach, n)
