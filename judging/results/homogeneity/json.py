"""Homogeneity as one JSON object: numbers at full precision, null with a reason where there is none."""

import dataclasses
import math
from typing import Any

import numpy as np

from annotate.models import Study
from judging.results.homogeneity import external_pool as on_disk
from judging.results.homogeneity.report import THRESHOLDS, Homogeneity
from judging.stats import Estimate, PairSimilarity
from judging.stats.similarity.homogeneity import BINS, NEIGHBORS


def as_json(study: Study, found: Homogeneity) -> dict[str, Any]:
    head = {"study": study.slug, "simulated": study.simulated, "thresholds": list(THRESHOLDS)}
    body = {
        field.name: _plain(getattr(found, field.name))
        for field in dataclasses.fields(found)
        if field.name not in ("all", "machines")
    }
    return (
        head
        | {
            "bins": _plain(BINS),
            "all": _pair_similarity(found.all),
            "machines": _pair_similarity(found.machines),
        }
        | body
        | {"pools": on_disk.as_json(study)}
    )


def _pair_similarity(found: PairSimilarity | None) -> dict[str, Any] | None:
    if found is None:
        return None
    body = {f.name: _plain(getattr(found, f.name)) for f in dataclasses.fields(found)}
    return body | {"neighbors": list(NEIGHBORS)}


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        row = {"estimate": value.estimate, "low": value.low, "high": value.high, "n": value.n}
        return row | ({"reason": value.reason} if value.reason else {})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
