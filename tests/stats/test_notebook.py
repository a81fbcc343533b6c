"""What users of the package without the web application run."""

import subprocess
import sys
from pathlib import Path

NOTEBOOK = Path(__file__).parents[2] / "fixtures" / "reference" / "notebook.py"


def test_the_notebook_runs_without_django_and_without_a_warning(tmp_path: Path) -> None:
    """From any folder; each cell compares itself with what its source prints."""
    code = f"import runpy, sys; runpy.run_path({str(NOTEBOOK)!r}); print('django' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert run.stdout.splitlines()[-1] == "False"
    assert run.stdout.count("published: ") >= 20
    assert "undefined: Everyone gave the same value" in run.stdout
