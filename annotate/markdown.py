"""A response in Markdown, for people to judge: laid out, and whole.

Nothing that stands in it may get lost on the way: addresses and titles of links, images and what is said of them,
references, footnotes and the numbers of a list are all shown. Where something is lost all the same (a cell too many in
a table's row), the text stands as it was typed.
"""

import html
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.texmath.index import make_block_func, make_inline_func

from annotate import mathematics

# No images, nothing from elsewhere, and nothing that leads anywhere.
_TAGS = {"p", "br", "hr", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "small"}
_TAGS |= {"h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", *mathematics.TAGS}
_ATTRIBUTES = {"ol": {"start"}, "li": {"value"}} | dict.fromkeys(mathematics.TAGS, mathematics.ATTRIBUTES)
_CLOSING = {"\\(": "\\)", "\\[": "\\]", "$": "$", "$$": "$$", "": ""}


def as_html(text: str) -> str:
    """Safe HTML, below the page's own headings."""
    formulas: list[str] = []
    drawn = nh3.clean(
        _markdown.render(text, {"formulas": formulas}), tags=_TAGS, attributes=_ATTRIBUTES, link_rel=None
    )
    whole = _letters(text) <= _letters(_words(drawn) + "".join(formulas))
    return drawn if whole else _typed(text)


def _typed(text: str) -> str:
    return f"<p>{_in_lines(text)}</p>"


def _in_lines(text: str) -> str:
    return escapeHtml(text).replace("\n", "<br>\n")


def _letters(text: str) -> Counter[str]:
    return Counter(filter(str.isalnum, text))


def _words(drawn: str) -> str:
    """What a reader sees of it, the numbers of lists too."""
    numbers = "".join(re.findall(r'<li value="(\d+)"', drawn))
    return html.unescape(nh3.clean(drawn, tags=set())) + numbers


def _formula(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: dict[str, Any]) -> str:
    token = tokens[at]
    typed = f"{token.markup}{token.content}{_CLOSING[token.markup]}"
    block = token.type not in ("math_inline", "math_round")
    drawn = "" if _is_a_variable(tokens, at) else mathematics.mathml(token.content.strip(), block=block)
    if drawn:
        env["formulas"].append(typed)
    inner = drawn or _in_lines(typed)
    return f"<p>{inner}</p>\n" if token.block else inner


def _is_a_variable(tokens: Sequence[Token], at: int) -> bool:
    """Whether the second dollar sign begins a word, as in $HOME/$USER, though not in "the $n$th"."""
    follows = tokens[at + 1].content[:1] if at + 1 < len(tokens) else ""
    return tokens[at].markup == "$" and follows.isalnum() and tokens[at].content[-1:] in "/:;,.-_ "


def _link_end(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """The address of a link behind its words, unless these are the address."""
    opening = next(tokens[n] for n in range(at, -1, -1) if tokens[n].type == "link_open")
    return "" if opening.info == "auto" else f" ({_address(opening, 'href')})"


def _address(token: Token, name: str) -> str:
    title = token.attrs.get("title", "")
    return escapeHtml(f'{token.attrs[name]} "{title}"' if title else str(token.attrs[name]))


def _image(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """As typed: none is fetched from anywhere."""
    return f"![{escapeHtml(tokens[at].content)}]({_address(tokens[at], 'src')})"


def _fence(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    info = tokens[at].info.strip()
    name = f"<p><small>{escapeHtml(info)}</small></p>\n" if info else ""
    return f"{name}<pre><code>{escapeHtml(tokens[at].content)}</code></pre>\n"


def _item(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """With the number that was typed, which need not be the next."""
    return f'<li value="{tokens[at].info}">' if tokens[at].info.isdecimal() else "<li>"


def _heading(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    level = min(6, int(tokens[at].tag[1]) + 2)
    return f"<h{level}>" if tokens[at].nesting == 1 else f"</h{level}>\n"


class _AsTyped(MarkdownIt):
    """Addresses are read, not followed: they stay as they were typed."""

    def normalizeLink(self, url: str) -> str:
        return url

    def normalizeLinkText(self, link: str) -> str:
        return link


def _parser() -> MarkdownIt:
    md = _AsTyped("commonmark", {"html": False, "breaks": True}).enable("table")
    # What these take out of a text would be gone, or be another: addresses of references, &nbsp; as typed.
    md.disable(["reference", "entity"])
    md.use(amsmath_plugin)
    # With these, "$5 and $6" is money.
    md.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        allow_blank_lines=False,
        double_inline=True,
    )
    round_, square = r"\\\(((?:(?!\\\()[\s\S])+?)\\\)", r"\\\[((?:(?!\\\[)[\s\S])+?)\\\]"
    inline: list[Any] = [
        {"name": "math_round", "rex": re.compile(round_), "tag": "\\(", "tmpl": ""},
        {"name": "math_square", "rex": re.compile(square), "tag": "\\[", "tmpl": ""},
    ]
    for rule in inline:
        md.inline.ruler.before("escape", rule["name"], make_inline_func(rule))
    # What stands behind a formula in its last line is part of a paragraph, and so is the formula then.
    alone: Any = {**inline[1], "rex": re.compile(rf"{square}(?=[ \t]*(?:\n|$))")}
    md.block.ruler.before("fence", "math_square_block", make_block_func(alone), {"alt": ["paragraph"]})
    rules: dict[str, Callable[..., str]] = {
        **dict.fromkeys(
            ("math_inline", "math_inline_double", "math_block", "math_round", "math_square"), _formula
        ),
        **dict.fromkeys(("heading_open", "heading_close"), _heading),
        "amsmath": _formula,
        "link_close": _link_end,
        "image": _image,
        "fence": _fence,
        "list_item_open": _item,
        "link_open": lambda *_: "",
    }
    for name, rule in rules.items():
        md.add_render_rule(name, rule)
    return md


_markdown = _parser()
