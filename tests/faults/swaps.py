"""Somebody puts a link in the place of a folder between the look and the act of a deletion: nothing behind it goes."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from injector import disarming
from kept_state import State, read_state
from trials import Trials

from state import failpoints

DELETING = ("purge.remove", "folder.move", "staging.remove", "entry.remove", "inbox.remove")
"""Points between a look and an act that takes something away."""
WRITING = ("folder.create", "file.create", "file.link", "folder.rename", "copy.write")
"""Points before something new is made in a folder."""
PRECIOUS = b"of somebody else"


class Swapper:
    """Puts a link to a twin of a folder in its place, once, at the k-th point."""

    def __init__(self, root: Path, folder: str, at: int) -> None:
        self.place, self.at = root / folder, at
        self.aside, self.twin = root.parent / "aside", root.parent / "outside"
        self.count, self.has_struck = 0, False

    def __call__(self, _name: str) -> None:
        """Reach a point."""
        self.count += 1
        if self.count == self.at and self.place.is_dir() and not self.place.is_symlink():
            self.place.rename(self.aside)
            self._make_twin()
            self.place.symlink_to(self.twin)
            self.has_struck = True

    def _make_twin(self) -> None:
        """Let the same names lie behind the link, all of somebody else."""
        shutil.copytree(self.aside, self.twin, symlinks=True, copy_function=_copy_as_precious)

    def heal(self, root: Path) -> None:
        """Put the folder back to where the link lies now: it, or what it lies in, may have been moved."""
        for path in root.rglob("*"):
            if path.is_symlink() and path.readlink() == self.twin:
                path.unlink()
                self.aside.rename(path)
                return

    def clear(self) -> None:
        """Remove what was made outside."""
        for folder in (self.aside, self.twin):
            shutil.rmtree(folder, ignore_errors=True)


def _copy_as_precious(_source: str, target: str) -> str:
    Path(target).write_bytes(PRECIOUS)
    return target


def swap_everywhere(
    trials: Trials, points: tuple[str, ...] = DELETING, *, heals: bool = True
) -> tuple[int, list[str]]:
    """Swap each folder of the realm at each of these points; return how often that was, and what was harmed."""
    num_swaps, problems = 0, []
    for at in (number for number, name in enumerate(trials.points, 1) if name in points):
        for folder in _folders(trials._template):
            trials.reset()
            swapper = Swapper(trials.realm.layout.root, folder, at)
            try:
                problems += _swap(trials, swapper, heals=heals)
            finally:
                swapper.clear()
            num_swaps += swapper.has_struck
    return num_swaps, problems


def _folders(template: State) -> Iterator[str]:
    """Yield what stands on the way to checkpoints, to what lies in the trash, was dropped or is unfinished."""
    for path, entry in template.items():
        if entry.kind == "folder" and path.split("/")[0] in ("campaigns", "trash", "data", "inbox"):
            yield path


def _swap(trials: Trials, swapper: Swapper, *, heals: bool) -> Iterator[str]:
    where = f"{trials.name}: {swapper.place.name} swapped at {swapper.at}, {trials.points[swapper.at - 1]}"
    before: list[State] = []

    def reach(name: str) -> None:
        swapper(name)
        if swapper.has_struck and not before:
            before.append(read_state(swapper.twin))

    with disarming():
        trials._perform(before=_arming(reach), must_succeed=False)
    if not swapper.has_struck:
        return
    if _told(read_state(swapper.twin)) != _told(before[0]):
        yield f"{where}: what lies outside was changed"
    if heals:
        swapper.heal(trials.realm.layout.root)
        trials._perform(must_succeed=False)
        trials.check_now(where)


def _told(state: State) -> dict[str, object]:
    return {path: entry.told for path, entry in state.items()}


def _arming(reach: Callable[[str], None]) -> Callable[[], None]:
    return lambda: failpoints.observe(reach)
