"""How large a test is: small enough for every change, or as large as a night allows (`make test-slow`)."""

import os


def sized(usual: int, slow: int) -> int:
    return slow if os.environ.get("SLOW") else usual
