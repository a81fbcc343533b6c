"""The walls of the house, tried in fresh processes."""

import ast
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


def test_no_form_is_bound_to_what_the_browser_sent_as_it_is() -> None:
    """Browsers send CRLF; `posted` gives line ends as they are stored."""
    files = [p for app in ("annotate", "judging") for p in (ROOT / app).rglob("*.py")]
    raw = [p.name for p in files if re.search(r"Forms?\(request\.POST", p.read_text())]
    assert raw == []


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


KIND_NAMES = {path.stem for path in (ROOT / "annotate" / "kinds").glob("*.py")} - {"__init__", "base"}
# A foreign format has kinds of its own, and makes a criterion of the kind that is nearest.
MAY_NAME_A_KIND = {"annotate/formats/"}


def _named_kinds(tree: ast.AST) -> list[int]:
    """Lines that hold `something.kind` against a kind's name: compared, matched, looked up or filtered by."""

    def names(node: ast.AST) -> bool:
        return any(isinstance(n, ast.Constant) and n.value in KIND_NAMES for n in ast.walk(node))

    def asks(node: ast.AST) -> bool:
        return any(
            (isinstance(n, ast.Attribute) and n.attr == "kind")
            or (isinstance(n, ast.Name) and n.id == "kind")
            for n in ast.walk(node)
        )

    lines = []
    for node in ast.walk(tree):
        match node:
            case ast.Compare() | ast.Match() | ast.Subscript():
                if asks(node) and names(node):
                    lines.append(node.lineno)
            case ast.keyword(arg=str(arg), value=value):
                if arg.split("__")[-1 if not arg.endswith("__in") else -2] == "kind" and names(value):
                    lines.append(value.lineno)
            case ast.ImportFrom(module=str(module)):
                if re.match(r"annotate\.kinds\.", module):
                    lines.append(node.lineno)
    return lines


def test_nothing_else_asks_for_the_kind_of_a_criterion() -> None:
    found = [
        f"{name}:{line}"
        for folder in ("annotate", "judging")
        for path in (ROOT / folder).rglob("*.py")
        if not (name := path.relative_to(ROOT).as_posix()).startswith(("annotate/kinds/", *MAY_NAME_A_KIND))
        for line in _named_kinds(ast.parse(path.read_text()))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        'if criterion.kind == "rating": pass',
        'x = c.kind in ("number", "text")',
        'match criterion.kind:\n    case "ranking": pass',
        'study.criteria.filter(kind="preference")',
        'Answer.objects.filter(criterion__kind__in=["rating"])',
        "from annotate.kinds.rating import Rating",
    ],
)
def test_asking_for_a_kind_is_seen(code: str) -> None:
    assert _named_kinds(ast.parse(code)) == [1]


def test_no_page_asks_for_the_kind_of_a_criterion() -> None:
    files = [p for folder in ("templates", "static") for p in (ROOT / folder).rglob("*.*")]
    own = [p for p in files if p.suffix in {".html", ".css", ".js"} and "vendor" not in p.parts]
    names = "|".join(sorted(KIND_NAMES))
    asking = re.compile(
        rf"criterion\.kind (==|in|!=)|data-asks|\[value=({names})\]|\.({names}) \.options|dataset\.asks|"
        rf"kind [!=]= [\"']({names})\b"
    )
    assert [str(p.relative_to(ROOT)) for p in own if asking.search(p.read_text())] == []


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / line for line in listed.stdout.splitlines()]
    return [p for p in paths if not {"vendor", "migrations"} & set(p.parts)]


def test_template_lines_can_be_read() -> None:
    lines = [
        (f"{p.relative_to(ROOT)}:{n}", len(line.encode()))
        for p in tracked("*.html")
        for n, line in enumerate(p.read_text().splitlines(), 1)
    ]
    assert [place for place, length in lines if length > 160] == []


def test_files_can_be_read_at_one_go() -> None:
    paths = tracked("*.py", "*.js", "*.css")
    lengths = {p.relative_to(ROOT): len(p.read_text().splitlines()) for p in paths}
    assert {str(p): n for p, n in lengths.items() if n > 400} == {}


# What draws a `Table`, what draws plain rows, and a list in which two responses are chosen.
DRAW_ROWS = {"table.html", "rows.html", "prompt_map.html"}


def test_templates_of_results_leave_rows_to_tables() -> None:
    templates = [p for p in tracked("templates/judging/results/*.html") if p.name not in DRAW_ROWS]
    assert templates
    assert [p.name for p in templates if "<tr" in p.read_text()] == []
