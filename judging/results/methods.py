"""The methods page: one part a topic under templates/judging/methods, in the order of their file names."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

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
