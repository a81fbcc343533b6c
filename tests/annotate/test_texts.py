"""Markdown that a researcher or a model wrote: nothing of it runs, and a response leads nowhere."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.templatetags.texts import markdown, response_markdown
from tests.attacks import ATTACKS

# What Markdown itself makes; raw HTML is text.
OURS = {"p", "br", "hr", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a", "img", "table"}
OURS |= {"thead", "tbody", "tr", "th", "td", *(f"h{n}" for n in range(1, 7))}
RESPONSE = OURS - {"a", "img", "h1", "h2"}
LINKS = {"http", "https", "mailto", ""}
SAFE = {"href": LINKS, "src": LINKS}
PLAIN = {"title", "alt", "rel", "start"}


class Found(HTMLParser):
    """Tags and attributes of a piece of HTML, as a browser's own parser finds them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.comments: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        self.comments.append(decl)


def harmful(html: str, allowed: set[str]) -> list[str]:
    found = Found(html)
    wrong = [f"comment {c}" for c in found.comments]
    for tag, attributes in found.tags:
        if tag not in allowed:
            wrong.append(f"<{tag}>")
        for name, value in attributes.items():
            scheme = urlsplit(re.sub(r"[\0-\x20]", "", value or "")).scheme.lower()
            if name not in PLAIN and scheme not in SAFE.get(name, set()):
                wrong.append(f"{name}={value}")
    return wrong


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_runs(text: str) -> None:
    assert harmful(markdown(text), OURS) == []
    assert harmful(response_markdown(text), RESPONSE) == []


def test_what_is_harmful_is_found() -> None:
    """The check itself can fail."""
    for html in ("<script>", "<a href='javascript:1'>", "<p onclick=1>", "<!-- x -->", "<a href=' data:x'>"):
        assert harmful(html, OURS), html


PIECES = st.sampled_from(
    [*ATTACKS, "**", "`", "```\n", "[", "](", ")", "<", ">", "\n\n", "> ", "- ", "|", "&#", '"']
)


@settings(deadline=None)
@given(st.lists(PIECES | st.text(max_size=20), max_size=12).map("".join))
def test_nothing_runs_however_it_is_put_together(text: str) -> None:
    assert harmful(markdown(text), OURS) == []
    assert harmful(response_markdown(text), RESPONSE) == []


def test_links_of_instructions_tell_nobody_where_from() -> None:
    assert 'rel="noopener noreferrer"' in markdown("[a](https://example.org)")
    assert "href" not in response_markdown("[a](https://example.org)")
    assert "a" in response_markdown("[a](https://example.org)")
