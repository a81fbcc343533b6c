"""Pure statistics of judgments: numbers and frames in, numbers with honest intervals out. No Django here."""

from judging.stats.agreement import krippendorff_alpha, percent_agreement, weighted_alpha
from judging.stats.association import correlation
from judging.stats.chance import ChanceCorrected, brennan_prediger, fleiss_kappa, gwet_ac
from judging.stats.components import VarianceComponents, variance_components
from judging.stats.counts import Level, value_counts
from judging.stats.curve import raters_needed
from judging.stats.dawid_skene import DawidSkene, dawid_skene
from judging.stats.description import describe_annotators, describe_items
from judging.stats.estimate import Estimate
from judging.stats.grouping import adjusted_rand, co_membership
from judging.stats.icc import Icc, IccKind, icc, one_way_icc
from judging.stats.label_lists import label_counts
from judging.stats.measurement_error import errors_in_variables_slope
from judging.stats.moments import Moments, Panel, cross_rater_moments
from judging.stats.multiple import benjamini_hochberg
from judging.stats.named import cohen_kappa, conger_kappa, scott_pi
from judging.stats.preference import BradleyTerry, bradley_terry
from judging.stats.ranks import kendall_w, kendall_w_of_sets
from judging.stats.reliability import reliability_of_mean
from judging.stats.replication import Cell, Reading, replicate_preferences, replicate_ratings
from judging.stats.restriction import range_restricted, restriction_null
from judging.stats.selection import Family, Subset, pair_subsets, rating_subsets
from judging.stats.transitivity import Transitivity, transitivity
from judging.stats.two_way import krippendorff_alpha_new_annotators, percent_agreement_new_annotators
from judging.stats.underrating import Underrating, Verdict, most_underrated, underrating
from judging.stats.unusualness import unusualness
from judging.stats.weights import Weighting, agreement_weights

__all__ = [
    "BradleyTerry",
    "Cell",
    "ChanceCorrected",
    "DawidSkene",
    "Estimate",
    "Family",
    "Icc",
    "IccKind",
    "Level",
    "Moments",
    "Panel",
    "Reading",
    "Subset",
    "Transitivity",
    "Underrating",
    "VarianceComponents",
    "Verdict",
    "Weighting",
    "adjusted_rand",
    "agreement_weights",
    "benjamini_hochberg",
    "bradley_terry",
    "brennan_prediger",
    "co_membership",
    "cohen_kappa",
    "conger_kappa",
    "correlation",
    "cross_rater_moments",
    "dawid_skene",
    "describe_annotators",
    "describe_items",
    "errors_in_variables_slope",
    "fleiss_kappa",
    "gwet_ac",
    "icc",
    "kendall_w",
    "kendall_w_of_sets",
    "krippendorff_alpha",
    "krippendorff_alpha_new_annotators",
    "label_counts",
    "most_underrated",
    "one_way_icc",
    "pair_subsets",
    "percent_agreement",
    "percent_agreement_new_annotators",
    "range_restricted",
    "raters_needed",
    "rating_subsets",
    "reliability_of_mean",
    "replicate_preferences",
    "replicate_ratings",
    "restriction_null",
    "scott_pi",
    "transitivity",
    "underrating",
    "unusualness",
    "value_counts",
    "variance_components",
    "weighted_alpha",
]
