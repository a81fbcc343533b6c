"""The columns of an audit: their names, their scales, and which of them say something of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from judging.stats.estimate import FloatArray, IntArray
from judging.stats.moments import Panel
from judging.stats.sample import centered

TINY = 1e-10


def beside_unusualness(
    covariates: Sequence[str], scorers: Sequence[str], second: str | None = None
) -> tuple[str, ...]:
    """Return the columns between unusualness and the scores, in the order of the moments; refuse a double one."""
    for name, given in (("covariates", covariates), ("scorers", scorers)):
        if isinstance(given, str):
            raise ValueError(f"{name} must be a sequence of names, not the string {given!r}.")  # noqa: TRY004
    beside = (*covariates, *([] if second is None else [second]))
    names = ["unusualness", *beside, *scorers]
    if len(set(names)) != len(names) or {"prompt_id", "response_id"} & set(names):
        raise ValueError(f"covariates must be distinct columns of their own, got {list(covariates)}.")
    return beside


def left_out_words(before: Sequence[str], after: Sequence[str], why: str) -> tuple[str, ...]:
    """Return a note for each covariate that fell out."""
    return tuple(f"Covariate {name} left out: it {why}." for name in before if name not in after)


def pooled_scales(panel: Panel) -> FloatArray:
    """Return the pooled within-prompt SD of each column, 0 for one that is constant up to rounding."""
    within = centered(panel.columns, panel.prompt)
    scale = np.sqrt((within**2).sum(axis=0) / (len(within) - panel.n_prompts))
    return np.where(scale > TINY * np.abs(panel.columns).max(axis=0), scale, 0.0)


def independent_columns(
    columns: FloatArray, prompt: IntArray, names: Sequence[str]
) -> tuple[list[str], str | None]:
    """Return the covariates that say something of their own, and which ones unusualness follows from, if any.

    `columns`, shape (n, 1 + len(names)), hold unusualness and then the covariates.
    """
    within = centered(columns, prompt)
    basis = np.empty((len(within), 0))
    kept: list[int] = []
    for index in range(1, len(names) + 1):
        if _unexplained(within[:, index], basis) > TINY:
            kept.append(index)
            basis = within[:, kept]
    confounded = None
    if _unexplained(within[:, 0], basis) <= TINY:
        confounded = " and ".join(names[index - 1] for index in kept)
    return [names[index - 1] for index in kept], confounded


def _unexplained(column: FloatArray, basis: FloatArray) -> float:
    """Return the share of a column's sum of squares that the basis does not reproduce."""
    if basis.shape[1] == 0:
        return 1.0
    fitted = basis @ np.linalg.lstsq(basis, column, rcond=None)[0]
    return float(((column - fitted) ** 2).sum() / (column**2).sum())
