"""Which code this is: results of other code are not taken for its own."""

import hashlib
from pathlib import Path


def _code_version() -> str:
    folder = Path(__file__).parent
    files = sorted(folder.rglob("*.py"))
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:16]


CODE = _code_version()
