"""The locked packages: exact, from the registry, and what an audit of them says."""

import re
import sys
from pathlib import Path

import pytest

from tests.audit_lock import main, read

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+( ; .+)?")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_exactly_and_comes_from_the_registry(name: str) -> None:
    lines = [line.strip() for line in (ROOT / name).read_text().splitlines()]
    packages = [line for line in lines if line and not line.startswith("#")]
    assert len(packages) > 50
    assert [line for line in packages if not PINNED.fullmatch(line)] == []


def test_both_locks_agree() -> None:
    pins = [
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.txt", "requirements-dev.txt")
    ]
    assert {name: v for name, v in pins[0].items() if pins[1].get(name) != v} == {}


WEAK = {"id": "GHSA-x", "fix_versions": ["2.0"], "aliases": [], "description": ""}


def test_an_audit_tells_weak_from_unknown() -> None:
    good = {"name": "a", "version": "1", "vulns": []}
    weak = {"name": "b", "version": "1", "vulns": [WEAK]}
    unknown = {"name": "c", "skip_reason": "Dependency not found"}
    assert read({"dependencies": [good]}).code == 0
    assert read({"dependencies": [good, unknown]}).code == 2
    assert read({"dependencies": [good, weak, unknown]}).code == 1
    said = str(read({"dependencies": [weak, unknown]}))
    assert "b 1: GHSA-x, mended in 2.0" in said
    assert "nothing is known of them: c" in said


def test_an_audit_that_failed_is_no_good_news(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "pip-audit"
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no network')\n")
    program.chmod(0o755)
    assert main(str(program), ["requirements.txt"]) == 2
    assert "no network" in capsys.readouterr().out
