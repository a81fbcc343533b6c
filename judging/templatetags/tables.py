"""Cells of `judging.results.table.Table` on a page: one number a cell, its interval and n below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from judging.results.methods import address_of
from judging.templatetags.figures import number, p_value, percent

if TYPE_CHECKING:
    from judging.results.table import Cell, Column, Link, Table
    from judging.stats import Estimate

register = template.Library()


@register.simple_tag
def table_cell(column: Column[Any], cell: Cell) -> SafeString | str:
    # Django imports all tags at its start; what a table is made of takes seconds to import.
    from judging.results.table import Link
    from judging.stats import Estimate

    if isinstance(cell, Estimate):
        return _estimate(column, cell)
    if isinstance(cell, Link):
        return _link(cell)
    if isinstance(cell, float):
        return _number(column, cell)
    if isinstance(cell, int):
        return f"{cell:,}"
    return "–" if cell is None else cell


def _estimate(column: Column[Any], e: Estimate) -> SafeString:
    if e.estimate is None:
        return format_html('<span class="quiet why-none">undefined: {}</span>', e.reason)
    main = _number(column, e.estimate)
    if e.low is None or e.high is None:
        why = (e.reason or "").removeprefix("No interval: ")
        words = '{}<br><span class="ci why-none">n = {}; no interval: {}</span>'
        return format_html(words, main, f"{e.n:,}", why)
    ends = _number(column, e.low), _number(column, e.high)
    return format_html('{}<br><span class="ci">[{}, {}], n = {}</span>', main, *ends, f"{e.n:,}")


def _number(column: Column[Any], value: float | None) -> str:
    if column.style == "percent":
        return percent(value)
    if column.style == "p":
        return p_value(value)
    return number(value, column.digits, column.sign)


def _link(cell: Link) -> SafeString:
    text: SafeString | str = (
        format_html('<a href="{}">{}</a>', cell.href, cell.text) if cell.href else cell.text
    )
    if cell.lang:
        text = format_html('<span class="text" dir="auto" lang="{}">{}</span>', cell.lang, text)
    if cell.note:
        return format_html('{}<br><span class="quiet">{}</span>', text, cell.note)
    return format_html("{}", text)


@register.simple_tag
def head_title(column: Column[Any], place: int) -> SafeString | str:
    """A title that leads to what explains it; the first column names the rows."""
    address = address_of(column.key) if place else ""
    return format_html('<a class="term" href="{}">{}</a>', address, column.title) if address else column.title


@register.simple_tag
def head_style(table: Table, place: int) -> SafeString:
    """A title stands above its numbers."""
    cells = [row[place] for row in table.rows if row[place] is not None]
    if not place or not cells or table.columns[place].style == "why":
        return SafeString("")
    from judging.stats import Estimate

    numbers = all(isinstance(cell, int | float | Estimate) for cell in cells)
    return SafeString(' class="n"' if numbers else "")


_STATES = {"yes": "well", "no": "ill"}


@register.simple_tag
def cell_style(column: Column[Any], cell: Cell) -> SafeString:
    """Numbers stand to the right; sentences get room; states have a colour beside their word."""
    if column.style == "why":
        return SafeString(' class="why"')
    if column.style == "state":
        return SafeString(f' class="state {_STATES.get(str(cell), "open")}"')
    from judging.stats import Estimate

    is_number = isinstance(cell, int | float | Estimate) or cell is None
    return SafeString(' class="n"' if is_number else "")
