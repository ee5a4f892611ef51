"""Record what a process asks of the file system below a root, in order: the protocol that a power cut cuts.

Wraps the functions of `os` that change something, and what `state.atomic` calls in the C library. What SQLite
does is one event for each commit: it is durable then, or not there (journal and synchronous=FULL).
"""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from kept_state import place_of

from state import atomic, failpoints


class Event(NamedTuple):
    """One call, by paths below the root."""

    what: str
    path: str
    other: str = ""
    """The new name of a rename or a link; where a symbolic link points."""
    content: bytes = b""
    site: str = ""
    """Of a sync: the line of our code that asked for it."""


CHECKOUT = f"{Path(__file__).resolve().parents[2]}/"
OURS = tuple(f"{CHECKOUT}{package}/" for package in ("state", "reconciler", "trainer"))
SYNCERS = frozenset({"_sync", "sync_folder", "sync_file", "syncfs", "fsync", "_named"})
"""Functions that sync what they are asked to: the line that counts is the one that called them."""


def _site() -> str:
    """Return the innermost line of our code that asked for a sync."""
    frame = sys._getframe(2)
    while not frame.f_code.co_filename.startswith(OURS) or frame.f_code.co_name in SYNCERS:
        if frame.f_back is None:
            return ""  # a test's own
        frame = frame.f_back
    return f"{frame.f_code.co_filename.removeprefix(CHECKOUT)}:{frame.f_lineno}"


class Tape:
    """What was recorded."""

    def __init__(self, root: Path) -> None:
        self.events: list[Event] = []
        self._root = f"{root}/"
        self._other = f"{root.parent}/elsewhere/"
        self._store = root / "realm.db"
        self._also: Callable[[str], None] | None = None

    def listen(self) -> None:
        """Hear of every failpoint that is reached from now on: commits are told by them."""
        failpoints.observe(self.point)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record until the block ends."""
        wrapped = {
            (os, "open"): self._open, (os, "write"): self._write, (os, "fsync"): self._fsync,
            (os, "replace"): self._rename, (os, "rename"): self._rename, (os, "link"): self._link,
            (os, "unlink"): self._unlink, (os, "rmdir"): self._rmdir, (os, "mkdir"): self._mkdir,
            (os, "symlink"): self._symlink, (io, "open"): self._io_open,
            (atomic, "renameat2"): self._renameat2, (atomic, "syncfs"): self._syncfs,
        }  # fmt: skip
        before = {key: getattr(*key) for key in wrapped}
        for (module, name), make in wrapped.items():
            setattr(module, name, make(before[module, name]))
        self.listen()
        try:
            yield
        finally:
            failpoints.observe(None)
            for (module, name), function in before.items():
                setattr(module, name, function)

    def point(self, name: str) -> None:
        """Pass a failpoint."""
        if name == "store.committed":
            self.events.append(Event("commit", "realm.db", content=self._store.read_bytes()))
        self.events.append(Event("point", name))
        if self._also is not None:
            self._also(name)

    def also(self, callback: Callable[[str], None] | None) -> None:
        """Call back with the name of each failpoint, too, from now on; None: no more."""
        self._also = callback

    def _add(self, what: str, path: str | None, other: str = "", content: bytes = b"") -> None:
        if path is not None:
            self.events.append(Event(what, path, other, content))

    def _below(self, path: Any, folder: int | None = None) -> str | None:
        """Return a path below the root; None of what lies elsewhere."""
        text = os.fsdecode(path)
        if not text.startswith("/"):
            at = Path(f"/proc/self/fd/{folder}").readlink() if folder is not None else Path.cwd()
            text = f"{at}/{text}"
        if text.startswith(self._other):
            return text[len(self._other) - len("elsewhere/") :]
        return text[len(self._root) :] if text.startswith(self._root) else None

    def _of(self, descriptor: int) -> str | None:
        text = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if f"{text}/" == self._other:
            return "elsewhere"
        return "" if f"{text}/" == self._root else self._below(text)

    def _opened(self, path: str | None, *, existed: bool, truncates: bool) -> None:
        if path is not None and (truncates or not existed):
            self._add("create", path)

    def _open(self, call: Any) -> Any:
        def wrapper(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            existed = not flags & os.O_CREAT or _is_there(path, dir_fd)
            descriptor: int = call(path, flags, mode, dir_fd=dir_fd)
            if flags & os.O_CREAT:
                self._opened(self._below(path, dir_fd), existed=existed, truncates=bool(flags & os.O_TRUNC))
            return descriptor

        return wrapper

    def _io_open(self, call: Any) -> Any:
        def wrapper(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
            changes = isinstance(file, str | Path) and set(mode) & set("wax")
            existed = not changes or os.path.lexists(file)
            opened = call(file, mode, *more, **named)
            if changes:
                self._opened(self._below(file), existed=existed, truncates="w" in mode)
            return opened

        return wrapper

    def _write(self, call: Any) -> Any:
        def wrapper(descriptor: int, content: Any) -> int:
            done: int = call(descriptor, content)
            self._add("write", self._of(descriptor), content=bytes(content[:done]))
            return done

        return wrapper

    def _fsync(self, call: Any) -> Any:
        def wrapper(descriptor: int) -> None:
            call(descriptor)
            path = self._of(descriptor)
            if path is not None:
                content = _content(place_of(Path(self._root), path))
                self.events.append(Event("fsync", path, content=content, site=_site()))

        return wrapper

    def _rename(self, call: Any) -> Any:
        def wrapper(
            source: Any, target: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
        ) -> None:
            paths = self._below(source, src_dir_fd), self._below(target, dst_dir_fd)
            call(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            self._add("rename", paths[0], paths[1] or "")

        return wrapper

    def _renameat2(self, call: Any) -> Any:
        def wrapper(giving: int, source: str, taking: int, target: str) -> int:
            paths = self._below(source, giving), self._below(target, taking)
            number: int = call(giving, source, taking, target)
            if number == 0:
                self._add("rename", paths[0], paths[1] or "")
            return number

        return wrapper

    def _link(self, call: Any) -> Any:
        def wrapper(
            source: Any,
            target: Any,
            *,
            src_dir_fd: int | None = None,
            dst_dir_fd: int | None = None,
            **more: Any,
        ) -> None:
            call(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, **more)
            self._add("link", self._below(source, src_dir_fd), self._below(target, dst_dir_fd) or "")

        return wrapper

    def _unlink(self, call: Any) -> Any:
        def wrapper(path: Any, *, dir_fd: int | None = None) -> None:
            below = self._below(path, dir_fd)
            call(path, dir_fd=dir_fd)
            self._add("unlink", below)

        return wrapper

    def _rmdir(self, call: Any) -> Any:
        def wrapper(path: Any, *, dir_fd: int | None = None) -> None:
            below = self._below(path, dir_fd)
            call(path, dir_fd=dir_fd)
            self._add("unlink", below)

        return wrapper

    def _mkdir(self, call: Any) -> Any:
        def wrapper(path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
            call(path, mode, dir_fd=dir_fd)
            self._add("mkdir", self._below(path, dir_fd))

        return wrapper

    def _symlink(self, call: Any) -> Any:
        def wrapper(target: Any, path: Any, *more: Any, dir_fd: int | None = None) -> None:
            call(target, path, *more, dir_fd=dir_fd)
            self._add("symlink", self._below(path, dir_fd), str(target))

        return wrapper

    def _syncfs(self, call: Any) -> Any:
        def wrapper(descriptor: int) -> None:
            call(descriptor)
            self.events.append(Event("syncfs", "", site=_site()))

        return wrapper


def _is_there(path: Any, folder: int | None) -> bool:
    try:
        os.stat(path, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
