"""Markdown that a researcher or a model wrote: nothing of it runs, and a response leads nowhere."""

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.common.utils import escapeHtml

from annotate import code, mathematics
from annotate.formats.conversations import SEPARATOR, Turn, read, written
from annotate.markdown import as_html
from annotate.templatetags.texts import as_typed, blank, is_plain, markdown, response_markdown, shown
from tests.attacks import ATTACKS

# What Markdown itself makes; raw HTML is text.
OURS = {"p", "br", "hr", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a", "img", "table"}
OURS |= {"thead", "tbody", "tr", "th", "td", *(f"h{n}" for n in range(1, 7))}
RESPONSE = OURS - {"a", "img", "h1", "h2"} | {"small", "span", *mathematics.TAGS}
CLASSES = {"unseen", *code.CLASSES}  # those of colored code, too
LINKS = {"http", "https", "mailto", ""}
SAFE = {"href": LINKS, "src": LINKS}
PLAIN = {"title", "alt", "rel", "start", "value", "role", "aria-label", *mathematics.ATTRIBUTES}


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
            if (
                not (name == "class" and value in CLASSES)
                and name not in PLAIN
                and scheme not in SAFE.get(name, set())
            ):
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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Roses are red\nviolets are blue", "<p>Roses are red<br>\nviolets are blue</p>\n"),
        ('[1]: https://x.org/a "T"\n\nsee [1]', '<p>[1]: https://x.org/a "T"</p>\n<p>see [1]</p>\n'),
        ("so[^1]\n\n[^1]: a note", "<p>so[^1]</p>\n<p>[^1]: a note</p>\n"),
        ('[words](https://x.org/a?b=%C3%BC "t")', '<p>words (https://x.org/a?b=%C3%BC "t")</p>\n'),
        ("<https://x.org/a>", "<p>https://x.org/a</p>\n"),
        ("![a *cat*](https://x.org/c.png)", "<p>![a *cat*](https://x.org/c.png)</p>\n"),
        (
            "1. a\n1. b\n7. c",
            '<ol>\n<li value="1">a</li>\n<li value="1">b</li>\n<li value="7">c</li>\n</ol>\n',
        ),
        ("```python\nx\n```", "<p><small>python</small></p>\n<pre><code>x\n</code></pre>\n"),
        ("&lt;b&gt; &nbsp;", "<p>&amp;lt;b&amp;gt; &amp;nbsp;</p>\n"),
        ("| a |\n|---|\n| 1 | 2 |", "<p>| a |<br>\n|---|<br>\n| 1 | 2 |</p>"),
        ("$5 and $6, US$7, $8-$9", "<p>$5 and $6, US$7, $8-$9</p>\n"),
        ("$HOME/$USER $PATH", "<p>$HOME/$USER $PATH</p>\n"),
        (r"$\foo{x}$ and \(\frac{a}\)", "<p>$\\foo{x}$ and \\(\\frac{a}\\)</p>\n"),
        (r"$\color{red}x$ $\phantom{x}$", "<p>$\\color{red}x$ $\\phantom{x}$</p>\n"),
        ("`$x$`", "<p><code>$x$</code></p>\n"),
    ],
)
def test_a_response_is_laid_out_and_whole(text: str, shown: str) -> None:
    assert response_markdown(text) == shown


SQUARE = "<mrow><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></mrow></math>"


@pytest.mark.parametrize(
    "typed", ["$E=mc^2$", "\\(E=mc^2\\)", "$$E=mc^2$$", "\\[E=mc^2\\]", "\\[\nE\n=mc^2\n\\]"]
)
def test_mathematics_is_drawn_without_a_script(typed: str) -> None:
    display = "inline" if typed[:2] in ("$E", "\\(") else "block"
    drawn = f'<math display="{display}">{SQUARE}'
    assert response_markdown(typed) == f"<p>{drawn}</p>\n"
    assert f"so {drawn} it" in response_markdown(f"so {typed} it") or "\n" in typed


def test_more_mathematics() -> None:
    for typed in (r"$a*b*c$", r"$\{1,2\}$", r"$x_1*x_2$", r"the $n$th", r"$\text{a<b}$", r"$\mathbb{R}^n$"):
        assert "<math" in response_markdown(typed), typed
    aligned = response_markdown("\\begin{align}\na&=b\\\\\nc&=d\n\\end{align}\nafter")
    assert aligned.count("<mtr>") == 2
    assert "(1)" not in aligned
    assert aligned.endswith("<p>after</p>\n")


@settings(deadline=None)
@given(
    st.lists(
        PIECES | st.sampled_from(["$", "$$", "\\(", "\\)", "\\[", "\\]", "\\frac{", "}", "1. "]), max_size=12
    )
)
def test_no_word_gets_lost_however_it_is_put_together(pieces: list[str]) -> None:
    text = "".join(pieces)
    words = re.findall(r"[^\W\d_]{4,}", text)
    seen = unescape(re.sub(r"<[^>]*>", "", response_markdown(text)))
    if "<math" not in response_markdown(text):
        assert [word for word in words if word not in seen] == []


@pytest.mark.parametrize(
    "text", ["", " \n\t ", "\u200b\u200b", "\ufeff", "\u2800", "\u3164\u00ad", "\u00a0\u3000"]
)
def test_what_nobody_sees_is_empty(text: str) -> None:
    assert blank(text)


@pytest.mark.parametrize("text", ["a", "\u200ba", ".", "\u202eb", "👩\u200d👩", "0"])
def test_what_somebody_sees_is_not(text: str) -> None:
    assert not blank(text)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("zero\u200bwidth \ufeff", ["U+200B", "U+FEFF"]),
        ("soft\u00adly a\u200db \u2060", ["U+00AD", "U+200D", "U+2060"]),
        ("bidi \u202eevil\u202c", ["U+202E", "U+202C"]),
        ("left\u200e", ["U+200E"]),
        ("hidden\U000e0041\U000e0042", ["U+E0041", "U+E0042"]),
        ("bell\x07", ["U+0007"]),
        ("many" + "\u200b" * 1_200, ["U+200B × 1,200"]),
        ("\u200c\u200d\u200c\u200d", ["U+200C", "U+200D", "U+200C", "U+200D"]),
        ("👩\u200d👩\u200d👧 🏳\ufe0f\u200d🌈 1\ufe0f\u20e3 ❤\ufe0f", []),
        ("می\u200cخواهم \u200fعربي 123\u200e", []),
        ("क्\u200dष e\u0301 z\u0338\u0322", []),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", []),
        ("plain\ttext\nof lines\r\n", []),
    ],
)
def test_invisible_characters_are_marked_unless_they_are_at_work(text: str, codes: list[str]) -> None:
    for html in (as_typed(text), response_markdown(text)):
        assert re.findall(r'class="unseen" role="img" aria-label="([^"]+)"', html) == codes
    without = re.sub(r'<span class="unseen"[^>]*>(.*?)</span>', r"\1", as_typed(text))
    assert unescape(without) == re.sub("[\u202e\x07]", "", text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Roses are red,\n    violets are blue,\n  sugar", "Roses are red,|    violets are blue,|  sugar"),
        ("  first\n\n   second\n\tthird", "  first||   second|    third"),
        ("a  \n  b\\\n   c", "a|  b|   c"),
        ("> q\n>   r", "q|  r"),
        ("- one\n    two", "one|  two"),
        ("a   b\tc **x   y**", "a   b    c x   y"),
        ("a\n\u3000b", "a|\u3000b"),
        ("<b>\n   typed", "<b>|   typed"),
    ],
)
def test_spaces_of_markdown_are_all_seen(text: str, shown: str) -> None:
    """A browser makes one of several spaces, and none of those at the start of a line, unless they are no-break."""
    lines = unescape(re.sub(r"</p>\n<p>", "||", as_html(text)).replace("<br>\n", "|"))
    lines = re.sub(r"</?(p|ul|li|blockquote|strong)>\n?", "", lines).strip("\n")
    assert re.search(r"(^|\|) |  ", lines) is None
    assert lines.replace("\u00a0", " ") == shown


def test_code_is_colored_by_classes_and_loses_nothing() -> None:
    text = "def total(x):\n\treturn sum(x)  # <b>both</b>\n\n"
    html = as_html(f"```python\n{text}```")
    assert '<span class="k">def</span>' in html
    assert '<span class="c"># &lt;b&gt;both&lt;/b&gt;</span>' in html
    assert "style=" not in html
    assert unescape(re.sub("<[^>]+>", "", html)).removeprefix("python\n") == f"{text}\n"


@pytest.mark.parametrize("info", ["", "no-such-language", "python" * 99])
def test_code_of_an_unknown_language_is_shown_without_colors(info: str) -> None:
    assert code.colored("a < b", info) == "a &lt; b"


@given(st.text(), st.sampled_from(["python", "js", "html", "json", "c++", "bash", "console"]))
def test_colors_change_no_character(text: str, language: str) -> None:
    assert re.sub(r"</?span[^>]*>", "", code.colored(text, language)) == escapeHtml(text)


TURNS = [Turn("system", "Be kind."), Turn("user", "Add **1** and 1:\n\n<b>"), Turn("assistant", "*Two*")]


def test_a_conversation_is_shown_turn_by_turn() -> None:
    text = written(TURNS)
    assert read(text) == TURNS
    assert not is_plain(text, "plain")
    html = shown(text, "markdown")
    assert [role for _, role in re.findall('class="(turn) ([a-z]*)"', html)] == [
        "system",
        "user",
        "assistant",
    ]
    assert re.findall('class="who">([^<]+)<', html) == ["System", "User", "Assistant"]
    assert "<em>Two</em>" in html
    assert "*Two*" in shown(text, "plain")
    assert "<b>" not in html


def test_turns_of_one_speaker_are_numbered_and_other_texts_are_no_conversation() -> None:
    assert re.findall('class="who">([^<]+)<', shown(SEPARATOR.join(["One?", "Two?"]), "plain")) == [
        "Turn 1",
        "Turn 2",
    ]
    for text in ("User:\n\nHi", "A line\n⸻\nand another", ""):
        assert is_plain(text, "plain")
        assert shown(text, "plain") == as_typed(text)


def test_headings_of_a_response_leave_no_level_out() -> None:
    assert re.findall(r"<(h\d)>", as_html("## A\n\n#### B\n\n## C")) == ["h3", "h4", "h3"]
