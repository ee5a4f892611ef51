"""The specs that come with the software: in a checkout beside the packages, installed as package data."""

from collections.abc import Iterator
from pathlib import Path

import reconciler
from reconciler.app.errors import Failed

INSTALLED = "shipped_specs"
"""Folder in the installed package `reconciler` that holds what a checkout has in `specs/`."""


def shipped_specs() -> Path:
    """Return the folder of the shipped specs.

    Raises:
        Failed: the installation lacks them.
    """
    package = Path(reconciler.__file__).resolve().parent
    for folder in (package / INSTALLED, package.parent / "specs"):
        if (folder / "realm.yaml").is_file():
            return folder
    raise Failed(f"the shipped specs are not in {package}; install the software again")


def spec_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path (below `specs/`) and content of every shipped file, sorted."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".yaml", ".md"):
            yield path.relative_to(folder).as_posix(), path.read_bytes()
