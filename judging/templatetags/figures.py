from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from judging.stats import Estimate

register = template.Library()

MINUS = "\N{MINUS SIGN}"


def number(value: float | None, digits: int = 2, sign: str = "") -> str:
    """A typeset number; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:{sign}.{digits}f}".replace("-", MINUS)


@register.filter
def fixed(value: float | None, digits: int = 2) -> str:
    return number(value, digits)


@register.filter
def p_value(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else number(value, 3)


@register.filter
def signed(value: float | None, digits: int = 2) -> str:
    return number(value, digits, "+")


@register.filter
def with_interval(e: Estimate, sign: str = "") -> SafeString:
    """Estimate and interval, or in words why there is none."""
    if e.estimate is None:
        return format_html('<span class="quiet">undefined: {}</span>', e.reason)
    if e.low is None:
        return format_html(
            '{} <span class="ci">no interval: {}</span>', number(e.estimate, 2, sign), e.reason
        )
    return format_html(
        '{} <span class="ci">[{}, {}]</span>',
        number(e.estimate, 2, sign),
        number(e.low, 2, sign),
        number(e.high, 2, sign),
    )
