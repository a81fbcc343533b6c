"""How a file of another tool is to be read, as the pages of answers and of scores ask it."""

from collections import Counter
from pathlib import Path
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict

from annotate import pending_uploads
from annotate.folder import FolderError
from annotate.folder.problems import Problem, quoted
from annotate.formats import Options
from annotate.formats.numbers import is_plain
from annotate.formats.options import header_of
from annotate.formats.readers.mapped import ROLES
from annotate.formats.source import sources
from annotate.formats.votes import MEANINGS, WORDS
from annotate.views.desk import posted

SHOWN = 3
NAMED = 20
MOST_VALUES = 40
# A form may have a thousand fields, and nobody maps so many columns by hand: `--map` does.
MOST_COLUMNS = 300
# What a column may mean, beside the roles that every table knows.
FURTHER = {"rating.quality": "a rating of quality", "rating.originality": "a rating of originality"}
CHOICES = [
    ("", "–"),
    *((role, f"{role}: {text}") for role, text in (ROLES | FURTHER).items() if role != "scale"),
]


class ReadingForm(forms.Form):
    """What the command line calls --scorer, --encoding, --quotes, --decimal, --header, --map and --skip-bad-rows."""

    scorer = forms.CharField(
        required=False,
        max_length=200,
        label="Scorer",
        help_text="The machine whose scores the files hold, if they don't say.",
    )
    encoding = forms.CharField(
        required=False,
        max_length=40,
        label="Encoding",
        help_text="Of text. Empty: UTF-8, or as it can be told.",
    )
    quotes = forms.ChoiceField(
        required=False,
        choices=[("", "as the file shows"), ("cells", "enclose cells"), ("letters", "are letters")],
        label="Quotes in CSV",
    )
    decimal = forms.ChoiceField(
        required=False,
        choices=[("", "as each column shows"), (".", "a point"), (",", "a comma")],
        label="Decimal mark",
    )
    header = forms.CharField(
        required=False,
        max_length=2000,
        label="Columns",
        help_text="Of a file without a header: NAME,NAME.",
    )
    further = forms.RegexField(
        r"^(\s*[\w.]+=\S+)*\s*$",
        required=False,
        label="Further",
        help_text="As --map takes it: max_rating=10, criterion=KEY, score.NAME=COLUMN, similarity=TAG.",
    )
    skip_bad_rows = forms.BooleanField(
        required=False, label="Leave bad rows out", help_text="Each is listed with its reason."
    )


def update(kept: dict[str, Any], request: HttpRequest, form: forms.Form) -> None:
    """Remember what was sent: the form's fields, the meaning of columns, and of values."""
    sent = posted(request) or QueryDict()
    kept |= {"choices": form.cleaned_data, "map": _mapping(sent), "values": _meanings(sent)}


def _mapping(sent: QueryDict) -> dict[str, str]:
    """Role to column; several columns of one role are one person each."""
    mapping: dict[str, str] = {}
    for column, role in zip(sent.getlist("column"), sent.getlist("role"), strict=False):
        if role in dict(CHOICES) and role:
            mapping[role] = f"{mapping[role]},{column}" if role in mapping else column
    return mapping


def _meanings(sent: QueryDict) -> dict[str, str]:
    """What each value means: a vote, or a number."""
    numbers = sent.getlist("number") or [""] * len(sent.getlist("value"))
    rows = zip(sent.getlist("value"), sent.getlist("meaning"), numbers, strict=False)
    meanings = {value: number.strip() if is_plain(number) else meaning for value, meaning, number in rows}
    return {value: m for value, m in meanings.items() if m in MEANINGS or is_plain(m)}


def options_of(kept: dict[str, Any], **further: Any) -> Options:
    """What is kept of a form as the readers take it."""
    choices, mapping = kept["choices"], dict(kept.get("map") or {})
    if choices.get("scale"):
        mapping["scale"] = choices["scale"].replace(" ", "")
    mapping |= dict(pair.split("=", 1) for pair in (choices.get("further") or "").split())
    return Options(
        scorer=choices.get("scorer") or "",
        mapping=mapping,
        encoding=choices.get("encoding") or "",
        quotes=choices.get("quotes") or "",
        decimal=choices.get("decimal") or "",
        header=header_of(choices.get("header") or ""),
        skip_bad_rows=bool(choices.get("skip_bad_rows")),
        values=kept.get("values") or {},
        **further,
    )


def context_of(folder: Path, kept: dict[str, Any], options: Options) -> dict[str, Any]:
    """What the page asks beside the form: the meaning of columns and of codes."""
    return {
        "columns": _columns(folder, kept, options),
        "mapping": kept.get("map"),
        "codes": _codes(options.codes, kept.get("values") or {}),
    }


def _columns(folder: Path, kept: dict[str, Any], options: Options) -> list[dict[str, Any]]:
    """The columns of the first file with what stands in them, and what each is taken for."""
    mapping = kept.get("map") or {}
    roles = {column: role for role, named in mapping.items() for column in (named, *named.split(","))}
    try:
        rows = sources(pending_uploads.paths(folder)[0], options=options)[0].head(SHOWN)
    except FolderError:
        return []
    names = list(dict.fromkeys(name for row in rows for name in row))[:MOST_COLUMNS]
    return [
        {
            "name": name,
            "role": roles.get(name, ""),
            "cells": [quoted(row.get(name)) for row in rows],
            "choices": CHOICES,
        }
        for name in names
    ]


def _codes(codes: Counter[str], meanings: dict[str, str]) -> list[dict[str, Any]]:
    """The values of votes, and words for numbers, each with its count and what it is taken for."""
    choices = [("", "as the word says"), *((name, WORDS[vote]) for name, vote in MEANINGS.items())]

    def row(value: str, n: int) -> dict[str, Any]:
        meaning = meanings.get(value, "")
        number = meaning if is_plain(meaning) else ""
        return {"value": value, "count": n, "meaning": meaning, "number": number, "choices": choices}

    return [row(value, n) for value, n in codes.most_common(MOST_VALUES)]


def left_out_context(left_out: tuple[Problem, ...], url: str) -> dict[str, Any]:
    return {"left_out": left_out[:NAMED], "n_left_out": len(left_out), "left_out_url": url}
