import nh3
from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

register = template.Library()

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

# What a response may look like: no images, nothing from elsewhere, and links are their words only.
_RESPONSE_TAGS = {"p", "br", "hr", "em", "strong", "del", "s", "code", "pre", "blockquote", "ul", "ol", "li"}
_RESPONSE_TAGS |= {"h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}
_RTL = {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ku", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
_RTL_SCRIPTS = {"arab", "hebr", "syrc", "thaa", "nkoo", "adlm"}


@register.filter
def markdown(text: str) -> SafeString:
    """Safe HTML from Markdown: no raw HTML comes through, links open without telling where from."""
    return mark_safe(nh3.clean(_markdown.render(text), link_rel="noopener noreferrer"))


@register.filter
def response_markdown(text: str) -> SafeString:
    """A response as its Markdown means it, below the page's own headings; nothing in it leads anywhere."""
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return mark_safe(nh3.clean(html, tags=_RESPONSE_TAGS, attributes={"ol": {"start"}}, link_rel=None))


@register.filter
def direction(language: str) -> str:
    """`dir` of a text in a BCP 47 language; where the language says nothing, the text itself decides."""
    first, *rest = language.lower().replace("_", "-").split("-")
    scripts = {part for part in rest if len(part) == 4 and part.isalpha()}
    if scripts:
        return "rtl" if scripts & _RTL_SCRIPTS else "auto"
    return "rtl" if first in _RTL else "auto"
