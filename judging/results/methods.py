"""The methods: a page a topic, under templates/judging/methods, in the order of their file names.

Whatever a page of results names by an id there can be linked to: `address_of` knows on which page it stands.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

_HEADING = re.compile(r'<h2 id="(\w+)">(.+?)</h2>')
_SECTION = re.compile(r'<h3 id="(\w+)">(.+?)</h3>', re.DOTALL)
_ANCHOR = re.compile(r'\sid="(\w+)"')
_LINK = re.compile(r'href="#(\w+)"')


@dataclass(frozen=True, slots=True)
class Part:
    """One topic; `fragment` is its own id, `anchors` are all ids of its page."""

    template: str
    fragment: str
    title: str
    sections: tuple[tuple[str, str], ...]
    anchors: frozenset[str]

    @property
    def address(self) -> str:
        return reverse("methods-topic", args=[self.fragment])

    def html(self) -> str:
        """Links to what stands on another page lead there."""
        drawn = render_to_string(self.template, {"simulation": simulation()})
        return _LINK.sub(lambda link: f'href="{self._address_of(link[1])}"', drawn)

    def _address_of(self, anchor: str) -> str:
        return f"#{anchor}" if anchor in self.anchors else address_of(anchor)


def address_of(anchor: str) -> str:
    """Where an id is explained; empty where it is not."""
    part = _parts_by_anchor().get(anchor)
    return f"{part.address}#{anchor}" if part else ""


@cache
def _parts_by_anchor() -> dict[str, Part]:
    return {anchor: part for part in parts() for anchor in part.anchors}


@cache
def parts() -> tuple[Part, ...]:
    folder = Path(settings.BASE_DIR) / "templates/judging/methods"
    return tuple(_part(path) for path in sorted(folder.glob("*.html")))


def _part(path: Path) -> Part:
    text = path.read_text()
    heading = _HEADING.match(text)
    if heading is None:
        raise ValueError(f'{path.name} must begin with <h2 id="…">…</h2>.')
    sections = tuple((anchor, title) for anchor, title in _SECTION.findall(text))
    return Part(
        f"judging/methods/{path.name}", heading[1], heading[2], sections, frozenset(_ANCHOR.findall(text))
    )


@cache
def simulation() -> dict[str, Any]:
    """What `manage.py simulate_audit --all --json` printed; rows of the audit's own estimator with the naive beside."""
    simulation: dict[str, Any] = json.loads(
        (Path(settings.BASE_DIR) / "fixtures/reference/audit_simulation.json").read_text()
    )
    lines = simulation["lines"]
    naive = {(x["design"], x["effect"]): x for x in lines if x["estimator"] == "naive"}
    own = [x for x in lines if x["estimator"] == lines[0]["estimator"]]
    conditions = [
        x | {"depends": x["verdicts"]["depends on the shape"], "cant_tell": x["verdicts"]["can't tell"]}
        for x in simulation.get("conditions", [])
    ]
    return simulation | {
        "own": [x | {"naive": naive[x["design"], x["effect"]]} for x in own],
        "conditions": conditions,
    }
