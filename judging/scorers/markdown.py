"""How much markdown a response uses: judges like it, and an audit holds it constant."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

MARKS = ("headers", "lists", "bold")

_PATTERNS = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^ {0,3}#{1,6}[ \t]+\S",
        r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S",
        r"(?<![*\w])\*\*(?=\S)[^*\n]*?\S\*\*(?!\*)|(?<![_\w])__(?=\S)[^_\n]*?\S__(?!\w)",
    )
)


def markdown_marks(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the log of one plus the number of headers, list items and bold passages.

    Parameters
    ----------
    texts : sequence of str, length n

    Returns
    -------
    ndarray of float64, shape (n, 3)
        In the order of `MARKS`; 0 where a text has none.

    Notes
    -----
    A header is a line that begins with one to six `#` and a space, a list item one that begins with `-`, `*`, `+` or a
    number and a space, bold is a passage within a line between `**` or `__`. As for length, the logarithm because
    liking levels off.

    References
    ----------
    Li, Angelopoulos and Chiang (2024), "Does style matter?", LMSYS: the same three marks beside length.
    """
    counts = [[len(pattern.findall(text)) for pattern in _PATTERNS] for text in texts]
    return np.log1p(np.array(counts, dtype=np.float64).reshape(len(texts), len(MARKS)))
