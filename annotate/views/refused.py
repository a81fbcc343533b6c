"""Requests that were refused before any page saw them."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    why = too_much(exception)
    return render(request, "400.html", {"why": why}, status=413 if why else 400)


def too_much(exception: Exception) -> str:
    """What was too much, for whoever sent it; nothing for another error."""
    if isinstance(exception, TooManyFieldsSent):
        return f"A form may have {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} fields; this had more."
    if isinstance(exception, TooManyFilesSent):
        return f"{settings.DATA_UPLOAD_MAX_NUMBER_FILES} files can be sent at once: put more into an archive."
    if isinstance(exception, RequestDataTooBig):
        own = not str(exception).startswith("Request body exceeded")
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20
        return str(exception) if own else f"At most {most} MB of text can be sent at once: send it as a file."
    return ""
