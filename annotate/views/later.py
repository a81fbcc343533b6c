"""Views that are imported at their first request: statistics and charts take seconds to import."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string


def later(path: str) -> Callable[..., HttpResponseBase]:
    """The view that stands at this dotted path."""

    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = import_string(path)(request, *args, **kwargs)
        return response

    view.__name__ = path.rpartition(".")[2]
    return view
