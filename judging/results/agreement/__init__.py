"""How far annotators agree, by the criterion's kind: the headline, what stands beside it, and tables to look into."""

from judging.results.agreement.headline import SEED, Brief, Entry, SoFar, so_far
from judging.results.agreement.report import Agreement, agreement, compute, in_brief
from judging.results.agreement.units import Units, has_units, units

__all__ = [
    "SEED",
    "Agreement",
    "Brief",
    "Entry",
    "SoFar",
    "Units",
    "agreement",
    "compute",
    "has_units",
    "in_brief",
    "so_far",
    "units",
]
