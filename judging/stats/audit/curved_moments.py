"""Moments beyond straight lines: sums over products of up to four different annotators, for every replicate at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from judging.stats.audit.different_annotators import different_annotators
from judging.stats.audit.moments import replicates_of
from judging.stats.core import panel as panels
from judging.stats.core.estimate import BoolArray, FloatArray
from judging.stats.core.panel import Batch, Cells, Panel, batches

Powers = tuple[FloatArray, FloatArray, FloatArray, FloatArray]

QUARTIC = 4
"""Ratings of a response that the square of its quality needs beside itself: e_4 takes four different annotators."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over the responses of prompts; they add up over prompts.

    Parameters
    ----------
    common : ndarray, shape (..., 6)
        Of q^2, of (q^2)^2 less their mean's square, of q^2 q, of (q u)^2 less their mean's square, of q^2 (q u) less
        the product of their means, and of responses less one.
    own : ndarray, shape (..., F, 7)
        For each column x, unusualness u first: of q x, u x, x x, (q u) x and q^2 x; the prompt's determinant
        [A_qq (u x) - (A_uq x q)] / (K - 1), products of different annotators; and its first term alone.
    """

    common: FloatArray
    own: FloatArray

    def total(self) -> Sums:
        """Return the sums over the first axis."""
        return Sums(self.common.sum(axis=0), self.own.sum(axis=0))

    def of_score(self, scorer: int) -> Sums:
        """Return the sums of unusualness and one score."""
        return Sums(self.common, self.own[..., [0, 1 + scorer], :])

    def with_scale(self, scorer: int, scale: FloatArray) -> Sums:
        """Return the sums with one score in other units."""
        own = self.own.copy()
        own[..., 1 + scorer, :] /= scale[..., None]
        own[..., 1 + scorer, 2] /= scale
        return Sums(self.common, own)

    def less_shared_error(self, share: float) -> Sums:
        """Return the sums when a share of the variance of quality is error common to all annotators.

        Of variance s V where quality seems to have V: then A_qq is (1 - s) of what it seems, and, for a normal error,
        (q^2)^2 seems larger by 4 s (1 - s) V^2 + 2 s^2 V^2 a response.
        """
        common, own = self.common.copy(), self.own.copy()
        square, df = self.common[..., 0], self.common[..., 5]
        common[..., 0] *= 1 - share
        common[..., 1] -= (4 * share * (1 - share) + 2 * share**2) * square**2 / np.maximum(df, 1)
        own[..., 5] -= share * own[..., 6]
        return Sums(common, own)


@dataclass(frozen=True, slots=True)
class CurvedMoments:
    """Sums of all data, and without one prompt, one annotator, one cell.

    Parameters
    ----------
    whole : Sums
        Shapes (6,) and (F, 7).
    parts : tuple of Sums
        Shapes (P or M or C, 6) and (P or M or C, F, 7).
    """

    whole: Sums
    parts: tuple[Sums, Sums, Sums]

    def with_scale(self, scorer: int, scales: Sequence[FloatArray]) -> CurvedMoments:
        """Return the same with one score in other units in every replicate, shapes (P,), (M,) and (C,)."""
        one, two, three = (
            sums.with_scale(scorer, scale) for sums, scale in zip(self.parts, scales, strict=True)
        )
        return CurvedMoments(self.whole, (one, two, three))


def curved_moments(panel: Panel, least: int = 2) -> CurvedMoments:
    """Return the sums of a panel whose first column is unusualness and whose others are scores.

    Parameters
    ----------
    panel : Panel
        Columns of about unit SD, what covariates account for taken out of columns and ratings.
    least : int
        Ratings a response needs to count, 2 or more. Products of three and four annotators are 0 where there are fewer.

    Returns
    -------
    CurvedMoments

    Notes
    -----
    Let q be the quality of a response, centered within its prompt. Where every annotator of a prompt rated all its
    responses, ratings are centered by each annotator's mean over them, and q^r is e_r / C(n, r): the mean product of r
    different annotators, e_r the elementary symmetric function of a response's n ratings.

    In any other prompt ratings are centered by the mean of response means, q^2 is the diagonal of H B H with B of
    `cross_rater_moments` and H = I - 1/K, and since the mean itself errs by a variance d = sum(B) / K^2, products of
    three and four annotators are corrected: e_3 / C(n, 3) - 3 d q and e_4 / C(n, 4) - 6 d q^2 - 3 d^2.
    (A_uq x q) is u' B x with u and x centered.

    References
    ----------
    judging/stats/README.md, section 4.6 (a) and (b).
    """
    cells = Cells.of(panel)
    n_columns = panel.columns.shape[1]
    prompt = Sums(np.zeros((panel.n_prompts, 6)), np.zeros((panel.n_prompts, n_columns, 7)))
    left = Sums(np.zeros((len(cells.prompt), 6)), np.zeros((len(cells.prompt), n_columns, 7)))
    for batch in batches(panel, cells):
        sums = _of_batch(batch, least)
        prompt.common[batch.prompts], prompt.own[batch.prompts] = sums.common[:, 0], sums.own[:, 0]
        left.common[batch.cells], left.own[batch.cells] = (
            sums.common[batch.version],
            sums.own[batch.version],
        )
    where = (cells.prompt, cells.annotator, panel.cluster)
    common = replicates_of(prompt.common, left.common, *where)
    own = replicates_of(prompt.own, left.own, *where)
    one, two, three = (Sums(a, b) for a, b in zip(common, own, strict=True))
    return CurvedMoments(prompt.total(), (one, two, three))


def _of_batch(batch: Batch, least: int) -> Sums:
    """Return the sums of each prompt, whole and without each annotator: shapes (B, 1 + J, ...)."""
    rated = batch.given.max(axis=1)
    expected = batch.present[:, :, None] * rated[:, None, :]
    full: BoolArray = np.asarray((batch.given == expected).all(axis=(1, 2)))
    n_prompts, _, crowd = batch.ratings.shape
    sums = Sums(
        np.zeros((n_prompts, 1 + crowd, 6)), np.zeros((n_prompts, 1 + crowd, batch.columns.shape[2], 7))
    )
    if full.any():
        part = _complete(_some(batch, full), least)
        sums.common[full], sums.own[full] = part.common, part.own
    if not full.all():
        some = _some(batch, ~full)
        # As many versions at a time as a processor's cache holds products of all pairs of responses for.
        step = max(1, panels.BUDGET // (len(some.ratings) * some.ratings.shape[1] ** 2))
        for low in range(0, 1 + crowd, step):
            part = _incomplete(some, least, slice(low, low + step))
            sums.common[~full, low : low + step], sums.own[~full, low : low + step] = part.common, part.own
    return sums


def _some(batch: Batch, chosen: BoolArray) -> Batch:
    """Return the arrays of some prompts of a batch."""
    return replace(
        batch, ratings=batch.ratings[chosen], given=batch.given[chosen], columns=batch.columns[chosen],
        present=batch.present[chosen],
    )  # fmt: skip


def _complete(batch: Batch, least: int) -> Sums:
    """Return the sums of prompts in which every annotator rated everything."""
    present, size = batch.present[:, None], batch.present.sum(axis=1)
    z = (batch.ratings - batch.ratings.sum(axis=1, keepdims=True) / size[:, None, None]) * batch.given
    columns = _centered(batch.columns[:, None], present)
    away = _versions_without(z)
    rated = batch.given.max(axis=1)
    n = _whole_and_without(rated.sum(axis=1, keepdims=True), rated)
    products = _mean_products(_power_sums(z, away), np.broadcast_to(n[..., None], away.shape))
    by_annotator = z.transpose(0, 2, 1) @ columns[:, 0]
    unusual = by_annotator[..., :1]
    one, x, both = (_left_over(a) for a in (unusual, by_annotator, unusual * by_annotator))
    crossed = _ratio(one * x - both, (n * (n - 1))[..., None])
    stays = np.broadcast_to(present & (n >= least)[..., None], away.shape)
    return _sums(products, crossed, columns, stays)


def _incomplete(batch: Batch, least: int, versions: slice) -> Sums:
    """Return the sums of some versions of prompts with any assignment."""
    away_r = _versions_without(batch.given)[:, versions]
    n = batch.given.sum(axis=2)[:, None] - away_r
    # Any constant near the mean will do here: it keeps the shifts below free of cancellation.
    level = batch.ratings.sum(axis=(1, 2)) / batch.given.sum(axis=(1, 2))
    ratings = (batch.ratings - level[:, None, None]) * batch.given
    away_y = _versions_without(ratings)[:, versions]
    power = _power_sums(ratings, away_y)
    stays: BoolArray = np.asarray(batch.present[:, None] & (n >= least))
    kept = np.maximum(stays.sum(axis=2, keepdims=True), 1)
    shift = _ratio(power[0] * stays, n).sum(axis=2, keepdims=True) / kept
    between = different_annotators(ratings, batch.given, (away_y, away_r), stays, shift)
    row, whole = between.sum(axis=3) / kept, between.sum(axis=(2, 3))[..., None] / kept**2
    square = np.diagonal(between, axis1=2, axis2=3) - 2 * row + whole
    _, second, third, fourth = _shifted(power, n, shift)
    mean = _ratio(power[0], n) - shift
    _, _, e3, e4 = _mean_products((power[0] - n * shift, second, third, fourth), n)
    columns = _centered(batch.columns[:, None], stays)
    crossed = ((columns[..., :1].swapaxes(-1, -2) @ between) @ columns)[..., 0, :]
    return _sums(
        (mean, square, e3 - 3 * whole * mean, e4 - 6 * whole * square - 3 * whole**2), crossed, columns, stays
    )


def _power_sums(table: FloatArray, away: FloatArray) -> Powers:
    """Return the sums over annotators of powers 1 to 4, shape (B, V, K), without what each version leaves out."""
    square, less = table * table, away * away
    pairs = ((table, away), (square, less), (square * table, less * away), (square * square, less * less))
    one, two, three, four = (whole.sum(axis=2)[:, None] - part for whole, part in pairs)
    return one, two, three, four


def _shifted(power: Powers, n: FloatArray, c: FloatArray) -> Powers:
    """Return the sums of powers of ratings less c."""
    s1, s2, s3, s4 = power
    return (
        s1 - n * c,
        s2 - 2 * c * s1 + n * c**2,
        s3 - 3 * c * s2 + 3 * c**2 * s1 - n * c**3,
        s4 - 4 * c * s3 + 6 * c**2 * s2 - 4 * c**3 * s1 + n * c**4,
    )


def _mean_products(power: Powers, n: FloatArray) -> Powers:
    """Return the mean products of one to four different ratings from sums of their powers; 0 where too few."""
    s1, s2, s3, s4 = power
    square, pairs, triples = s1 * s1, n * (n - 1), n * (n - 1) * (n - 2)
    return (
        _ratio(s1, n),
        _ratio(square - s2, pairs),
        _ratio(s1 * (square - 3 * s2) + 2 * s3, triples),
        _ratio(square * (square - 6 * s2) + 3 * s2 * s2 + 8 * s1 * s3 - 6 * s4, triples * (n - 3)),
    )


def _sums(products: Powers, crossed: FloatArray, columns: FloatArray, stays: BoolArray) -> Sums:
    """Return the sums from mean products q to q^4, shape (B, V, K), and centered columns, shape (B, 1 or V, K, F)."""
    q, q2, q3, q4 = (np.where(stays, p, 0.0)[..., None, :] for p in products)
    u = columns[..., 0][..., None, :]
    size = stays.sum(axis=2)
    kept, df = np.maximum(size, 1), np.maximum(size - 1, 0)

    def along(weight: FloatArray) -> FloatArray:
        return np.asarray((weight @ columns)[..., 0, :])

    qx, wx, sx = along(q), along(q * u), along(q2)
    ux, xx = along(u), (columns**2).sum(axis=2)
    square = q2[..., 0, :].sum(axis=2)
    first = _ratio(square[..., None] * ux, df[..., None])
    det = first - _ratio(crossed, df[..., None])
    # Only in the whole and where nothing dropped out are columns without versions.
    shape = qx.shape
    own = np.stack([qx, np.broadcast_to(ux, shape), np.broadcast_to(xx, shape), wx, sx, det, first], axis=-1)
    alive = (size > 1)[..., None]
    common = np.stack(
        [
            square,
            q4[..., 0, :].sum(axis=2) - square**2 / kept,
            q3[..., 0, :].sum(axis=2),
            (q2 * u * u)[..., 0, :].sum(axis=2) - crossed[..., 0] / kept,
            (q3 * u)[..., 0, :].sum(axis=2) - square * qx[..., 0] / kept,
            df.astype(np.float64),
        ],
        axis=-1,
    )
    return Sums(np.where(alive, common, 0.0), np.where(alive[..., None], own, 0.0))


def _centered(columns: FloatArray, stays: BoolArray) -> FloatArray:
    """Return columns, shape (B, 1, K, F), less their mean over the responses that stay, shape (B, 1 or V, K)."""
    kept = np.maximum(stays.sum(axis=2), 1)[..., None, None]
    masked = np.where(stays[..., None], columns, 0.0)
    return np.asarray(np.where(stays[..., None], masked - masked.sum(axis=2, keepdims=True) / kept, 0.0))


def _versions_without(table: FloatArray) -> FloatArray:
    """Return what each version leaves out of a table, shape (B, K, J): nothing, then each annotator, (B, 1 + J, K)."""
    none = np.zeros((len(table), 1, table.shape[1]))
    return np.concatenate([none, table.transpose(0, 2, 1)], axis=1)


def _whole_and_without(whole: FloatArray, parts: FloatArray) -> FloatArray:
    """Return a total, shape (B, 1), and the total without each part, shape (B, J)."""
    return np.concatenate([whole, whole - parts], axis=1)


def _left_over(by_annotator: FloatArray) -> FloatArray:
    """Return the sums over annotators, shape (B, J, F), of all and without each: (B, 1 + J, F)."""
    total = by_annotator.sum(axis=1, keepdims=True)
    return np.concatenate([total, total - by_annotator], axis=1)


def _ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Return a quotient, 0 where the denominator is not positive."""
    bottom = np.broadcast_to(bottom, np.broadcast_shapes(top.shape, bottom.shape))
    return np.divide(top, bottom, out=np.zeros(bottom.shape), where=bottom > 0)
