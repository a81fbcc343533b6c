"""The columns of an audit: their names, their scales, and which of them say something of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from judging.stats.core.estimate import FloatArray, IntArray
from judging.stats.core.panel import Panel
from judging.stats.core.sample import Sample, centered, why_undefined

TINY = 1e-10

NOISE = 1e-13
"""Variation that rounding leaves in a constant, as a share of its size."""

VARIED = 5
"""Prompts in which a covariate must vary, or all where there are fewer: else a text or two decide what it does."""


def beside_unusualness(
    covariates: Sequence[str], scorers: Sequence[str], second: str | None = None
) -> tuple[str, ...]:
    """Return the columns between unusualness and the scores, in the order of the moments; refuse a double one."""
    for name, listed in (("covariates", covariates), ("scorers", scorers)):
        if isinstance(listed, str):
            raise ValueError(f"{name} must be a sequence of names, not the string {listed!r}.")  # noqa: TRY004
    beside = (*covariates, *([] if second is None else [second]))
    names = ["unusualness", *beside, *scorers]
    if len(set(names)) != len(names) or {"prompt_id", "response_id"} & set(names):
        raise ValueError(f"covariates must be distinct columns of their own, got {list(covariates)}.")
    return beside


def _left_out(before: Sequence[str], after: Sequence[str], why: str) -> tuple[str, ...]:
    """Return a note for each covariate that fell out."""
    return tuple(f"Covariate {name} left out: it {why}." for name in before if name not in after)


def pooled_scales(panel: Panel) -> FloatArray:
    """Return the pooled within-prompt SD of each column, 0 for one that is constant up to rounding.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    ndarray, shape (F,)
        In the units of the columns.
    """
    within = centered(panel.columns, panel.prompt)
    scale = np.sqrt((within**2).sum(axis=0) / (len(within) - panel.n_prompts))
    return np.where(scale > NOISE * np.abs(panel.columns).max(axis=0), scale, 0.0)


def _independent(columns: FloatArray, prompt: IntArray, names: Sequence[str]) -> tuple[list[str], str | None]:
    """Return the covariates that say something of their own, and which ones unusualness follows from, if any.

    `columns`, shape (n, 1 + len(names)), hold unusualness and then the covariates.
    """
    within = centered(columns, prompt)
    basis = np.empty((len(within), 0))
    independent: list[int] = []
    for index in range(1, len(names) + 1):
        if _unexplained(within[:, index], basis) > TINY:
            independent.append(index)
            basis = within[:, independent]
    confounded = None
    if _unexplained(within[:, 0], basis) <= TINY:
        confounded = " and ".join(names[index - 1] for index in independent)
    return [names[index - 1] for index in independent], confounded


def prompts_varied(column: FloatArray, prompt: IntArray) -> int:
    """Return in how many prompts a column, in within-prompt SDs, varies."""
    within = centered(column, prompt)
    return int((np.bincount(prompt, within**2) > TINY).sum())


def regular_covariates(parts: Sequence[FloatArray], count: int) -> list[int]:
    """Return the covariates that say something of their own in every replicate, by their place.

    Parameters
    ----------
    parts : sequence of ndarray, shape (R, D, D) each
        Moments of quality, unusualness, covariates and more.
    count : int
        Number of covariates.

    Returns
    -------
    list of int
        Each left out that in some replicate is what unusualness and the ones before it make of it.
    """
    kept: list[int] = []
    for index in range(count):
        block = [1, *(2 + i for i in kept)]
        if all(_own_share(part, block, 2 + index) > TINY for part in parts):
            kept.append(index)
    return kept


def _own_share(moments: FloatArray, block: Sequence[int], at: int) -> float:
    """Return the least share of a column's square, over replicates, that a block of others leaves."""
    square = moments[:, at, at]
    inner = moments[:, block][:, :, block]
    size = np.sqrt(np.diagonal(inner, axis1=1, axis2=2))
    size = np.where(size > 0, size, 1.0)
    unit = inner / (size[:, :, None] * size[:, None, :])
    # Where the block itself is singular it is not this column's fault.
    regular = np.abs(np.linalg.det(unit)) > TINY
    unit = np.where(regular[:, None, None], unit, np.eye(len(block)))
    side = moments[:, block, at] / size
    left = square - (side * np.linalg.solve(unit, side[..., None])[..., 0]).sum(axis=1)
    share = np.divide(left, square, out=np.zeros_like(left), where=square > TINY)
    return float(np.where(regular, share, 1.0).min())


def _unexplained(column: FloatArray, basis: FloatArray) -> float:
    """Return the share of a column's sum of squares that the basis does not reproduce."""
    if basis.shape[1] == 0:
        return 1.0
    fitted = basis @ np.linalg.lstsq(basis, column, rcond=None)[0]
    return float(((column - fitted) ** 2).sum() / (column**2).sum())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A panel in unit scales with the columns that can be told apart, or why there is none.

    Parameters
    ----------
    panel : Panel or None
        Unusualness, covariates, the second measure if there is one, and the scorers that vary; each column has
        unit pooled within-prompt SD, the ratings unit SD.
    covariates : tuple of str
        Those that were kept.
    scales : mapping of str to float
        Pooled within-prompt SD of each scorer that varies, in the order of the panel.
    spread : float
        SD of the ratings.
    notes : tuple of str
        Which covariates fell out, and why.
    why_not : str
        Why there is no panel.
    """

    panel: Panel | None
    covariates: tuple[str, ...] = ()
    scales: dict[str, float] | None = None
    spread: float = 1.0
    notes: tuple[str, ...] = ()
    why_not: str = ""

    def with_covariates(self, kept: Sequence[int]) -> Prepared:
        """Return the same with some of the covariates, by their place."""
        if self.panel is None:
            return self
        lost = [name for i, name in enumerate(self.covariates) if i not in kept]
        at = [0, *(1 + i for i in kept), *range(1 + len(self.covariates), self.panel.columns.shape[1])]
        notes = self.notes + _left_out(
            lost, (), "says nothing of its own without one of the prompts or annotators"
        )
        panel = replace(self.panel, columns=self.panel.columns[:, at])
        return replace(self, panel=panel, covariates=tuple(self.covariates[i] for i in kept), notes=notes)

    @property
    def n_beside(self) -> int:
        """Number of columns before the first scorer."""
        if self.panel is None or self.scales is None:
            return 0
        return int(self.panel.columns.shape[1]) - len(self.scales)


def prepared(
    sample: Sample, covariates: Sequence[str], scorers: Sequence[str], second: str | None = None
) -> Prepared:
    """Return the sample in unit scales, without columns that do not vary or follow from others."""
    why_not = why_undefined(sample)
    if why_not:
        return Prepared(None, why_not=why_not)
    scales = pooled_scales(sample.panel)
    first = 1 + len(covariates)
    if (scales[[0] if second is None else [0, first]] == 0).any():
        return Prepared(None, why_not="Unusualness does not vary between the responses to a prompt.")
    # The slope does not depend on the ratings' units; unit spread keeps sums of fourth powers in range.
    spread = float(sample.panel.value.std())
    if np.ptp(sample.panel.value) == 0:
        return Prepared(None, why_not="All ratings are the same, so they say nothing about quality.")
    columns = sample.panel.columns / np.where(scales > 0, scales, 1.0)
    place = {name: 1 + i for i, name in enumerate(covariates)}
    varied = [name for name in covariates if scales[place[name]] > 0]
    needed = min(VARIED, sample.panel.n_prompts)
    counts = {name: prompts_varied(columns[:, place[name]], sample.panel.prompt) for name in varied}
    common = [name for name in varied if counts[name] >= needed]
    independent, confounded = _independent(
        columns[:, [0, *(place[n] for n in common)]], sample.panel.prompt, common
    )
    notes = _left_out(covariates, varied, "does not vary within prompts")
    for name in varied:
        why = f"varies in {counts[name]} of {sample.panel.n_prompts} prompts, and {needed} are needed"
        notes += _left_out([name], common, why)
    notes += _left_out(common, independent, "follows from the other covariates")
    if confounded:
        words = f"Unusualness and {confounded} rise and fall together; nothing can tell them apart."
        return Prepared(None, notes=notes, why_not=words)
    at_score = first if second is None else first + 1
    own = {name: at_score + i for i, name in enumerate(scorers) if scales[at_score + i] > 0}
    chosen = [0, *(place[n] for n in independent), *range(first, at_score), *own.values()]
    value = (sample.panel.value - sample.panel.value.mean()) / spread
    panel = replace(sample.panel, columns=columns[:, chosen], value=value)
    return Prepared(panel, tuple(independent), {n: float(scales[i]) for n, i in own.items()}, spread, notes)
