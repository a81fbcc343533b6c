"""Known weaknesses of the locked packages, by pip-audit; `make audit-lock` runs it.

    python -m tests.audit_lock PIP_AUDIT REQUIREMENTS…

It ends with 1 where one is known, and with 2 where nobody could be asked: then nothing is known, which is not the same
as none.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Said:
    asked: int = 0
    weak: list[str] = field(default_factory=list)
    not_asked: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        return 1 if self.weak else 2 if self.not_asked else 0

    def __str__(self) -> str:
        lines = [f"{self.asked:,} packages asked about, {len(self.weak):,} weaknesses known", *self.weak]
        if self.not_asked:
            lines.append(
                f"{len(self.not_asked):,} packages could not be asked about (does the network reach an advisory "
                f"service?), so nothing is known of them: {', '.join(self.not_asked[:5])} …"
            )
        return "\n".join(lines)


def read(report: dict[str, Any]) -> Said:
    """What pip-audit's JSON says: packages it was told nothing about are skipped there, and easily overlooked."""
    said = Said()
    for package in report["dependencies"]:
        if "skip_reason" in package:
            said.not_asked.append(package["name"])
            continue
        said.asked += 1
        for weakness in package["vulns"]:
            mended = ", ".join(weakness["fix_versions"]) or "no version yet"
            said.weak.append(f"{package['name']} {package['version']}: {weakness['id']}, mended in {mended}")
    return said


def main(program: str, files: list[str]) -> int:
    asked = [argument for file in files for argument in ("-r", file)]
    command = [program, "--no-deps", "--disable-pip", "--progress-spinner", "off", "-f", "json", *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        said = read(json.loads(done.stdout))
    except (ValueError, KeyError):
        print(
            f"pip-audit said nothing that can be read, so nothing is known:\n{done.stderr.strip()[-2_000:]}"
        )
        return 2
    print(said)
    return said.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
