"""Pure statistics of judgments: numbers and frames in, numbers with honest intervals out. No Django here."""

from judging.stats.agreement.alpha import krippendorff_alpha, percent_agreement, weighted_alpha
from judging.stats.agreement.chance import ChanceCorrected, brennan_prediger, fleiss_kappa, gwet_ac
from judging.stats.agreement.components import VarianceComponents, variance_components
from judging.stats.agreement.consistency import choice_consistency
from judging.stats.agreement.description import describe_annotators, describe_items
from judging.stats.agreement.grouping import adjusted_rand, co_membership
from judging.stats.agreement.icc import Icc, IccKind, icc, one_way_icc
from judging.stats.agreement.ranks import kendall_w, kendall_w_of_sets
from judging.stats.agreement.rater_kappas import cohen_kappa, conger_kappa, scott_pi
from judging.stats.agreement.raters_needed import raters_needed
from judging.stats.agreement.reliability import reliability_of_mean
from judging.stats.agreement.two_way import (
    krippendorff_alpha_new_annotators,
    percent_agreement_new_annotators,
)
from judging.stats.audit.checks import pigeonhole, split_instruments
from judging.stats.audit.controls import Control, held_out_control
from judging.stats.audit.divisive import Divisive, divisive_slopes
from judging.stats.audit.group_contrast import group_contrasts
from judging.stats.audit.group_gaps import GroupContrast
from judging.stats.audit.moments import Moments, cross_rater_moments
from judging.stats.audit.most_underrated import most_underrated, score_gaps
from judging.stats.audit.preference_underrating import PreferenceUnderrating, preference_underrating
from judging.stats.audit.scopes import corroborated
from judging.stats.audit.set_ranks import set_ranks
from judging.stats.audit.simulation import Simulated, StudyModel, simulated_study
from judging.stats.audit.underrating import underrating, underratings
from judging.stats.audit.verdict import Scope, Underrating, Verdict
from judging.stats.core.counts import Level, value_counts
from judging.stats.core.estimate import Estimate
from judging.stats.core.multiple import benjamini_hochberg
from judging.stats.core.over_prompts import means_over_prompts
from judging.stats.core.panel import Panel
from judging.stats.core.weights import Weighting, agreement_weights
from judging.stats.hivemind.range_restriction import range_restricted, restriction_null
from judging.stats.hivemind.replication import Cell, Reading, replicate_preferences, replicate_ratings
from judging.stats.hivemind.selection import Family, Subset, pair_subsets, rating_subsets
from judging.stats.pairs.false_negatives import FalseNegatives, false_negatives
from judging.stats.pairs.judges import Position, Verbosity, position_bias, verbosity
from judging.stats.pairs.matched_pairs import MatchedPairs, matched_pairs
from judging.stats.pairs.pair_calibration import Bin, Calibrated, PairCalibration, pair_calibration
from judging.stats.pairs.preference import BradleyTerry, bradley_terry
from judging.stats.pairs.transitivity import Transitivity, transitivity
from judging.stats.similarity.across_prompts import RandomPairs, random_pairs
from judging.stats.similarity.association import correlation
from judging.stats.similarity.diversity import (
    Ideas,
    Threshold,
    best_threshold,
    ideas,
    rarefied_count,
    rarefied_vendi,
)
from judging.stats.similarity.homogeneity import (
    PromptSimilarity,
    cosine_matrix,
    means_within,
    prompt_similarity,
    source_codes,
)
from judging.stats.similarity.human_similarity import (
    Difference,
    HumanSimilarity,
    human_similarity,
    similarity_difference,
)
from judging.stats.similarity.lexical import length_ratio, lexical_unusualness, token_jaccard
from judging.stats.similarity.overlap import Overlap, SharedRun, compression_ratio, overlap, words_of
from judging.stats.similarity.pair_similarity import (
    PairSimilarity,
    SourceMatrix,
    pair_similarity,
    source_matrix,
    trend,
)
from judging.stats.similarity.similarity_calibration import SimilarityCalibration, similarity_calibration
from judging.stats.similarity.unusualness import (
    cluster_unusualness,
    neighbor_unusualness,
    perceived_unusualness,
    rated_unusualness,
    unusualness,
)

__all__ = [
    "Bin",
    "BradleyTerry",
    "Calibrated",
    "Cell",
    "ChanceCorrected",
    "Control",
    "Difference",
    "Divisive",
    "Estimate",
    "FalseNegatives",
    "Family",
    "GroupContrast",
    "HumanSimilarity",
    "Icc",
    "IccKind",
    "Ideas",
    "Level",
    "MatchedPairs",
    "Moments",
    "Overlap",
    "PairCalibration",
    "PairSimilarity",
    "Panel",
    "Position",
    "PreferenceUnderrating",
    "PromptSimilarity",
    "RandomPairs",
    "Reading",
    "Scope",
    "SharedRun",
    "SimilarityCalibration",
    "Simulated",
    "SourceMatrix",
    "StudyModel",
    "Subset",
    "Threshold",
    "Transitivity",
    "Underrating",
    "VarianceComponents",
    "Verbosity",
    "Verdict",
    "Weighting",
    "adjusted_rand",
    "agreement_weights",
    "benjamini_hochberg",
    "best_threshold",
    "bradley_terry",
    "brennan_prediger",
    "choice_consistency",
    "cluster_unusualness",
    "co_membership",
    "cohen_kappa",
    "compression_ratio",
    "conger_kappa",
    "correlation",
    "corroborated",
    "cosine_matrix",
    "cross_rater_moments",
    "describe_annotators",
    "describe_items",
    "divisive_slopes",
    "false_negatives",
    "fleiss_kappa",
    "group_contrasts",
    "gwet_ac",
    "held_out_control",
    "human_similarity",
    "icc",
    "ideas",
    "kendall_w",
    "kendall_w_of_sets",
    "krippendorff_alpha",
    "krippendorff_alpha_new_annotators",
    "length_ratio",
    "lexical_unusualness",
    "matched_pairs",
    "means_over_prompts",
    "means_within",
    "most_underrated",
    "neighbor_unusualness",
    "one_way_icc",
    "overlap",
    "pair_calibration",
    "pair_similarity",
    "pair_subsets",
    "perceived_unusualness",
    "percent_agreement",
    "percent_agreement_new_annotators",
    "pigeonhole",
    "position_bias",
    "preference_underrating",
    "prompt_similarity",
    "random_pairs",
    "range_restricted",
    "rarefied_count",
    "rarefied_vendi",
    "rated_unusualness",
    "raters_needed",
    "rating_subsets",
    "reliability_of_mean",
    "replicate_preferences",
    "replicate_ratings",
    "restriction_null",
    "score_gaps",
    "scott_pi",
    "set_ranks",
    "similarity_calibration",
    "similarity_difference",
    "simulated_study",
    "source_codes",
    "source_matrix",
    "split_instruments",
    "token_jaccard",
    "transitivity",
    "trend",
    "underrating",
    "underratings",
    "unusualness",
    "value_counts",
    "variance_components",
    "verbosity",
    "weighted_alpha",
    "words_of",
]
