"""The methods page: one part a topic under templates/judging/methods, in the order of their file names."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

_HEADING = re.compile(r'<h2 id="(\w+)">(.+?)</h2>')


@dataclass(frozen=True, slots=True)
class Part:
    template: str
    fragment: str
    title: str


@cache
def parts() -> tuple[Part, ...]:
    folder = Path(settings.BASE_DIR) / "templates/judging/methods"
    return tuple(_part(path) for path in sorted(folder.glob("*.html")))


def _part(path: Path) -> Part:
    heading = _HEADING.match(path.read_text())
    if heading is None:
        raise ValueError(f'{path.name} must begin with <h2 id="…">…</h2>.')
    return Part(f"judging/methods/{path.name}", heading[1], heading[2])
