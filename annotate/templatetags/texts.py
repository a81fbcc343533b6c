import nh3
from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from annotate.markdown import as_html
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
