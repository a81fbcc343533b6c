"""What a start of the program does without: whoever runs a command or a server waits for it each time."""

import subprocess
import sys

from tests.serving import ROOT

# What takes a second or more to import, and only results, charts and scorers need.
HEAVY = ("pandas", "scipy", "altair", "vl_convert", "pyarrow", "sklearn", "torch", "transformers", "dask")
START = """
import sys
import django
from django.template import engines
from django.urls import get_resolver

django.setup()
get_resolver().reverse_dict
engines.all()
print(*({name.partition(".")[0] for name in sys.modules} & set(sys.argv[1:])))
"""


def test_a_start_imports_neither_statistics_nor_charts() -> None:
    out = subprocess.run(
        [sys.executable, "-c", START, *HEAVY],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert out.stdout.split() == []
