"""A response in Markdown, for people to judge: laid out, and whole.

Nothing that stands in it may get lost on the way: addresses and titles of links, images and what is said of them,
references, footnotes and the numbers of a list are all shown. Where something is lost all the same (a cell too many in
a table's row), the text stands as it was typed.
"""

import html
import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, escape, newline
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.texmath.index import make_block_func, make_inline_func

from annotate import code, mathematics

InlineRule = Callable[[StateInline, bool], bool]

# No images, nothing from elsewhere, and nothing that leads anywhere.
_TAGS = {"p", "br", "hr", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "small"}
_TAGS |= {"h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", *mathematics.TAGS}
_TAGS |= {"span"}  # of colored code
_ATTRIBUTES = {"span": {"class"}, "ol": {"start"}, "li": {"value"}}
_ATTRIBUTES |= dict.fromkeys(mathematics.TAGS, mathematics.ATTRIBUTES)
_NBSP = "\u00a0"
_SEVERAL = re.compile(r" {2,}|\t+[ \t]*")
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
    lines = (_spaced(line) for line in text.split("\n"))
    return escapeHtml("\n".join(lines)).replace("\n", "<br>\n")


def _spaced(line: str) -> str:
    """A line whose spaces a browser does not make one: those before it, and all but one of several."""
    rest = line.lstrip(" \t")
    before = line[: len(line) - len(rest)].expandtabs(4)
    return _NBSP * len(before) + _SEVERAL.sub(lambda run: _NBSP * (len(run[0].expandtabs(4)) - 1) + " ", rest)


def _text(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    return escapeHtml(_SEVERAL.sub(lambda run: _spaced(f".{run[0]}")[1:], tokens[at].content))


def _keeping_indents(rule: InlineRule) -> InlineRule:
    """The same rule, with the spaces that it skips at the start of the next line."""

    def kept(state: StateInline, silent: bool) -> bool:
        before = state.pos
        matched = rule(state, silent)
        skipped = state.src[before : state.pos].rpartition("\n")
        if matched and skipped[1] and not silent:
            state.pending += _spaced(skipped[2])
        return matched

    return kept


def _first_indents(state: StateCore) -> None:
    """Paragraphs begin with the spaces that stand before their first line."""
    lines = state.src.split("\n")
    for opening, inline in itertools.pairwise(state.tokens):
        if opening.type == "paragraph_open" and opening.level == 0 and opening.map:
            line = lines[opening.map[0]]
            inline.content = _spaced(line[: len(line) - len(line.lstrip())]) + inline.content


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
    return f"{name}<pre><code>{code.colored(tokens[at].content, info)}</code></pre>\n"


def _item(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """With the number that was typed, which need not be the next."""
    return f'<li value="{tokens[at].info}">' if tokens[at].info.isdecimal() else "<li>"


def _heading(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    tag = tokens[at].tag
    return f"<{tag}>" if tokens[at].nesting == 1 else f"</{tag}>\n"


def _levels(state: StateCore) -> None:
    """Headings below the page's own, with no level left out: whoever hears the page goes by them."""
    headings = [t for t in state.tokens if t.type in ("heading_open", "heading_close")]
    levels = sorted({token.tag for token in headings})
    for token in headings:
        token.tag = f"h{min(6, 3 + levels.index(token.tag))}"


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
    for name, rule in (("newline", newline), ("escape", escape)):
        md.inline.ruler.at(name, _keeping_indents(rule))
    md.core.ruler.after("block", "first_indents", _first_indents)
    md.core.ruler.after("block", "levels", _levels)
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
        "text": _text,
        "link_open": lambda *_: "",
    }
    for name, rule in rules.items():
        md.add_render_rule(name, rule)
    return md


_markdown = _parser()
