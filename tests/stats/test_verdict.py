"""The rule that turns the slopes of an audit into a verdict."""

from dataclasses import replace
from typing import Any

import pytest

from judging.stats import Estimate, Underrating, Verdict, underrating
from judging.stats.audit.verdict import rule
from tests.stats.simulation import simulate


def slope(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 9)


def ruled(
    ends: tuple[float, float] | None, detectable: float = 0.2, *, can_acquit: bool = True, **shapes: Estimate
) -> Underrating:
    """Return the result with the verdict on a pooled interval; other slopes hold zero, or are as given."""
    base = underrating(*simulate(3, prompts=6, size=5, seats=4, annotators=7, noise=0.8))
    nothing = {
        name: slope(-0.1, 0.1)
        for name in ("by_prompt", "curved", "good", "interaction", "curved_good", "curved_interaction")
    }
    nothing |= {"curvature": slope(-1, 1), "prompts": slope(-1, 1)}
    own = replace(base.shapes, **(nothing | shapes))
    scope = replace(base, decisive=ends, smallest_detectable=detectable, shapes=own)
    verdict, good_alone = rule(scope, can_acquit=can_acquit)
    return replace(scope, verdict=verdict, good_alone=good_alone)


@pytest.mark.parametrize(
    ("low", "high", "detectable", "verdict", "text"),
    [
        (0.01, 0.5, 0.3, Verdict.UNDERRATES, "underrates"),
        (-0.5, -0.01, 0.3, Verdict.OVERRATES, "overrates"),
        (-0.1, 0.2, 0.2301, Verdict.NO_UNDERRATING, "no underrating of 0.24 or more"),
        (-0.1, 0.26, 0.2301, Verdict.NO_UNDERRATING, "no underrating of 0.26 or more"),
        (-0.1, 0.31, 0.2, Verdict.UNDERPOWERED, "underpowered"),
        (-0.1, 0.2, 0.31, Verdict.UNDERPOWERED, "underpowered"),
    ],
)
def test_verdict_rule(low: float, high: float, detectable: float, verdict: Verdict, text: str) -> None:
    side = slope(low, high) if low * high > 0 else slope(-0.1, 0.1)
    result = ruled((low, high), detectable, by_prompt=side, curved=side)
    assert (result.verdict, result.verdict_text) == (verdict, text)
    if verdict is Verdict.NO_UNDERRATING:
        assert ruled((low, high), detectable, can_acquit=False).verdict is Verdict.UNDERPOWERED
        assert ruled((low, high), detectable, by_prompt=slope(-0.1, 0.4)).verdict is Verdict.UNDERPOWERED
    assert ruled(None, detectable).verdict is Verdict.CANT_TELL


def test_slopes_of_other_shapes_must_agree_where_they_are_defined() -> None:
    up, undefined = slope(0.1, 0.3), Estimate.undefined("too few ratings", 9)
    assert ruled((0.1, 0.3), by_prompt=up, curved=up).verdict is Verdict.UNDERRATES
    assert ruled((0.1, 0.3), by_prompt=up, curved=undefined).verdict is Verdict.UNDERRATES
    assert ruled((0.1, 0.3), by_prompt=up).verdict is Verdict.DEPENDS
    assert ruled((-0.1, 0.1), curved=up).verdict is Verdict.DEPENDS
    assert ruled((-0.3, -0.1), by_prompt=up, curved=slope(-0.3, -0.1)).verdict is Verdict.DEPENDS
    curved = ruled((0.1, 0.3), by_prompt=up)
    assert curved.flags == ()
    assert replace(curved, shapes=replace(curved.shapes, curvature=up)).flags == ("curvature",)


def test_good_unusual_answers_may_be_underrated_alone() -> None:
    up = slope(0.1, 0.5)
    rise: dict[str, Any] = {"interaction": up, "curved_interaction": slope(0.01, 0.5)}
    result = ruled((-0.1, 0.1), good=up, curved_good=slope(-0.1, 0.5), **rise)
    assert (result.verdict, result.good_alone) == (Verdict.UNDERRATES, True)
    assert result.verdict_text == "underrates good unusual answers"
    assert ruled((-0.1, 0.1)).verdict is Verdict.NO_UNDERRATING
    # A curve alone makes good answers differ from bad ones.
    # Nor is a scorer acquitted that may well underrate good answers.
    assert ruled((-0.1, 0.1), good=up, **rise).verdict is Verdict.UNDERPOWERED
    # Bounds are one-sided, of the rise beside a curve and among good answers; the rise itself is two-sided.
    nearly = slope(-0.02, 0.5)
    assert ruled(
        (-0.1, 0.1), good=nearly, curved_good=up, interaction=up, curved_interaction=nearly
    ).good_alone
    for less in (
        {"interaction": nearly},
        {"curved_interaction": slope(-0.1, 0.5)},
        {"good": slope(-0.1, 0.5)},
    ):
        shapes: dict[str, Any] = {"good": up, "curved_good": up} | rise | less
        assert not ruled((-0.1, 0.1), **shapes).good_alone
    # It is why other slopes part, and says nothing where all unusual answers are underrated.
    assert ruled((-0.1, 0.1), good=up, curved_good=up, curved=up, **rise).good_alone
    assert ruled((0.1, 0.3), good=up, curved_good=up, **rise).verdict is Verdict.DEPENDS
    # Where nothing is known of a curve the whole interval must lie above zero.
    unknown = Estimate.undefined("too few ratings", 9)
    beside: dict[str, Any] = {"interaction": up, "curved_good": unknown, "curved_interaction": unknown}
    assert ruled((-0.1, 0.1), good=up, **beside).good_alone
    assert not ruled((-0.1, 0.1), good=nearly, **beside).good_alone
