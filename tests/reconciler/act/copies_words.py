"""Copies of checkpoints outside the root, as the tests of them look at them."""

from pathlib import Path
from typing import Any

from state.contract.files import read
from state.contract.manifest import Manifest


def manifest_of(realm: Any, make: Any, step: int = 20) -> Manifest:
    return read(realm.layout.campaign(make.campaign).checkpoint(step) / "manifest.json", Manifest)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".ledger.json"}


def place_of(realm: Any, make: Any, step: int = 20) -> Path:
    return make.elsewhere(realm) / make.campaign / f"checkpoint-{step}"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
