"""Formulas of a response as MathML, which browsers draw by themselves; one that can't be drawn whole isn't drawn."""

import html
import re
import unicodedata
from collections import Counter
from functools import lru_cache
from xml.etree.ElementTree import Element

from markdown_it.common.utils import escapeHtml

LONGEST = 4_000
# Each element with the number of children that it must have; None for any. What hides its content is none of them.
TAGS: dict[str, int | None] = {
    **dict.fromkeys(("math", "mrow", "mstyle", "msqrt", "mpadded", "menclose"), None),
    **dict.fromkeys(("mtable", "mtr", "mtd"), None),
    **dict.fromkeys(("mi", "mn", "mo", "mtext", "mspace"), 0),
    **dict.fromkeys(("mfrac", "msup", "msub", "mroot", "mover", "munder"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
# None of them holds an address or a style.
ATTRIBUTES = {
    "display",
    "displaystyle",
    "scriptlevel",
    "mathvariant",
    "stretchy",
    "fence",
    "form",
    "separator",
}
ATTRIBUTES |= {"lspace", "rspace", "minsize", "maxsize", "movablelimits", "largeop", "accent", "accentunder"}
ATTRIBUTES |= {"linethickness", "notation", "columnalign", "columnlines", "rowlines", "rowspacing"}
ATTRIBUTES |= {"columnspacing", "width", "height", "depth", "voffset"}
_VALUE = re.compile(r"(?!.*\d{3})[\w.%+ -]*|[+-]?\d?\.\d+em", re.ASCII)
# A formula that defines words of its own can grow beyond all bounds.
_DEFINES = re.compile(r"\\(def|let|(re)?newcommand|providecommand|DeclareMathOperator|unicode)(?![A-Za-z])")
# LaTeX numbers the lines of these; nobody typed the numbers.
_NUMBERED = re.compile(r"(\\(?:begin|end)\{)(align|gather|equation|multline|alignat)\}")
_COMMENT = re.compile(r"(?<!\\)%")
# What stands for no sign of its own: names of commands and environments, columns of an array, lengths.
_COMMAND = re.compile(
    r"\\begin\{array\}\{[^{}]*\}|\\(?:begin|end)\{[A-Za-z]+\*?\}|\\[hvm]?s(?:pace|kip)\*?\{[^{}]*\}|\\[A-Za-z]+"
)


@lru_cache(maxsize=4_096)
def mathml(latex: str, *, block: bool = False) -> str:
    """The formula as MathML; nothing where some of it could not be drawn or would be lost."""
    if len(latex) > LONGEST or _DEFINES.search(latex) or _COMMENT.search(latex):
        return ""
    try:
        root = _converted(_NUMBERED.sub(r"\1\2*}", latex), block)
        drawn = _written(root)
    except Exception:  # noqa: BLE001
        # The library raises errors of a dozen kinds on what is no LaTeX; it is text then.
        return ""
    return drawn if _letters(_COMMAND.sub(" ", latex)) <= _letters("".join(map(_text, root.iter()))) else ""


def _converted(latex: str, block: bool) -> Element:
    # Half a second to import, and many studies have no formulas.
    from latex2mathml.converter import Converter

    return Converter(display="block" if block else "inline").convert_to_element(latex)


def _text(element: Element) -> str:
    return html.unescape(element.text or "")


def _written(element: Element) -> str:
    """The element with what is in it. ValueError where anything is not known to be safe and whole."""
    tag, children, text = element.tag, list(element), _text(element)
    if tag not in TAGS or TAGS[tag] not in (None, len(children)) or (element.tail or "").strip():
        raise ValueError(f"no element of a formula: {tag}")
    if text.startswith("\\") and len(text) > 1:
        raise ValueError(f"a command that is not known: {text}")
    attributes = "".join(
        f' {name}="{value}"'
        for name, value in element.attrib.items()
        if name in ATTRIBUTES and _VALUE.fullmatch(value)
    )
    inner = "".join(map(_written, children))
    return f"<{tag}{attributes}>{escapeHtml(text)}{inner}</{tag}>"


def _letters(text: str) -> Counter[str]:
    """Letters and digits, however they are set: ℝ is an R."""
    return Counter(c for c in unicodedata.normalize("NFKC", text) if c.isalnum())
