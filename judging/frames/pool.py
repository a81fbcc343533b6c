"""The whole pool, a prompt at a time, judged or not: homogeneity is measured on it."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from annotate.models import Prompt, Study
from judging.models import Embedding, ScoreRun

CHUNK = 5_000
RELEASED = "released"
"""Key of a response's `params` that dates its source, beside dates in source names."""

_DATE = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])(?:-?(0[1-9]|[12]\d|3[01]))?(?!\d)")


@dataclass(frozen=True, slots=True)
class PromptPool:
    """The embedded responses to one prompt, in the order of their keys."""

    prompt_id: int
    prompt_key: str
    response_ids: list[int]
    sources: list[str]
    params: list[Mapping[str, Any]]
    vectors: npt.NDArray[np.float32]


def embedded(run: ScoreRun, prompt: Prompt | None = None) -> Iterator[PromptPool]:
    """Every prompt's embedded responses, one prompt in memory at a time; or those of one."""
    rows = Embedding.objects.filter(run=run).in_pool().order_by("response__prompt_id", "response_id")
    if prompt is not None:
        rows = rows.filter(response__prompt=prompt)
    columns = ("response__source", "response__params", "vector")
    place = ("response__prompt_id", "response__prompt__key", "response__key", "response_id")
    streamed = rows.values_list(*place, *columns).iterator(CHUNK)
    for (prompt_id, prompt_key), group in groupby(streamed, key=itemgetter(0, 1)):
        # Sorted here: a database may have an order of its own for texts.
        part = sorted(group, key=itemgetter(2))
        vectors = _array([r[6] for r in part], run.dtype)
        params: list[Mapping[str, Any]] = [r[5] if isinstance(r[5], dict) else {} for r in part]
        ids, sources = [r[3] for r in part], [r[4] for r in part]
        yield PromptPool(prompt_id, prompt_key, ids, sources, params, vectors)


def _array(packed: list[bytes], dtype: str) -> npt.NDArray[np.float32]:
    array = np.frombuffer(b"".join(bytes(p) for p in packed), dtype=dtype)
    return array.reshape(len(packed), -1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class PromptTexts:
    """All responses to one prompt, embedded or not."""

    prompt_id: int
    sources: list[str]
    texts: list[str]


def texts(study: Study) -> Iterator[PromptTexts]:
    rows = study.responses.in_pool().order_by("prompt_id", "pk")
    streamed = rows.values_list("prompt_id", "source", "text").iterator(CHUNK)
    for prompt_id, group in groupby(streamed, key=itemgetter(0)):
        part = list(group)
        yield PromptTexts(prompt_id, [r[1] for r in part], [r[2] for r in part])


def source_names(study: Study) -> list[str]:
    return sorted(study.responses.in_pool().values_list("source", flat=True).distinct())


def is_human(source: str) -> bool:
    """Whether people wrote it: `human`, or a name that begins so."""
    return source.casefold().split("-")[0].split(" ")[0] == "human"


def release(source: str, params: Mapping[str, Any]) -> dt.date | None:
    """When a source came out: `released` among the parameters, else a date in its name (gpt-4o-2024-11-20)."""
    for text in (str(params.get(RELEASED, "")), source):
        match = _DATE.search(text)
        if match:
            try:
                return dt.date(int(match[1]), int(match[2]), int(match[3] or 1))
            except ValueError:
                continue
    return None


def year(date: dt.date) -> float:
    """The date as a year with its fraction."""
    start = dt.date(date.year, 1, 1)
    return date.year + (date - start).days / (dt.date(date.year + 1, 1, 1) - start).days
