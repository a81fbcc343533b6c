from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString

from judging.results.methods import address_of

if TYPE_CHECKING:
    from judging.stats import Estimate

register = template.Library()

MINUS = "\N{MINUS SIGN}"


def number(value: float | None, digits: int = 2, sign: str = "") -> str:
    """A typeset number; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:{sign}.{digits}f}".replace("-", MINUS)


@register.filter
def typeset(text: str) -> str:
    """A sentence of the statistics with minus signs for its hyphens before numbers."""
    return re.sub(r"(?<![\w\])])-(?=\d)", MINUS, text)


@register.filter
def fixed(value: float | None, digits: int = 2) -> str:
    return number(value, digits)


@register.filter
def p_value(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else number(value, 3)


@register.filter
def signed(value: float | None, digits: int = 2) -> str:
    return number(value, digits, "+")


def _why(e: Estimate) -> str:
    """The reason without the words that stand before it anyway."""
    return (e.reason or "").removeprefix("No interval: ")


@register.filter
def with_interval(e: Estimate, sign: str = "") -> SafeString:
    """Estimate and interval, or in words why there is none."""
    if e.estimate is None:
        return format_html('<span class="quiet">undefined: {}</span>', e.reason)
    if e.low is None:
        return format_html(
            '{} <span class="quiet">no interval: {}</span>', number(e.estimate, 2, sign), _why(e)
        )
    return format_html(
        '{} <span class="ci">[{}, {}]</span>',
        number(e.estimate, 2, sign),
        number(e.low, 2, sign),
        number(e.high, 2, sign),
    )


@register.filter
def percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"


@register.filter
def tenths(value: float | None) -> str:
    """A share as percent with one decimal, without the sign."""
    return "–" if value is None else f"{value * 100:.1f}"


@register.filter
def share(e: Estimate) -> SafeString:
    """A share in percent with its interval and what it rests on, or in words why there is none."""
    if e.estimate is None:
        return format_html('<span class="quiet">{}</span>', e.reason)
    if e.low is None or e.high is None:
        text = '{} <span class="ci">of {}; no interval: {}</span>'
        return format_html(text, percent(e.estimate), f"{e.n:,}", _why(e))
    return format_html(
        '{} <span class="ci">[{}, {}] of {}</span>',
        percent(e.estimate),
        f"{e.low * 100:.0f}",
        f"{e.high * 100:.0f}",
        f"{e.n:,}",
    )


@register.filter
def counted(e: Estimate, sign: str = "") -> SafeString:
    """Estimate and interval and what they rest on, or in words why there is none."""
    if e.estimate is None:
        return format_html('<span class="quiet">{}</span>', e.reason)
    return format_html('{} <span class="ci">n = {}</span>', with_interval(e, sign), f"{e.n:,}")


@register.filter
def seconds(value: float | None) -> str:
    """A length of time; a dash where it is not known."""
    if value is None:
        return "–"
    return f"{value:.1f} s" if value < 60 else f"{value / 60:.1f} min"


@register.filter
def milliseconds(value: int | None) -> str:
    return seconds(None if value is None else value / 1000)


@register.filter
def cell(value: object) -> str:
    """A cell of a table: a number to three digits or so, an estimate with its interval, or the words themselves."""
    if isinstance(value, tuple):
        estimate, low, high = value
        if low is None or high is None:
            return cell(estimate)
        return format_html('{} <span class="ci">[{}, {}]</span>', cell(estimate), cell(low), cell(high))
    if isinstance(value, float):
        return _short(value)
    if isinstance(value, int):
        return f"{value:,}".replace("-", MINUS)
    return "–" if value is None else str(value)


TINY = 5e-6


def _short(value: float) -> str:
    size = abs(value)
    if 0 < size < TINY:
        return "< 0.00001" if value > 0 else f"> {MINUS}0.00001"
    if size >= 1000:
        return number(value, 0, ",")
    return number(value, 5 if 0 < size < 0.0005 else 3 if size < 1 else 2 if size < 10 else 1)


@register.filter
def chart_data(spec: dict[str, Any], key: str) -> SafeString:
    """A chart's specification as data that a script reads and nothing runs.

    Its rows without the names of their columns in each, which charts.js adds again: half the length, or less.
    """
    sets = {name: _packed(rows) for name, rows in spec.get("datasets", {}).items()}
    return json_script(spec | {"datasets": sets}, f"spec-{key}")


def _packed(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    fields = list(dict.fromkeys(name for row in rows for name in row))
    return {"fields": fields, "rows": [[row.get(name) for name in fields] for row in rows]}


@register.filter
def bar_width(share: float) -> str:
    """A share of 1 as a width of 100."""
    return f"{share * 100:.1f}"


@register.filter
def cell_class(value: object) -> SafeString:
    """A class for a cell that needs room, for sentences, or stands to the right, for a number."""
    name = (
        "why" if isinstance(value, str) and len(value) > 60 else "n" if isinstance(value, int | float) else ""
    )
    return SafeString(f' class="{name}"' if name else "")


@register.simple_tag
def concern(row: Any, column: str) -> str:
    """A class for a cell of the monitor that is worth a look."""
    return " unusual" if column in row.concerns else ""


@register.simple_tag
def method(anchor: str) -> str:
    """The address of what explains it."""
    return address_of(anchor)
