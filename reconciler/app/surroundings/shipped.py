"""The specs that come with the software: beside the packages in a checkout, else among the shared data."""

import sysconfig
from collections.abc import Iterator
from pathlib import Path

import reconciler
from reconciler.app.surroundings.errors import Failed

INSTALLED = Path("share") / "realm" / "specs"
"""Below the installation's data folder; pyproject.toml lists what lies there."""


def shipped_specs() -> Path:
    """Return the folder of the shipped specs.

    Raises:
        Failed: the installation lacks them.
    """
    checkout = Path(reconciler.__file__).resolve().parents[1] / "specs"
    installed = Path(sysconfig.get_path("data")) / INSTALLED
    for folder in (checkout, installed):
        if (folder / "realm.yaml").is_file():
            return folder
    raise Failed(f"the shipped specs are not in {installed}; install the software again")


def spec_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path (below `specs/`) and content of every shipped file, sorted."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".yaml", ".md"):
            yield path.relative_to(folder).as_posix(), path.read_bytes()
