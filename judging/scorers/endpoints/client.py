"""Asks an endpoint many things at once, within limits, and gets every answer or a reason why there is none."""

import hashlib
import json
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

import httpx

from judging.scorers.endpoints.guard import GuardedTransport, check_url
from judging.scorers.endpoints.replies import MemoryReplies, Replies, storable
from judging.scorers.protocol import NOT_ASKED

LARGEST = 50_000_000
TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504, 529}
# The same for every call there will be: the URL, the key or the name of the model is wrong.
HOPELESS = {401, 403, 404, 405}


class EndpointError(Exception):
    """No further call would fare better."""


class ShapeError(ValueError):
    """An answer that is not what this kind of endpoint answers."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: a path after the endpoint's URL, and the JSON that is posted to it.

    Parameters
    ----------
    path : str
    body : dict
    instead : dict, optional
        What is posted to a server that refuses the body as it is; the answer counts as one to the body.
    """

    path: str
    body: dict[str, Any]
    instead: dict[str, Any] | None = None

    def key(self, *identity: object) -> str:
        """Same key, same call: sha256 over who is asked and what, the text included, but not over where."""
        text = json.dumps([*identity, self.path, self.body], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON of the answer, or why there is none."""

    body: Any = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How an endpoint is treated.

    Parameters
    ----------
    concurrency : int
        Calls under way at once.
    per_minute : float, optional
        Calls begun in a minute, evenly spaced.
    timeout : float
        Seconds for one call, from its beginning to the last byte of the answer.
    attempts : int
        How often one call is tried before it counts as failed.
    back_off : float
        Seconds before the second attempt; doubled each time, with chance, and never less than the server asks.
    longest_wait : float
        Seconds that are waited at most, whatever the server asks.
    """

    concurrency: int = 8
    per_minute: float | None = None
    timeout: float = 120.0
    attempts: int = 5
    back_off: float = 1.0
    longest_wait: float = 120.0


@dataclass
class Budget:
    """Calls and tokens that may be used; None is no limit. Calls under way when the tokens end are still paid."""

    calls: int | None = None
    tokens: int | None = None
    used_calls: int = 0
    used_tokens: int = 0
    spent: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Take one call out of the budget, if it has one."""
        with self._lock:
            over = self.calls is not None and self.used_calls >= self.calls
            over = over or (self.tokens is not None and self.used_tokens >= self.tokens)
            if over:
                self.spent = True
                return False
            self.used_calls += 1
            return True

    def count(self, body: Any) -> None:
        usage = body.get("usage") if isinstance(body, dict) else None
        tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
        if isinstance(tokens, int):
            with self._lock:
                self.used_tokens += tokens


class _Pace:
    """Turns for calls, evenly spaced."""

    def __init__(self, per_minute: float | None) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        if not self._gap:
            return
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._gap
        time.sleep(max(0.0, turn - time.monotonic()))


class _TransientError(Exception):
    """Worth another attempt."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class Client:
    """One endpoint.

    Parameters
    ----------
    url : str
        What every path is put after, such as ``https://host/v1``.
    key_env : str, optional
        Name of the environment variable that holds the key, ending in ``_API_KEY``. The key itself is read when it
        is needed and never stored, logged or shown.
    limits : Limits

    Raises
    ------
    RefusedError
        If the URL is none.
    ValueError
        If `key_env` names another kind of variable: the application's own secrets go to no endpoint.
    """

    def __init__(self, url: str, key_env: str | None, limits: Limits) -> None:
        check_url(url)
        if key_env is not None and not key_env.endswith("_API_KEY"):
            raise ValueError(f"key_env: expected a name that ends in _API_KEY, found {key_env!r}")
        self.url, self.key_env, self.limits = url.rstrip("/"), key_env, limits
        self.replies: Replies = MemoryReplies()
        self.allowed: Sequence[str] = ()
        self.budget = Budget()
        self._pace = _Pace(limits.per_minute)
        self._failed_in_a_row = 0
        self._refused = False
        self._over = threading.Event()

    def ask(
        self, calls: Sequence[tuple[str, Call]], check: Callable[[Any], object] = lambda body: None
    ) -> list[Answer]:
        """Return the answer to each call, from what was answered before where that is known.

        Parameters
        ----------
        calls : sequence of (key, Call)
        check : callable
            Raises ShapeError for an answer of the wrong shape. Such an answer is not kept.

        Returns
        -------
        list of Answer
            In the order of the calls.

        Raises
        ------
        EndpointError
            If the endpoint refuses in a way that every call would meet, or has not answered for many calls.
        RefusedError
            If its address may not be called.
        """
        pending = dict(calls)
        answers = {key: Answer(body) for key, body in self.replies.known(pending).items()}
        unanswered = {key: call for key, call in pending.items() if key not in answers}
        answers |= self.ask_anew(unanswered, check, self.replies.keep)
        return [answers[key] for key, _ in calls]

    def ask_anew(
        self,
        calls: dict[str, Call],
        check: Callable[[Any], object],
        keep: Callable[[str, Any], None],
    ) -> dict[str, Answer]:
        """As `ask`, without looking at what was answered before; `keep` gets every good answer as it comes."""
        if not calls:
            return {}
        answers = {}
        self._over.clear()
        with self._http() as http, ThreadPoolExecutor(self.limits.concurrency) as pool:
            under_way = {pool.submit(self._try, http, call): key for key, call in calls.items()}
            try:
                for future in as_completed(under_way):
                    key = under_way[future]
                    answers[key] = _checked(future.result(), check)
                    if not answers[key].error:
                        keep(key, answers[key].body)
            except BaseException:
                self._over.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return answers

    def _http(self) -> httpx.Client:
        return httpx.Client(
            transport=GuardedTransport(self.allowed, self.limits.concurrency),
            timeout=self.limits.timeout,
            headers=self._headers(),
            follow_redirects=False,
            trust_env=False,
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if (key := self._key()) else {}

    def _key(self) -> str:
        if self.key_env is None:
            return ""
        key = os.environ.get(self.key_env, "")
        if not key:
            raise EndpointError(f"the environment has no {self.key_env}")
        return key

    def _try(self, http: httpx.Client, call: Call) -> Answer:
        try:
            return self._attempts(http, call)
        except EndpointError:
            # At once: by the time the caller hears of it, further calls would have been made.
            self._over.set()
            raise

    def _attempts(self, http: httpx.Client, call: Call) -> Answer:
        message = ""
        for attempt in range(self.limits.attempts):
            if self._over.is_set() or not self.budget.take():
                return Answer(None, message or NOT_ASKED)
            self._pace.wait()
            try:
                body = self._post(http, call)
            except _TransientError as error:
                message = f"{error} (attempt {attempt + 1} of {self.limits.attempts})"
                if attempt + 1 < self.limits.attempts:
                    self._over.wait(self._back_off(attempt, error.wait))
                continue
            self._failed_in_a_row = 0
            return body
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= max(10, 2 * self.limits.concurrency):
            raise EndpointError(f"{self._failed_in_a_row} calls in a row got no answer; the last: {message}")
        return Answer(None, message)

    def _back_off(self, attempt: int, retry_after: float) -> float:
        jitter = random.uniform(0.5, 1.0)  # noqa: S311
        return min(self.limits.longest_wait, max(retry_after, self.limits.back_off * 2.0**attempt * jitter))

    def _post(self, http: httpx.Client, call: Call) -> Answer:
        refused = self._refused and call.instead is not None
        answer = self._send(http, call.path, call.instead if refused else call.body)
        if refused or call.instead is None or not answer.error:
            return answer
        # Known from now on: later calls are not refused first.
        self._refused = True
        self.budget.take()
        return self._send(http, call.path, call.instead)

    def _send(self, http: httpx.Client, path: str, body: dict[str, Any] | None) -> Answer:
        end = time.monotonic() + self.limits.timeout
        try:
            with http.stream("POST", f"{self.url}{path}", json=body) as response:
                raw = self._read(response, end)
                return self._answer(response, raw)
        except httpx.TimeoutException as error:
            raise _TransientError(f"no answer within {self.limits.timeout:g} s") from error
        except httpx.HTTPError as error:
            raise _TransientError(f"{type(error).__name__}: {self.scrubbed(str(error))}") from error

    def _read(self, response: httpx.Response, end: float) -> bytes:
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                raise EndpointError(f"an answer of more than {LARGEST:,} bytes")
            # The client's own time-out counts from byte to byte: a server that drips would never end.
            if time.monotonic() > end:
                raise _TransientError(f"no whole answer within {self.limits.timeout:g} s")
        return b"".join(parts)

    def _answer(self, response: httpx.Response, raw: bytes) -> Answer:
        status, excerpt = response.status_code, self.scrubbed(raw.decode("utf-8", "replace"))[:200]
        message = f"HTTP {status}: {excerpt}"
        if status in TRANSIENT:
            raise _TransientError(message, _seconds(response.headers.get("Retry-After", "")))
        if status in HOPELESS or 300 <= status < 400:
            raise EndpointError(f"{self.url}: {message}")
        if status != 200:
            return Answer(None, message)
        try:
            body = storable(raw)
        except ValueError as error:
            raise _TransientError(f"an answer that is no JSON: {excerpt!r}") from error
        self.budget.count(body)
        return Answer(body)

    def scrubbed(self, text: str) -> str:
        """The text without the key: servers repeat it in their complaints."""
        key = os.environ.get(self.key_env, "") if self.key_env else ""
        return text.replace(key, "[key]") if key else text


def _checked(answer: Answer, check: Callable[[Any], object]) -> Answer:
    if answer.error:
        return answer
    try:
        check(answer.body)
    except ShapeError as error:
        return Answer(None, str(error))
    return answer


def _seconds(header: str) -> float:
    try:
        return max(0.0, float(header))
    except ValueError:
        return 0.0
