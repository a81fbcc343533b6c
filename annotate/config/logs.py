"""One JSON object a line, each with the id of its request, and no secret in any of them."""

import logging
import re
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="")

MASK = "[masked]"
# Parts of an address that let in whoever has them, by the name that the route gives them.
SECRET_PARTS = {"token", "secret", "signature"}
# What signing puts at the end of a text, and what links carry after their question mark.
_SIGNED = re.compile(r"(?<=[\w=-]:)[\w-]{43}(?![\w-])")
_AFTER_QUESTION_MARK = re.compile(r"(?<=[\w/]\?)[^\s\"'<>?]*=[^\s\"'<>]*")


class Json(JsonFormatter):
    def __init__(self) -> None:
        super().__init__(
            ["asctime", "levelname", "name", "message", "request_id"],
            datefmt="%Y-%m-%dT%H:%M:%S%z",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            # Django hangs the whole request on its warnings.
            reserved_attrs=[*RESERVED_ATTRS, "request", "taskName"],
            json_ensure_ascii=False,
        )

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = request_id.get()
        return masked(super().format(record))


class Plain(logging.Formatter):
    """For a terminal in development."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def masked(text: str) -> str:
    """The text without tokens of addresses, signatures, query strings and the keys of the settings."""
    if "/" in text:
        text = _secret_parts().sub(rf"\g<1>{MASK}", text)
    if "?" in text:
        text = _AFTER_QUESTION_MARK.sub(MASK, text)
    if ":" in text:
        text = _SIGNED.sub(MASK, text)
    for key in _keys():
        text = text.replace(key, MASK)
    return text


@cache
def _secret_parts() -> re.Pattern[str]:
    before = sorted({re.escape(prefix) for prefix in _before_secrets(get_resolver(), "")})
    return re.compile(rf"(\b(?:{'|'.join(before) or '(?!)'}))[^\s/\"'?<>\\]+", re.IGNORECASE)


def _before_secrets(resolver: URLResolver, route: str) -> Iterator[str]:
    """Of every route with a secret part, what stands right before it: `join/` of `join/<str:token>/`."""
    for entry in resolver.url_patterns:
        path = route + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _before_secrets(entry, path)
        elif isinstance(entry, URLPattern):
            for part in re.finditer(r"<(?:\w+:)?(\w+)>", path):
                if part[1] in SECRET_PARTS:
                    yield path[: part.start()].rpartition(">")[2]


@cache
def _keys() -> tuple[str, ...]:
    database = settings.DATABASES["default"].get("PASSWORD", "")
    keys = [
        settings.SECRET_KEY,
        settings.PSEUDONYM_KEY,
        settings.METRICS_TOKEN,
        settings.OIDC_SECRET,
        database,
    ]
    # A short one would be found in ordinary words.
    return tuple(sorted((key for key in keys if len(key) >= 8), key=len, reverse=True))
