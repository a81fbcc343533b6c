"""What LLM judges are told. Each has paraphrases, since a judge that minds the wording is no measure."""

import re
from collections.abc import Mapping

SCALE = "Answer with a whole number from {low} (worst) to {high} (best)."

POINTWISE = (
    "You see a prompt and a response to it. Judge how good the response is: whether it does what was asked, is "
    "correct, and is worth reading. Neither length nor unusualness counts for or against it.\n\n"
    "<prompt>\n{prompt}\n</prompt>\n\n<response>\n{response}\n</response>\n\n" + SCALE
)
POINTWISE_PARAPHRASES = (
    "Below are a request and somebody's answer. As a careful reader, say of what quality the answer is. Reward what "
    "is helpful, right and well written; take no account of how long or how ordinary it is.\n\n"
    "Request:\n{prompt}\n\nAnswer:\n{response}\n\n" + SCALE,
    "Rate the quality of the text under RESPONSE as a reply to the text under PROMPT. Do not favor long replies, "
    "and do not favor common ones.\n\nPROMPT\n{prompt}\n\nRESPONSE\n{response}\n\n" + SCALE,
)

PAIRWISE = (
    "You see a prompt and two responses to it, A and B. Judge which one is better: which does more of what was "
    "asked, is more correct, and is more worth reading. Neither length, unusualness nor the order in which they "
    "are shown counts.\n\n<prompt>\n{prompt}\n</prompt>\n\n<response A>\n{first}\n</response A>\n\n"
    "<response B>\n{second}\n</response B>\n\nAnswer with A, B, or tie if neither is better."
)
PAIRWISE_PARAPHRASES = (
    "Two people answered the same request. Compare their answers, and name the one you would rather have "
    "received. Ignore how long they are and which comes first.\n\nRequest:\n{prompt}\n\nAnswer A:\n{first}\n\n"
    "Answer B:\n{second}\n\nAnswer with A, B, or tie if you can't choose.",
)


def filled(template: str, **texts: str) -> str:
    """Put texts into a template.

    Parameters
    ----------
    template : str
        With ``{name}`` where a text goes; other braces stay.
    **texts : str

    Returns
    -------
    str
        Filled in one pass: a response that itself says ``{prompt}`` stays as it is.
    """
    names = "|".join(map(re.escape, texts))
    return re.sub(rf"\{{({names})\}}", lambda match: texts[match[1]], template)


def checked(template: str, names: Mapping[str, object] | tuple[str, ...]) -> str:
    """Return the template, or say what it lacks.

    Parameters
    ----------
    template : str
    names : iterable of str
        What must occur as ``{name}``.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If one does not occur.
    """
    for name in names:
        if f"{{{name}}}" not in template:
            raise ValueError(f"a rubric must hold {{{name}}}; this one does not: {template[:60]!r}")
    return template
