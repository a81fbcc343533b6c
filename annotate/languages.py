"""The language of annotators' pages: the study's, else the first the browser asks for that we have.

Everybody else's pages are in English.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from annotate.models import Study


class EnglishUnlessSpoken:
    """Each request starts in English; `speak` may change that for the rest of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override("en"):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or "en")
        if hasattr(request, "LANGUAGE_CODE"):
            patch_vary_headers(response, ["Accept-Language"])
        return response


def speak(request: HttpRequest, study: Study | None = None) -> None:
    """Make the rest of this request in the study's language, or in the browser's."""
    language = study.language if study else ""
    language = _ours(language) or _ours(translation.get_language_from_request(request)) or "en"
    translation.activate(language)
    request.LANGUAGE_CODE = language


def _ours(language: str) -> str:
    """A language that the pages exist in: `ru-RU` is `ru`."""
    try:
        return translation.get_supported_language_variant(language) if language else ""
    except LookupError:
        return ""


def names() -> dict[str, str]:
    """Languages of the pages, by code."""
    return dict(settings.LANGUAGES)
