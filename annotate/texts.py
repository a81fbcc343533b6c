"""One rule for newlines, one for ids and one for languages, wherever they come in: a form, a file, the API."""

import re
import unicodedata

from django.conf.locale import LANG_INFO

from annotate.unseen import CHARACTERS


def one_newline(text: str) -> str:
    r"""Line ends as Unix writes them, whatever the browser, spreadsheet or editor made of them.

    >>> one_newline("a\r\nb\rc")
    'a\nb\nc'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


_AROUND = re.compile(rf"^[\s{CHARACTERS}]+|[\s{CHARACTERS}]+$")


def trimmed(key: str) -> str:
    r"""An id without the white space and the unseen characters around it: nobody means them.

    >>> trimmed("\ufeffann\u200b ")
    'ann'
    """
    return _AROUND.sub("", key)


def lookalike(key: str) -> str:
    """What two ids have in common that nobody can tell apart at a glance: by case, width, unseen characters."""
    plain = unicodedata.normalize("NFKC", re.sub(f"[{CHARACTERS}]", "", key))
    # 7.0 is what a program made of 7, and 07 what a spreadsheet makes 7 of.
    number = re.fullmatch(r"0*(\d+?)(\.0+)?", plain.strip())
    return number[1] if number else " ".join(plain.split()).casefold()


_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_NAMES = {info["name"].casefold(): code for code, info in LANG_INFO.items() if "name" in info}


def language_tag(language: str) -> str:
    """A language as a BCP 47 tag, also from a locale's name or its English name; empty for what is neither.

    >>> language_tag("zh_CN"), language_tag("Arabic"), language_tag("Klingonese")
    ('zh-CN', 'ar', '')
    """
    tag = language.strip().partition(".")[0].replace("_", "-")
    return tag if _TAG.fullmatch(tag) and len(tag) <= 35 else _NAMES.get(language.strip().casefold(), "")
