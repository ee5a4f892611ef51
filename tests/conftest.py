"""What tests of every package share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cases() -> Path:
    """Return the folder of real material beside the checkout; skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "cases"
    if not folder.is_dir():
        pytest.skip(f"the real material is not here: {folder}")
    return folder
