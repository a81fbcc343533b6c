"""A resumable file download (RFC 9110, section 14: one range of bytes)."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import http_date

CHUNK = 2**16
# More digits than any file has bytes are no range.
_RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$", re.ASCII)


def ranged(request: HttpRequest, path: Path, content_type: str) -> HttpResponseBase:
    """The whole file, the requested part, or 416 if there is no such part."""
    stat = path.stat()
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Last-Modified": http_date(stat.st_mtime),
        "Content-Disposition": f'attachment; filename="{path.name}"',
        "X-Content-Type-Options": "nosniff",
    }
    part = _part(request, stat.st_size, etag, headers["Last-Modified"])
    if part is not None and part.start >= part.stop:
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{stat.st_size}"})
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{stat.st_size}"
    span = range(stat.st_size) if part is None else part
    return StreamingHttpResponse(
        _bytes(path, span),
        status=200 if part is None else 206,
        content_type=content_type,
        headers=headers | {"Content-Length": str(len(span))},
    )


def _part(request: HttpRequest, size: int, etag: str, modified: str) -> range | None:
    """The requested bytes; None for all, also if the file has changed since."""
    match = _RANGE.match(request.headers.get("Range", "").strip())
    unchanged = request.headers.get("If-Range", etag) in (etag, modified)
    if match is None or not any(match.groups()) or not unchanged:
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size) if int(last) else range(size, size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1 if last else size, size))


def _bytes(path: Path, part: range) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(part.start)
        remaining = len(part)
        while remaining and (chunk := file.read(min(CHUNK, remaining))):
            remaining -= len(chunk)
            yield chunk
