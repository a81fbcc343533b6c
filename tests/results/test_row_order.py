"""In what order rows come plays no part in any result: every one of them, from frames whose rows are shuffled."""

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotate.models import Study
from judging.frames import preferences, tables
from judging.results import COMPUTED, find

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")


def shuffled(make: Callable[..., pd.DataFrame], rng: np.random.Generator) -> Callable[..., pd.DataFrame]:
    def other(*args: Any, **options: Any) -> pd.DataFrame:
        frame = make(*args, **options)
        # Of repeats the first is the answer that counts: there time has an order.
        return frame if options.get("repeats") else frame.iloc[rng.permutation(len(frame))]

    return other


def shuffle_frames(monkeypatch: pytest.MonkeyPatch) -> int:
    """Shuffle what every function of frames returns; the number of functions."""
    rng, found = np.random.default_rng(3), 0
    for module in (tables, preferences):
        for name, make in vars(module).copy().items():
            if is_frame_maker(module, make):
                monkeypatch.setattr(module, name, shuffled(make, rng))
                found += 1
    return found


def is_frame_maker(module: ModuleType, value: object) -> bool:
    if not callable(value) or getattr(value, "__module__", "") != module.__name__ or isinstance(value, type):
        return False
    return value.__annotations__.get("return") in (pd.DataFrame, "pd.DataFrame")


def differences(one: Any, two: Any, where: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        return [d for key in one for d in differences(one[key], two[key], f"{where}.{key}")]
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        return [
            d
            for i, (a, b) in enumerate(zip(one, two, strict=True))
            for d in differences(a, b, f"{where}[{i}]")
        ]
    if isinstance(one, float) and isinstance(two, float):
        return [] if math.isclose(one, two, rel_tol=1e-7, abs_tol=1e-9) else [f"{where}: {one} and {two}"]
    return [] if one == two else [f"{where}: {one!r} and {two!r}"]


@pytest.mark.parametrize("name", COMPUTED)
def test_the_order_of_rows_changes_no_number(name: str, demo: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    result = find(name)
    options = result.options()
    plain = result.to_json(demo, lambda: result.compute(demo, options))
    assert shuffle_frames(monkeypatch) > 5
    again = result.to_json(demo, lambda: result.compute(demo, options))
    assert differences(plain, again) == []
