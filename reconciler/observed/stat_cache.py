"""Remember, inside one process, what was found at a place that has not changed since."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from reconciler.observed.folders import Signature

Found = TypeVar("Found")
Key = tuple[Signature, ...]


class StatCache(Generic[Found]):
    """Findings by folder and name, each valid while the signatures it was made under are equal.

    A look at a folder replaces what was remembered of it, so what is gone is forgotten.
    """

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, tuple[Key, Found]]] = {}

    def of(self, folder: str) -> Mapping[str, tuple[Key, Found]]:
        """Return what is remembered of a folder."""
        return self._folders.get(folder, {})

    def replace(self, folder: str, found: dict[str, tuple[Key, Found]]) -> None:
        """Remember this of a folder and nothing else."""
        self._folders[folder] = found
