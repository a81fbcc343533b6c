"""The categories of open-ended prompts of INFINITY-CHAT: six at the top, seventeen below.

Jiang et al. (2025), Artificial Hivemind, arXiv 2510.22954, figure 2 and table 2. The first two have no parts.
"""

from collections.abc import Iterable

TOP: dict[str, tuple[str, ...]] = {
    "Creative Content Generation": (),
    "Brainstorm & Ideation": (),
    "Open-Endedness": (
        "Philosophical",
        "Abstract Conceptual",
        "Ambiguous Everyday",
        "Analytical & Interpretive",
        "Speculative & Hypothetical",
    ),
    "Alternative Perspectives": ("Value-Laden", "Controversial"),
    "Alternative Styles": ("Communication Styles", "Writing Genres"),
    "Information-Seeking": (
        "Problem Solving",
        "Decision Support",
        "Skill Development",
        "Recommendations",
        "Concept Explanations",
        "Personal Advice",
    ),
}


def _plain(name: str) -> str:
    words = name.casefold().replace("&", " and ").replace("-", " ").replace("_", " ")
    return " ".join(words.split()).removesuffix(" questions")


_TOP = {_plain(name): name for name in TOP}
_LEAF = {_plain(leaf): (top, leaf) for top, leaves in TOP.items() for leaf in leaves}


def labels(categories: Iterable[str]) -> list[str]:
    """A prompt's own categories, each once, and the top one of each that stands in the taxonomy.

    `Open-Endedness: Philosophical` and `philosophical` are the same; what is not in the taxonomy stays as it is.
    """
    labels: dict[str, None] = {}
    for category in categories:
        last = _plain(category.split(":")[-1].split("/")[-1])
        if last in _LEAF:
            top, leaf = _LEAF[last]
            labels |= {top: None, f"{top}: {leaf}": None}
        else:
            labels[_TOP.get(_plain(category), category)] = None
    return list(labels)
