from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real human judgments and reference material, where they lie beside the project."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here: real data cannot be tested")
    return SHARED
