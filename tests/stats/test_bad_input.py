"""Every public function on input that has no answer: a clear result or a clear error, no warning and no silent NaN.

Warnings are errors in this suite, so none passes unseen.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from judging import stats
from judging.stats.agreement.dawid_skene import dawid_skene
from judging.stats.core.measurement_error import errors_in_variables_slope

Table = NDArray[np.float64]
DOMAIN = [1.0, 2.0, 3.0, 4.0, 5.0]
rng = np.random.default_rng(0)
GOOD = rng.integers(1, 6, (8, 4)).astype(float)
HOLES = np.where(rng.random((8, 4)) < 0.5, np.nan, GOOD)

# Units in rows, annotators in columns.
TABLES: dict[str, Table] = {
    "constant": np.full((8, 4), 3.0),
    "each annotator constant": np.tile([1.0, 2.0, 3.0, 4.0], (8, 1)),
    "each unit constant": np.tile(np.arange(8.0)[:, None] % 5 + 1, (1, 4)),
    "one unit": GOOD[:1],
    "one annotator": GOOD[:, :1],
    "two annotators": GOOD[:, :2],
    "two units": GOOD[:2],
    "one value": np.array([[3.0]]),
    "holes": HOLES,
    "one rating a unit": np.where(np.eye(8, 4) > 0, GOOD, np.nan),
    "nothing": np.full((3, 2), np.nan),
    "empty": np.empty((0, 0)),
    "infinite": np.where(np.eye(8, 4) > 0, np.inf, GOOD),
    "minus infinite": np.where(np.eye(8, 4) > 0, -np.inf, GOOD),
}


def long(table: Table) -> tuple[NDArray[np.int64], NDArray[np.int64], Table]:
    unit, annotator = np.indices(table.shape)
    return unit.ravel(), annotator.ravel(), table.ravel()


def counts(table: Table) -> NDArray[np.int64]:
    unit, _, value = long(table)
    return stats.value_counts(unit, value, DOMAIN)[0]


def grouped(table: Table) -> tuple[Any, ...]:
    """Units as responses of one item."""
    unit, annotator, value = long(table)
    return np.zeros_like(unit), annotator, unit, value


def in_sets(table: Table) -> pd.DataFrame:
    """Units as responses of sets of four."""
    unit, annotator, value = long(table)
    return pd.DataFrame(
        {"item_id": unit // 4, "annotator_id": annotator, "response_id": unit, "value": value}
    )


def compared(table: Table) -> tuple[Any, ...]:
    """Ratings less 3 as preferences between a unit and the next."""
    unit, annotator, value = long(table)
    return annotator, unit, (unit + 1) % max(2, len(table)), value - 3


def chosen(table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    annotator, first, second, preference = compared(table)
    unit, _, value = long(table)
    ratings = pd.DataFrame({"annotator_id": annotator, "response_id": unit, "value": value})
    frame = {"annotator_id": annotator, "first": first, "second": second, "preference": preference}
    return ratings, pd.DataFrame(frame)


def pairs(table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Units as pairs of two prompts; the measures are the first annotator's answers and their squares."""
    unit, annotator, value = long(table)
    answers = pd.DataFrame({"pair_id": unit, "annotator_id": annotator, "value": value})
    one = table[:, 0] if table.size else np.empty(0)
    n = np.arange(len(table))
    frame = {"pair_id": n, "prompt_id": n % 2, "cosine": one, "words": one**2, "unusual": -one}
    return answers, pd.DataFrame(frame)


def voted(table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers less 3 as votes for one response of a pair or the other."""
    answers, units = pairs(table)
    names = {"cosine": "margin", "words": "log_length", "unusual": "unusualness"}
    return answers.assign(value=answers["value"] - 3), units.rename(columns=names)


def audited(table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    unit, annotator, value = long(table)
    ratings = pd.DataFrame(
        {"prompt_id": unit % 2, "response_id": unit, "annotator_id": annotator, "value": value}
    )
    n, one = np.arange(len(table)), table[:, 0] if table.size else np.empty(0)
    frame = {"prompt_id": n % 2, "response_id": n, "score": one, "unusualness": -one, "log_length": one**2}
    return ratings, pd.DataFrame(frame)


def kinds(table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Units as responses of two kinds to two prompts."""
    ratings, responses = audited(table)
    return ratings, responses.assign(group=np.where(responses["response_id"] % 4 < 2, "a", "b"))


def sorted_of(table: Table) -> tuple[NDArray[np.int64], NDArray[np.int64], Table]:
    """Counts of the values, prompts, and the first annotator's answers as a score."""
    return counts(table), np.arange(len(table)) % 2, table[:, 0] - 3 if table.size else np.empty(0)


def weighed(table: Table) -> tuple[Any, ...]:
    """Counts for the first, for the second and for neither, prompts and margins."""
    counted, prompt, score = sorted_of(table)
    return counted[:, 0], counted[:, 4], counted[:, 2], prompt, score


CALLS: dict[str, Callable[[Table], Any]] = {
    "adjusted_rand": lambda t: stats.adjusted_rand(*grouped(t)),
    "agreement_weights": lambda t: stats.agreement_weights(np.unique(t).tolist(), "quadratic"),
    "benjamini_hochberg": lambda t: stats.benjamini_hochberg(t.ravel() / 5),
    "bradley_terry": lambda t: stats.bradley_terry(*compared(t)[1:]),
    "brennan_prediger": lambda t: stats.brennan_prediger(counts(t), DOMAIN),
    "choice_consistency": lambda t: stats.choice_consistency(*chosen(t)),
    "co_membership": lambda t: stats.co_membership(*grouped(t)),
    "cohen_kappa": lambda t: stats.cohen_kappa(t.T[0], t.T[-1], DOMAIN),
    "conger_kappa": lambda t: stats.conger_kappa(*long(t), DOMAIN),
    "dawid_skene": lambda t: dawid_skene(*long(t), DOMAIN),
    "describe_annotators": lambda t: stats.describe_annotators(*long(t), DOMAIN),
    "describe_items": lambda t: stats.describe_items(long(t)[0], long(t)[2], DOMAIN),
    "errors_in_variables_slope": lambda t: errors_in_variables_slope(t.T[0], t.T[-1], 0.1),
    "fleiss_kappa": lambda t: stats.fleiss_kappa(counts(t), DOMAIN),
    "group_contrasts": lambda t: stats.group_contrasts(*kinds(t)),
    "gwet_ac": lambda t: stats.gwet_ac(counts(t), DOMAIN, "quadratic"),
    "human_similarity": lambda t: stats.human_similarity(
        *pairs(t), "cosine", lexical=["words"], resamples=20
    ),
    "icc": lambda t: [stats.icc(t, kind) for kind in get_args(stats.IccKind)],
    "kendall_w": lambda t: stats.kendall_w(t),
    "kendall_w_of_sets": lambda t: stats.kendall_w_of_sets(*grouped(t)),
    "krippendorff_alpha": lambda t: [
        stats.krippendorff_alpha(counts(t), DOMAIN, level) for level in get_args(stats.Level)
    ],
    "krippendorff_alpha_new_annotators": lambda t: stats.krippendorff_alpha_new_annotators(
        *long(t), DOMAIN, "interval", resamples=50
    ),
    "length_ratio": lambda t: stats.length_ratio([""] * len(t), ["a"] * len(t)),
    "held_out_control": lambda t: stats.held_out_control(*audited(t), rng=np.random.default_rng(0)),
    "pigeonhole": lambda t: stats.pigeonhole(*audited(t), ["score"], rng=np.random.default_rng(0)),
    "split_instruments": lambda t: stats.split_instruments(
        *audited(t), ["score"], rng=np.random.default_rng(0)
    ),
    "matched_pairs": lambda t: stats.matched_pairs(*audited(t)),
    "divisive_slopes": lambda t: stats.divisive_slopes(*audited(t), rng=np.random.default_rng(0)),
    "false_negatives": lambda t: stats.false_negatives(*audited(t)),
    "most_underrated": lambda t: stats.most_underrated(*audited(t)),
    "pair_calibration": lambda t: stats.pair_calibration(*weighed(t), resamples=20),
    "position_bias": lambda t: stats.position_bias(t.T[0], t.T[-1], np.arange(len(t)) % 2),
    "replicate_preferences": lambda t: stats.replicate_preferences(*sorted_of(t), draws=10),
    "replicate_ratings": lambda t: stats.replicate_ratings(
        sorted_of(t)[0], DOMAIN, *sorted_of(t)[1:], draws=10
    ),
    "verbosity": lambda t: stats.verbosity(
        t.T[0] - 3, t.T[-1] / 5, np.arange(len(t)) * 40.0, np.zeros(len(t)), np.arange(len(t)) % 2
    ),
    "one_way_icc": lambda t: stats.one_way_icc(long(t)[0], long(t)[2], k=3),
    "percent_agreement": lambda t: stats.percent_agreement(counts(t)),
    "percent_agreement_new_annotators": lambda t: stats.percent_agreement_new_annotators(
        *long(t), DOMAIN, resamples=50
    ),
    "preference_underrating": lambda t: stats.preference_underrating(*voted(t)),
    "raters_needed": lambda t: stats.raters_needed(*long(t), DOMAIN, "interval", resamples=20),
    "reliability_of_mean": lambda t: stats.reliability_of_mean(*long(t)),
    "set_ranks": lambda t: stats.set_ranks(in_sets(t), best_first=True),
    "scott_pi": lambda t: stats.scott_pi(t.T[0], t.T[-1], DOMAIN),
    "similarity_calibration": lambda t: stats.similarity_calibration(
        *pairs(t), "cosine", unusualness="unusual", resamples=10
    ),
    "similarity_difference": lambda t: stats.similarity_difference(
        *pairs(t), "cosine", "unusual", resamples=20
    ),
    "token_jaccard": lambda t: stats.token_jaccard(["one two"] * len(t), ["two"] * len(t)),
    "transitivity": lambda t: stats.transitivity(*compared(t)),
    "underrating": lambda t: stats.underrating(*audited(t)),
    "unusualness": lambda t: stats.unusualness(t, np.zeros(len(t))),
    "value_counts": lambda t: stats.value_counts(long(t)[0], long(t)[2], DOMAIN),
    "variance_components": lambda t: stats.variance_components(*long(t)).dependability(3, absolute=True),
    "weighted_alpha": lambda t: stats.weighted_alpha(counts(t), DOMAIN, "linear"),
}
FUNCTIONS = {n for n in stats.__all__ if inspect.isfunction(getattr(stats, n))} | {
    "dawid_skene",
    "errors_in_variables_slope",
}
# Not tried here: what takes texts, vectors, files of the study's shape, or further frames of the audit.
ELSEWHERE = {
    "corroborated",
    "pair_similarity",
    "best_threshold",
    "cluster_unusualness",
    "compression_ratio",
    "correlation",
    "cosine_matrix",
    "cross_rater_moments",
    "ideas",
    "lexical_unusualness",
    "means_over_prompts",
    "means_within",
    "neighbor_unusualness",
    "overlap",
    "pair_subsets",
    "simulated_study",
    "perceived_unusualness",
    "prompt_similarity",
    "random_pairs",
    "range_restricted",
    "rarefied_count",
    "rarefied_vendi",
    "rated_unusualness",
    "rating_subsets",
    "restriction_null",
    "score_gaps",
    "source_codes",
    "source_matrix",
    "trend",
    "underratings",
    "words_of",
}
# Arrays and columns in which NaN is a documented answer: what it means stands in the docstring.
SAID_NAN = {
    "benjamini_hochberg", "bradley_terry", "dawid_skene", "describe_annotators", "describe_items",
    "raters_needed", "similarity_calibration", "unusualness",
}  # fmt: skip


def unsaid(found: Any, name: str) -> list[str]:
    """Numbers of a result that are no numbers, and nobody says so."""
    if isinstance(found, float) and not np.isfinite(found):
        return [repr(found)]
    if isinstance(found, stats.Estimate):
        missing = found.estimate is None or found.low is None
        return [] if not missing or found.reason else ["undefined without a reason"]
    if isinstance(found, np.ndarray) and found.dtype.kind == "f" and name not in SAID_NAN:
        return [] if np.isfinite(found).all() else ["NaN in an array"]
    if isinstance(found, pd.DataFrame) and name not in SAID_NAN:
        return unsaid(found.select_dtypes("number").to_numpy(dtype=float), name)
    if is_dataclass(found):
        return [f"{f.name}: {x}" for f in fields(found) for x in unsaid(getattr(found, f.name), name)]
    if isinstance(found, (list, tuple)):
        return [x for part in found for x in unsaid(part, name)]
    return []


def test_every_function_is_tried() -> None:
    assert set(CALLS) <= FUNCTIONS
    assert sorted(FUNCTIONS - set(CALLS) - ELSEWHERE) == []


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("table", TABLES)
def test_a_clear_result_or_a_clear_error(name: str, table: str) -> None:
    try:
        found = CALLS[name](TABLES[table])
    except ValueError as error:
        assert len(str(error)) > 10, "an error says what is wrong"  # noqa: PT017
        assert "broadcast" not in str(error), "numpy's own words help nobody"  # noqa: PT017
        return
    except IndexError:
        assert table == "empty", "there is no first column to call it with"
        return
    assert unsaid(found, name) == []


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"agreement_weights", "length_ratio", "token_jaccard"}))
@pytest.mark.parametrize("table", ["infinite", "minus infinite"])
def test_infinity_is_refused(name: str, table: str) -> None:
    """Except where it can stand for nothing: a preference has a sign only."""
    if name in ("bradley_terry", "transitivity", "co_membership", "adjusted_rand"):
        pytest.skip("only the sign or the equality of a value counts")
    with pytest.raises(ValueError, match=r"infinite|finite|outside|NaN|between|number|probabilit|positive"):
        CALLS[name](TABLES[table])
