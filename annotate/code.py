"""PURE: code in the colors of its language, by five classes that the style sheet knows."""

from functools import lru_cache

from markdown_it.common.utils import escapeHtml
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

# Beyond it coloring takes longer than a page should.
LONGEST = 20_000
_NAMES = (
    Token.Name.Builtin,
    Token.Name.Function,
    Token.Name.Class,
    Token.Name.Decorator,
    Token.Name.Exception,
)
CLASSES: dict[str, tuple[_TokenType, ...]] = {
    "k": (Token.Keyword, Token.Operator.Word, Token.Name.Tag),
    "s": (Token.Literal.String,),
    "c": (Token.Comment,),
    "m": (Token.Literal.Number,),
    "f": (*_NAMES, Token.Name.Attribute),
}


@lru_cache(maxsize=256)
def colored(text: str, info: str) -> str:
    """HTML of the code; without colors where its language isn't said, isn't known, or would lose a character."""
    language = info.split()[0].strip("{.}").lower() if info else ""
    tokens = _tokens(text, language) if language and len(text) <= LONGEST else []
    if "".join(part for _, part in tokens) != text:
        return escapeHtml(text)
    return "".join(_span(kind, escapeHtml(part)) for kind, part in tokens)


def _tokens(text: str, language: str) -> list[tuple[_TokenType, str]]:
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)  # type: ignore[no-untyped-call]
        return list(lexer.get_tokens(text))
    except ClassNotFound:
        return []


def _span(kind: _TokenType, html: str) -> str:
    name = next((name for name, kinds in CLASSES.items() if any(kind in one for one in kinds)), "")
    return f'<span class="{name}">{html}</span>' if name else html
