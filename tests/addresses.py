"""Every address of the application."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver


def addresses(
    resolver: URLResolver | None = None, space: str = "", route: str = ""
) -> Iterator[tuple[str, str]]:
    """Name and route of every URL pattern there is."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = route + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from addresses(entry, inner, path)
        else:
            assert isinstance(entry, URLPattern)
            yield f"{space}{entry.name}", path


ROUTES = dict(addresses())
