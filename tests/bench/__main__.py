"""All benches in a row: `make bench`. Each prints its figures beside its budgets and fails when over one."""

import subprocess
import sys
from pathlib import Path

BENCHES = sorted(p.stem for p in Path(__file__).parent.glob("bench_*.py"))

if __name__ == "__main__":
    failed = []
    for name in BENCHES:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode:
            failed.append(name)
    print(f"over budget or failed: {', '.join(failed) or 'none'}")
    sys.exit(bool(failed))
