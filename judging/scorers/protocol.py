"""What a scorer is."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of some texts.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Of unit length, in the order of the texts.
    truncated : ndarray of bool, shape (n,)
        Whether the embedder read only the beginning of the text.
    """

    vectors: npt.NDArray[np.float32]
    truncated: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scores:
    """Numbers for some responses, greater is better.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        In the scorer's own units, in the order of the responses; NaN where it gave none.
    truncated : ndarray of bool, shape (n,)
        Whether the scorer read only the beginning of the text.
    """

    values: npt.NDArray[np.float64]
    truncated: npt.NDArray[np.bool_]


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def identity(self) -> dict[str, Any]:
        """What exactly runs: model, revision or hash of the weights, software. Stored with every run."""
        ...

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return a unit vector for each text."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """Turns a prompt and a response into a number, greater is better."""

    @property
    def identity(self) -> dict[str, Any]:
        """What exactly runs: model, revision or hash of the weights, software. Stored with every run."""
        ...

    def score(self, prompts: Sequence[str], responses: Sequence[str]) -> Scores:
        """Return a number for each response to the prompt at the same place."""
        ...


def load(dotted: str) -> Embedder | Scorer:
    """Make the scorer named by a dotted path.

    Parameters
    ----------
    dotted : str
        Module and class, as in ``judging.scorers.minilm.MiniLM``.

    Returns
    -------
    Embedder or Scorer

    Raises
    ------
    ValueError
        If there is no such class, or it is neither an embedder nor a scorer.
    """
    module, _, name = dotted.rpartition(".")
    try:
        made = getattr(import_module(module), name)()
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{dotted}: no such scorer ({error})") from error
    if not isinstance(made, (Embedder, Scorer)):
        raise ValueError(f"{dotted} has neither `embed` nor `score`")  # noqa: TRY004
    return made
