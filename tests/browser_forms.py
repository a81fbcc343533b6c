"""What a browser makes of a rendered form: its fields as they stand, sent with line ends as browsers send them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from django.test import Client

# What a browser sends no value of unless it is pressed or chosen.
UNSENT = {"submit", "button", "reset", "image", "file"}


@dataclass
class BrowserForm:
    action: str = ""
    method: str = "get"
    fields: dict[str, list[str]] = field(default_factory=dict)
    textareas: dict[str, str] = field(default_factory=dict)

    def sent(self, changes: dict[str, Any] | None = None) -> dict[str, list[str]]:
        """The fields with these changes (None: left out), each text with CRLF."""
        values = dict(self.fields)
        for name, value in (changes or {}).items():
            values[name] = [] if value is None else [str(v) for v in _listed(value)]
        return {
            name: [v.replace("\r\n", "\n").replace("\n", "\r\n") for v in each]
            for name, each in values.items()
        }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[BrowserForm] = []
        self.open: BrowserForm | None = None
        self.text: tuple[str, list[str]] | None = None
        self.select: tuple[str, list[str], list[str], bool] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open = BrowserForm(at.get("action", ""), at.get("method", "get").lower())
            self.forms.append(self.open)
        if self.open is None or "disabled" in at:
            return
        if tag == "input":
            self._input(self.open, at)
        elif tag == "textarea" and "name" in at:
            self.text = at["name"], []
        elif tag == "select" and "name" in at:
            self.select = at["name"], [], [], "multiple" in at
        elif tag == "option" and self.select:
            self.select[1].append(at.get("value", ""))
            self.select[2].extend([at.get("value", "")] if "selected" in at else [])

    def _input(self, form: BrowserForm, at: dict[str, str]) -> None:
        kind = at.get("type", "text")
        chosen = kind not in ("checkbox", "radio") or "checked" in at
        if "name" in at and kind not in UNSENT and chosen:
            value = at.get("value", "on" if kind == "checkbox" else "")
            # A field of one line holds no newline.
            one_line = value if kind == "hidden" else value.replace("\r", "").replace("\n", "")
            form.fields.setdefault(at["name"], []).append(one_line)

    def handle_data(self, data: str) -> None:
        if self.text:
            self.text[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "textarea" and self.text and self.open:
            # The first newline after the tag is no part of the text.
            name, text = self.text[0], "".join(self.text[1]).removeprefix("\n")
            self.open.fields.setdefault(name, []).append(text)
            self.open.textareas[name] = text
            self.text = None
        elif tag == "select" and self.select and self.open:
            name, there, selected, several = self.select
            self.open.fields.setdefault(name, []).extend(selected or ([] if several else there[:1]))
            self.select = None


def forms_of(html: str) -> list[BrowserForm]:
    """The forms of a page that are posted."""
    parser = _Forms()
    parser.feed(html)
    return [form for form in parser.forms if form.method == "post"]


def main_form(html: str) -> BrowserForm:
    """The form of a page with the most fields."""
    return max(forms_of(html), key=lambda form: len(form.fields))


def submit(client: Client, path: str, changes: dict[str, Any] | None = None, having: str = "") -> Any:
    """Open a page, change its main form (or that with such a field), and send it as a browser does."""
    html = client.get(path).content.decode()
    form = next(f for f in forms_of(html) if having in f.fields) if having else main_form(html)
    return client.post(urljoin(path, form.action), form.sent(changes))
