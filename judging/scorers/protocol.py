"""What a scorer is: three protocols, and how one is made from its dotted name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Identity = dict[str, Any]

NOT_ASKED = "not asked: the budget is spent"
"""The error of what was left for a later run; nothing is stored for it."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of some texts.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Of unit length, in the order of the texts. Cosines of different embedders lie on different scales: a
        threshold found for one means nothing for another.
    truncated : ndarray of bool, shape (n,)
        Whether the embedder read only the beginning of the text.
    errors : sequence of str, length n or 0
        Why there is no vector (its row is NaN then); empty where there is one. Length 0: nothing went wrong.
    """

    vectors: npt.NDArray[np.float32]
    truncated: npt.NDArray[np.bool_]
    errors: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """Numbers for some responses; greater is better, whatever the scorer's own habit.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        In the scorer's own units, in the order of the responses; NaN where it gave none.
    truncated : ndarray of bool, shape (n,)
        Whether the scorer read only the beginning of the text.
    errors : sequence of str, length n or 0
        Why there is no number; empty where there is one. Length 0: nothing went wrong.
    raw : sequence of str, length n or 0
        What the machine said word for word, where it said more than a number.
    """

    values: npt.NDArray[np.float64]
    truncated: npt.NDArray[np.bool_]
    errors: Sequence[str] = ()
    raw: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Choices between two responses.

    Parameters
    ----------
    straight : ndarray of float64, shape (n,)
        Preference for the first response, asked with the first shown first: 1 the first, -1 the second, 0 a tie,
        and between them as sure as the judge is. NaN where it said nothing.
    swapped : ndarray of float64, shape (n,)
        The same preference *for the first response*, asked with the second shown first; NaN where not asked.
    errors, raw : sequence of str, length n or 0
        As in `Scores`.
    """

    straight: npt.NDArray[np.float64]
    swapped: npt.NDArray[np.float64]
    errors: Sequence[str] = ()
    raw: Sequence[str] = ()


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors. One that has `languages` (codes such as "en") knows only these."""

    @property
    def identity(self) -> Identity:
        """What exactly runs: model, revision or hash of the weights, software. Stored with every run."""
        ...

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return a unit vector for each text."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """Turns a prompt and a response into a number, greater is better."""

    @property
    def identity(self) -> Identity:
        """What exactly runs: model, revision or hash of the weights, software. Stored with every run."""
        ...

    def score(self, prompts: Sequence[str], responses: Sequence[str]) -> Scores:
        """Return a number for each response to the prompt at the same place."""
        ...


@runtime_checkable
class PairJudge(Protocol):
    """Chooses between two responses to a prompt."""

    @property
    def identity(self) -> Identity:
        """What exactly runs: model, revision, template, parameters. Stored with every run."""
        ...

    def compare(self, prompts: Sequence[str], firsts: Sequence[str], seconds: Sequence[str]) -> Verdicts:
        """Return the preference between the two responses to the prompt at the same place."""
        ...


AnyScorer = Embedder | Scorer | PairJudge


def load(dotted: str, **parameters: Any) -> AnyScorer:
    """Make the scorer named by a dotted path.

    Parameters
    ----------
    dotted : str
        Module and class, as in ``judging.scorers.minilm.MiniLM``.
    **parameters
        What the class is made with.

    Returns
    -------
    Embedder, Scorer or PairJudge

    Raises
    ------
    ValueError
        If there is no such class, it does not take these parameters, or it is none of the three.
    """
    module, _, name = dotted.rpartition(".")
    try:
        kind: Callable[..., Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{dotted}: no such scorer ({error})") from error
    try:
        scorer = kind(**parameters)
    except (ImportError, OSError, TypeError) as error:
        raise ValueError(f"{dotted} can't be made: {error}") from error
    if not isinstance(scorer, (Embedder, Scorer, PairJudge)):
        raise ValueError(f"{dotted} has none of `embed`, `score` and `compare`")  # noqa: TRY004
    return scorer


def load_entry(entry: str | Mapping[str, Any]) -> AnyScorer:
    """Make the scorer of an entry of the registry.

    Parameters
    ----------
    entry : str or mapping
        A dotted name, or a mapping whose ``class`` is one and whose other keys are parameters.

    Returns
    -------
    Embedder, Scorer or PairJudge

    Raises
    ------
    ValueError
        As `load`, and if a mapping has no ``class``.
    """
    if isinstance(entry, str):
        return load(entry)
    if not isinstance(entry.get("class"), str):
        raise ValueError(f"expected a dotted name under `class`, found {entry.get('class')!r}")  # noqa: TRY004
    return load(entry["class"], **{name: value for name, value in entry.items() if name != "class"})
