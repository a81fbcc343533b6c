"""Endpoint calls as a file, for endpoints that this application can't reach: written here, answered there, read back.

The lines are those of batch endpoints and of ``vllm run-batch``. A line's `custom_id` is the key of the call, so an
answer finds its place whatever the order, and a result file may come in pieces.
"""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeGuard

from pydantic_core import from_json

from annotate import trail
from annotate.folder.problems import quoted
from annotate.models import Action, Item, ItemResponse, Response, Study
from judging.models import ScoringTask
from judging.runs.batches import missing
from judging.runs.registry import named_in
from judging.runs.work import SpentError, StoredReplies, build, run_of, score
from judging.scorers import AnyScorer
from judging.scorers.endpoints.base import EmbeddingEndpoint, Endpoint, PairEndpoint, PointwiseEndpoint
from judging.scorers.endpoints.client import Call, ShapeError
from judging.scorers.endpoints.replies import storable

AT_ONCE = 500


class BatchError(ValueError):
    """Why there is no batch file, or why it can't be read."""


Keyed = tuple[str, Call]


@dataclass(frozen=True, slots=True)
class Written:
    lines: int
    answered_before: int


@dataclass
class ReadBack:
    """What a result file held."""

    kept: int = 0
    foreign: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


def write(study: Study, name: str, path: Path) -> Written:
    """Write the calls that a scorer still needs an answer to."""
    scorer = _endpoint(name)
    replies, lines, before = StoredReplies(study), 0, 0
    with path.open("w", encoding="utf-8") as file:
        for batch in _in_batches(_calls(study, name, scorer)):
            known = replies.known([key for key, _ in batch])
            before += len(known)
            # Two responses may say the same: it is asked once.
            for key, call in dict(batch).items():
                if key not in known:
                    line = {"custom_id": key, "method": "POST", "url": scorer.root + call.path}
                    file.write(json.dumps(line | {"body": call.body}, ensure_ascii=False) + "\n")
                    lines += 1
    trail.note(study, Action.EXPORTED, f"batch of {name}", calls=lines)
    return Written(lines, before)


def read(study: Study, name: str, path: Path) -> tuple[ReadBack, ScoringTask]:
    """Store the replies of a result file, and score from them without any call."""
    result = keep(study, name, path)
    # Calls without an answer are what the next file will hold.
    with suppress(SpentError):
        score(study, name, call_budget=0)
    return result, ScoringTask.objects.filter(study=study, scorer=name).latest("pk")


def names() -> list[str]:
    """Scorers of the settings that call endpoints."""
    return named_in("judging.scorers.endpoints")


def _endpoint(name: str) -> Endpoint:
    scorer = build(name)
    if not _writable(scorer):
        raise BatchError(f"{name} calls no endpoint, so it has no batch file")
    return scorer


def _writable(scorer: AnyScorer) -> TypeGuard[Endpoint]:
    return isinstance(scorer, Endpoint)


def _calls(study: Study, name: str, scorer: Endpoint) -> Iterator[Keyed]:
    """Every call for what has no score yet."""
    lacking = missing(study, run_of(study, name, scorer), scorer)  # type: ignore[arg-type]
    for start in range(0, len(lacking.pks), AT_ONCE):
        pks = lacking.pks[start : start + AT_ONCE]
        if isinstance(scorer, PairEndpoint):
            yield from _pair_calls(scorer, pks)
        else:
            yield from _response_calls(scorer, pks)


def _response_calls(scorer: Endpoint, pks: list[int]) -> Iterator[Keyed]:
    for response in Response.objects.filter(pk__in=pks).select_related("prompt").order_by("pk"):
        if isinstance(scorer, EmbeddingEndpoint):
            yield from scorer.calls(response.text)
        elif isinstance(scorer, PointwiseEndpoint):
            yield from scorer.calls(response.prompt.text, response.text)


def _pair_calls(scorer: PairEndpoint, pks: list[int]) -> Iterator[Keyed]:
    texts: dict[int, list[str]] = {pk: [] for pk in pks}
    for link in ItemResponse.objects.filter(item__in=pks).select_related("response").order_by("position"):
        texts[link.item_id].append(link.response.text)
    for item in Item.objects.filter(pk__in=pks).select_related("prompt").order_by("pk"):
        yield from scorer.calls(item.prompt.text, *texts[item.pk])


def keep(study: Study, name: str, path: Path) -> ReadBack:
    """Store the replies of a result file; nothing is scored yet."""
    scorer = _endpoint(name)
    expected = {key for key, _ in _calls(study, name, scorer)}
    result, replies = ReadBack(), StoredReplies(study)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                row = _result(path.name, number, line.removeprefix(BOM_UTF8))
                key = row["custom_id"]
                if key not in expected:
                    result.foreign += 1
                    continue
                try:
                    replies.keep_from_file(key, scorer.kept_as(_body(row)))
                    result.kept += 1
                except ShapeError as error:
                    result.failures.append((key, str(error)))
    return result


def _result(file: str, number: int, line: bytes) -> dict[str, Any]:
    found = quoted(line[:60].decode(errors="replace").strip())
    try:
        row = from_json(line, allow_inf_nan=False)
    except ValueError as error:
        raise BatchError(f"{file}, line {number}: expected a JSON object in UTF-8, found {found}") from error
    if not isinstance(row, dict) or not isinstance(row.get("custom_id"), str):
        raise BatchError(f"{file}, line {number}: expected an object with a custom_id, found {found}")
    return row


def _body(row: dict[str, Any]) -> Any:
    """The reply of a result line; raises ShapeError with the error instead."""
    response = row.get("response") or {}
    if not isinstance(response, dict):
        raise ShapeError(f"expected an object as the response, found {str(response)[:200]}")
    if row.get("error") or response.get("status_code", 200) != 200 or "body" not in response:
        error = row.get("error") or response.get("body") or f"HTTP {response.get('status_code', 'unknown')}"
        raise ShapeError(str(error)[:200])
    body = response["body"]
    if storable(json.dumps(body).encode()) != body:
        raise ShapeError("the reply holds NUL characters, which no database keeps")
    return body


def _in_batches(calls: Iterator[Keyed]) -> Iterator[list[Keyed]]:
    while batch := list(islice(calls, AT_ONCE)):
        yield batch
