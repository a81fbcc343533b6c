"""Characters that nobody sees: marked where a text is read, so that what is judged is what is there."""

import html
import re
import unicodedata

from django.utils.safestring import SafeString, mark_safe

# Fillers and blanks that are letters or symbols to Unicode, and variation selectors, which are marks.
_BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_JOINERS, _DIRECTIONS = "\u200c\u200d", "\u200e\u200f\u061c\u202a-\u202c\u2066-\u2069"
# Turn the letters of any script round: what is read is not what stands there.
_OVERRIDES = "\u202d\u202e"
# The flag of a part of a country: its code is spelled in characters that nobody sees.
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]{3,6}\U000e007f"
# As a set of a regular expression: what texts are marked by, and what ids lose around them.
CHARACTERS = (
    f"\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u180b-\u180f\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f"
    f"\u061c\ufeff\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    f"{_BLANKS}{_SELECTORS}"
)
_UNSEEN = re.compile(f"[{CHARACTERS}]")
# A text in which a reader would see nothing: none, or spaces and characters without a shape alone.
BLANK = re.compile(rf"[{CHARACTERS}\s]*")
# A flag, or one of them so many times.
_RUNS = re.compile(f"{_FLAG}|({_UNSEEN.pattern})\\1*")
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]")


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing: no text, or spaces and characters without a shape alone."""
    return bool(BLANK.fullmatch(text))


def marked(safe_html: str) -> SafeString:
    """HTML in which every character that can't be seen, and changes nothing that can, has a sign of its own."""
    rtl = bool(_RTL.search(safe_html))
    return mark_safe(_RUNS.sub(lambda found: _sign(found, rtl), safe_html))


def _sign(match: re.Match[str], rtl: bool) -> str:
    run, text = match[0], match.string
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    if not match[1] or (len(run) == 1 and _at_work(run, before, after, rtl)):
        return run
    code = f"U+{ord(run[0]):04X}" + (f" × {len(run):,}" if len(run) > 1 else "")
    name = html.escape(unicodedata.name(run[0], "").lower())
    shown = "" if re.match(f"[{_OVERRIDES}\0-\x1f\x7f-\x9f]", run) else run
    return f'<span class="unseen" role="img" aria-label="{code}" title="{name}">{shown}</span>'


def _at_work(character: str, before: str, after: str, rtl: bool) -> bool:
    """Whether it shapes what stands beside it, as in emoji, in Persian or in a text of both directions."""
    if re.match(f"[{_JOINERS}]", character):
        return _shaped(before) and _shaped(after)
    if re.match(f"[{_SELECTORS}]", character):
        return _shaped(before) or (before != "" and before in "#*0123456789")
    return rtl and bool(re.match(f"[{_DIRECTIONS}]", character))


def _shaped(neighbor: str) -> bool:
    """Whether a character has a shape that an invisible one beside it can change: none of ASCII has."""
    seen = not _UNSEEN.match(neighbor) or bool(re.match(f"[{_SELECTORS}]", neighbor))
    return neighbor > "\x7f" and seen and not neighbor.isspace()
