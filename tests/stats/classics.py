"""Classic published tables with the values their sources print, so that they are tested wherever the code is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TABLES = Path(__file__).parents[2] / "fixtures" / "reference" / "classics.json"
DATA: dict[str, dict[str, Any]] = json.loads(TABLES.read_text())

# fmt: off
# Name, source, table, statistic, level or weights, value, tolerance.
CLASSICS: list[tuple[str, str, str, str, str, Any, float]] = [
    ("kripp2011_nominal", "Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, C and D",
     "krippendorff_C", "krippendorff_alpha", "nominal", 0.743, 0.0006),
    ("kripp2011_ordinal", "Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, C and D",
     "krippendorff_C", "krippendorff_alpha", "ordinal", 0.815, 0.0006),
    ("kripp2011_interval", "Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, C and D",
     "krippendorff_C", "krippendorff_alpha", "interval", 0.849, 0.0006),
    ("kripp2011_ratio", "Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, C and D",
     "krippendorff_C", "krippendorff_alpha", "ratio", 0.797, 0.0006),
    ("raw4_pa", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet",
     "percent_agreement", "nominal", 0.8181818, 1e-06),
    ("raw4_pa_se", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet",
     "percent_agreement_se", "nominal", 0.12561, 1e-05),
    ("raw4_ac1", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet", "gwet_ac",
     "identity", 0.77544, 1e-05),
    ("raw4_ac1_se", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet",
     "gwet_ac_se", "identity", 0.14295, 1e-05),
    ("raw4_ac1_pe", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet",
     "gwet_ac_pe", "identity", 0.1903212, 1e-06),
    ("raw4_ac2_quadratic", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet",
     "gwet_ac", "quadratic", 0.914, 0.0006),
    ("raw4_ac2_ordinal_se", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet",
     "gwet_ac_se", "ordinal", 0.107, 0.0006),
    ("raw4_fleiss", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet",
     "fleiss_kappa_missing", "identity", 0.76117, 1e-05),
    ("raw4_fleiss_se", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet",
     "fleiss_kappa_missing_se", "identity", 0.15302, 1e-05),
    ("raw4_conger", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet",
     "conger_kappa", "identity", 0.76282, 1e-05),
    ("raw4_bp_se", "Gwet (2014), as in the README of the R package irrCAC 1.3", "raw4raters_gwet",
     "brennan_prediger_se", "identity", 0.14472, 1e-05),
    ("raw4_alpha_gwet_ordinal", "Gwet (2014), as in the README of the R package irrCAC 1.3",
     "raw4raters_gwet", "krippendorff_alpha_gwet_weights", "ordinal", 0.834, 0.0006),
    ("fleiss_wiki", "Wikipedia, Fleiss' kappa", "fleiss_wikipedia", "fleiss_kappa", "identity", 0.21,
     0.0006),
    ("sas_kappa", "SAS PROC FREQ example", "sas_kappa3x3", "cohen_kappa", "nominal", 0.4842, 6e-05),
    ("sas_wkappa", "SAS PROC FREQ example", "sas_kappa3x3", "cohen_kappa", "linear", 0.4701, 6e-05),
    ("cont3x3_scott_pi", "Gwet (2014), as in the README of the R package irrCAC", "cont3x3", "scott_pi",
     "nominal", 0.7962397, 1e-06),
    ("sf79_ICC1", "Shrout and Fleiss (1979), table 4", "shrout_fleiss", "ICC1", "interval", 0.17, 0.0051),
    ("sf79_ICC2", "Shrout and Fleiss (1979), table 4", "shrout_fleiss", "ICC2", "interval", 0.29, 0.0051),
    ("sf79_ICC3", "Shrout and Fleiss (1979), table 4", "shrout_fleiss", "ICC3", "interval", 0.71, 0.0051),
    ("sf79_ICC1k", "Shrout and Fleiss (1979), table 4", "shrout_fleiss", "ICC1k", "interval", 0.44, 0.0051),
    ("sf79_ICC2k", "Shrout and Fleiss (1979), table 4", "shrout_fleiss", "ICC2k", "interval", 0.62, 0.0051),
    ("sf79_ICC3k", "Shrout and Fleiss (1979), table 4", "shrout_fleiss", "ICC3k", "interval", 0.91, 0.0051),
    ("sf79_F23", "Shrout and Fleiss (1979), table 4", "shrout_fleiss", "F23", "interval", 11.0, 0.05),
    ("sf79_ICC2_ci", "Shrout and Fleiss (1979), table 4", "shrout_fleiss", "ICC2_ci95", "interval", [0.02,
     0.76], 0.006),
    ("siegel_kendall_w", "Siegel (1956), executives", "siegel_execs", "kendall_w", "ordinal", 0.16, 0.003),
    ("anxiety_kendall_w", "R package DescTools, KendallW(anxiety, TRUE)", "anxiety", "kendall_w_ties",
     "ordinal", 0.5396569, 1e-06),
    ("bt_baseball_home", "Agresti (2002), Categorical Data Analysis, table 10.11", "baseball",
     "bradley_terry_home_advantage", "paired", 0.302, 0.0006),
    ("bt_citations", "Turner and Firth (2012), citeModel; data of Agresti (2002)", "citations",
     "bradley_terry_logit_vs_first", "paired", [0, -2.9491, -0.4796, 0.269], 6e-05),
    ("davidson_pudding", "Davidson (1970), as in the vignette of PlackettLuce (7 steps)", "pudding",
     "davidson_worth_and_tie", "paired_ties", [0.1388005, 0.1729985, 0.161742, 0.165393, 0.1586805,
     0.2023855, 0.7468147], 0.0002),
    ("fuller_eiv", "Fuller (1987), Measurement Error Models, example 1.2.1", "fuller_corn",
     "errors_in_variables_slope", "interval", 0.4232, 6e-05),
    ("bh95_rejections", "Benjamini and Hochberg (1995), section 4", "bh1995",
     "benjamini_hochberg_rejections_q05", "-", 4, 0),
]
# fmt: on
