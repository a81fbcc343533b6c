from collections.abc import Callable

import nh3
from django import template
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from markdown_it import MarkdownIt

from annotate.formats.conversations import Turn, read
from annotate.markdown import as_html
from annotate.models import Study
from annotate.unseen import is_blank, marked

register = template.Library()

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

_RTL = {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ku", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
_RTL_SCRIPTS = {"arab", "hebr", "syrc", "thaa", "nkoo", "adlm"}


@register.filter
def markdown(text: str) -> SafeString:
    """Safe HTML from Markdown: no raw HTML comes through, links open without telling where from."""
    return mark_safe(nh3.clean(_markdown.render(text), link_rel="noopener noreferrer"))


@register.filter
def response_markdown(text: str) -> SafeString:
    """A response as its Markdown means it, with all that stands in it."""
    return marked(as_html(text))


@register.filter
def as_typed(text: str) -> SafeString:
    """A text as it is, with a sign for what nobody would see."""
    return marked(escape(text))


SPEAKERS = {
    "user": gettext_lazy("User"),
    "assistant": gettext_lazy("Assistant"),
    "system": gettext_lazy("System"),
    "tool": gettext_lazy("Tool"),
}


@register.filter
def is_plain(text: str, markup: str) -> bool:
    """Whether the text is shown as one run of words, which may be a heading."""
    return markup != Study.Markup.MARKDOWN and len(read(text)) == 1


@register.simple_tag
def shown(text: str, markup: str) -> SafeString:
    """A prompt or response as the study shows it; the turns of a conversation each in a block of their own."""
    as_html = response_markdown if markup == Study.Markup.MARKDOWN else as_typed
    turns = read(text)
    if len(turns) == 1:
        return as_html(text)
    return format_html_join("", "{}", ((_turn(turn, n, as_html),) for n, turn in enumerate(turns, 1)))


def _turn(turn: Turn, number: int, as_html: Callable[[str], SafeString]) -> SafeString:
    who = SPEAKERS.get(turn.role, turn.role.capitalize()) if turn.role else _("Turn %(n)d") % {"n": number}
    role = turn.role if turn.role in SPEAKERS else ""
    return format_html('<div class="turn {}"><p class="who">{}</p>{}</div>', role, who, as_html(turn.text))


@register.filter
def blank(text: str) -> bool:
    return is_blank(text)


@register.filter
def direction(language: str) -> str:
    """`dir` of a text in a BCP 47 language; where the language says nothing, the text itself decides."""
    first, *rest = language.lower().replace("_", "-").split("-")
    scripts = {part for part in rest if len(part) == 4 and part.isalpha()}
    if scripts:
        return "rtl" if scripts & _RTL_SCRIPTS else "auto"
    return "rtl" if first in _RTL else "auto"
