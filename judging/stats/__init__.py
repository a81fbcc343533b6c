"""Pure statistics of judgments: numbers and frames in, numbers with honest intervals out. No Django here."""

from judging.stats.agreement import (
    Level,
    co_membership,
    krippendorff_alpha,
    percent_agreement,
    value_counts,
)
from judging.stats.estimate import Estimate
from judging.stats.moments import Moments, Panel, cross_rater_moments
from judging.stats.reliability import reliability_of_mean
from judging.stats.underrating import Underrating, Verdict, most_underrated, underrating
from judging.stats.unusualness import unusualness

__all__ = [
    "Estimate",
    "Level",
    "Moments",
    "Panel",
    "Underrating",
    "Verdict",
    "co_membership",
    "cross_rater_moments",
    "krippendorff_alpha",
    "most_underrated",
    "percent_agreement",
    "reliability_of_mean",
    "underrating",
    "unusualness",
    "value_counts",
]
