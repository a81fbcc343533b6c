"""How long a response is: the baseline that every other scorer is held against."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from judging.scorers.protocol import Scores

NAME = "length"
"""Of the baseline among the scorers of an audit."""


def log_length(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the natural logarithm of one plus the number of characters.

    Parameters
    ----------
    texts : sequence of str, length n

    Returns
    -------
    ndarray of float64, shape (n,)
        In log characters; 0 for an empty text.

    Notes
    -----
    Logarithm because judges' liking for length levels off; plus one because some responses are empty.
    """
    return np.log1p(np.array([len(t) for t in texts], dtype=np.float64))


class Length:
    """Scores a response by its length alone."""

    identity: dict[str, Any] = {"model": "log(1 + characters)"}

    def score(self, prompts: Sequence[str], responses: Sequence[str]) -> Scores:
        """Return the log length of each response.

        Parameters
        ----------
        prompts, responses : sequence of str, length n

        Returns
        -------
        Scores
        """
        return Scores(log_length(responses), np.zeros(len(responses), dtype=np.bool_))
