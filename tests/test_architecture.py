"""The walls of the house, tried in fresh processes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PURE = ["judging.stats", "judging.scorers", "judging.corpus.runs", "annotate.design"]
TOP = {
    "deploy",
    "manage.py",
    "annotate",
    "judging",
    "templates",
    "static",
    "fixtures",
    "tests",
    "README.md",
    # the usual project files
    ".ci",
    ".gitignore",
    ".pre-commit-config.yaml",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "pyproject.toml",
    "requirements.txt",
    "requirements-dev.txt",
}


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("module", PURE)
def test_pure_packages_load_no_django(module: str) -> None:
    assert python(f"import sys, {module}; print('django' in sys.modules)").strip() == "False"


def test_scorers_load_nothing_heavy_before_one_is_made() -> None:
    code = "import sys, judging.scorers.minilm; print('torch' in sys.modules)"
    assert python(code).strip() == "False"


def test_annotate_never_imports_judging() -> None:
    texts = {p: p.read_text() for p in (ROOT / "annotate").rglob("*.py")}
    found = [
        str(p.relative_to(ROOT)) for p, t in texts.items() if "import judging" in t or "from judging" in t
    ]
    assert found == []


def test_nothing_else_stands_at_the_top() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split("/")[0] for line in listed.stdout.splitlines()} <= TOP


def test_no_bag_of_helpers() -> None:
    names = {p.name for folder in ("annotate", "judging") for p in (ROOT / folder).rglob("*.py")}
    assert not names & {"utils.py", "services.py", "helpers.py", "common.py"}


def test_no_page_asks_for_anything_from_elsewhere() -> None:
    files = [p for folder in ("templates", "static") for p in (ROOT / folder).rglob("*.*")]
    own = [p for p in files if p.suffix in {".html", ".css", ".js", ".svg"} and "vendor" not in p.parts]
    outside = [p.name for p in own if any(s in p.read_text() for s in ('src="http', "url(http", "@import"))]
    assert own
    assert outside == []


def test_the_front_page_is_short_and_its_links_arrive() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 160
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert [link for link in links if not (ROOT / link).is_file()] == []
