"""What no campaign explains: folders beside those of the campaigns, and who computes on a GPU.

Reads names and sizes. Nothing of it is ever deleted or ended by itself; plan, status and doctor name it.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator

import msgspec

from reconciler.observed.facts import CampaignFacts
from reconciler.observed.folders import printable
from reconciler.observed.machine_records import GpuInventory
from reconciler.observed.processes import PROC
from reconciler.observed.records import OrphanFolder
from state.ids import ACTIVE_LINK, ARCHIVE, CAMPAIGNS, recorded_folder
from state.layout import STAGING_PREFIX, Layout
from state.store.rows import CampaignRow

MOST_FILES = 20_000
"""So many files of a folder are counted; of one with more, at least that."""
_MAX_NAME_BYTES = 64
_Signature = tuple[int, int]


class OrphanFolders:
    """Finds the folders that no campaign explains; what did not change is measured once."""

    def __init__(self) -> None:
        self._measured: dict[str, tuple[_Signature, OrphanFolder]] = {}

    def look(
        self, layout: Layout, rows: Iterable[CampaignRow], specs: Collection[str]
    ) -> tuple[OrphanFolder, ...]:
        """Return them by path; `specs`: campaigns that begin there next."""
        begun = {row.folder_name for row in rows}
        known = {recorded_folder(name, archived=False) for name in (*specs, *begun)}
        known |= {recorded_folder(name, archived=True) for name in begun}
        root = str(layout.root)
        return tuple(self._measure(root, path) for path in sorted(_entries(root)) if path not in known)

    def among_checkpoints(
        self, layout: Layout, campaigns: Iterable[CampaignFacts]
    ) -> dict[str, OrphanFolder]:
        """Return what lies among the checkpoints and is none, by its whole path."""
        root = str(layout.root)
        below = (
            foreign.path.removeprefix(f"{root}/")
            for seen in campaigns
            for there in (seen.checkpoints, *seen.segments.values())
            for foreign in there.foreign
        )
        return {
            f"{root}/{path}": self._measure(root, path) for path in below if os.path.lexists(f"{root}/{path}")
        }

    def _measure(self, root: str, path: str) -> OrphanFolder:
        status = os.lstat(f"{root}/{path}")
        signature = (status.st_mtime_ns, status.st_ino)
        known = self._measured.get(path)
        if known is None or known[0] != signature:
            known = self._measured[path] = (signature, _measured(root, path))
        return known[1]


def _entries(root: str) -> Iterator[str]:
    """Yield the places, below the root, where folders of campaigns lie; what is in a hero's place is one."""
    for above in (CAMPAIGNS, f"{CAMPAIGNS}/{ARCHIVE}"):
        for hero in _names(f"{root}/{above}"):
            if hero in (ACTIVE_LINK, ARCHIVE) or hero.startswith(STAGING_PREFIX):
                continue
            inside = _names(f"{root}/{above}/{hero}")
            yield from (f"{above}/{hero}/{name}" for name in inside if not name.startswith(STAGING_PREFIX))


def _names(folder: str) -> list[str]:
    """Return what is in a folder; nothing where it is none, or cannot be listed: `obstacles` says so."""
    try:
        return [] if os.path.islink(folder) else os.listdir(folder)  # noqa: PTH114, PTH208 - names alone
    except OSError:
        return []


def _measured(root: str, path: str) -> OrphanFolder:
    size = files = 0
    top = f"{root}/{path}"
    for folder, _, names in () if os.path.islink(top) else os.walk(top):  # noqa: PTH114 - a text path
        for name in names:
            files, size = files + 1, size + _size(f"{folder}/{name}")
        if files >= MOST_FILES:
            break
    if not os.path.isdir(top):  # noqa: PTH112 - a text path
        files, size = 1, _size(top)
    return OrphanFolder(
        path=printable(path), size_bytes=size, num_files=files, is_at_least=files >= MOST_FILES
    )


def _size(path: str) -> int:
    try:
        status = os.lstat(path)
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def with_names(inventory: GpuInventory) -> GpuInventory:
    """Return the inventory with the name of each process that can be seen from here."""
    if not any(gpu.processes for gpu in inventory.gpus):
        return inventory
    gpus = tuple(
        msgspec.structs.replace(
            gpu,
            processes=tuple(msgspec.structs.replace(one, name=_name(one.pid)) for one in gpu.processes),
        )
        for gpu in inventory.gpus
    )
    return msgspec.structs.replace(inventory, gpus=gpus)


def _name(pid: int) -> str | None:
    try:
        content = (PROC / str(pid) / "comm").read_bytes()[:_MAX_NAME_BYTES]
    except OSError:
        return None
    return printable(content.decode(errors="replace").strip()) or None
