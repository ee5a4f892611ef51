"""Which processes live, read from /proc: who a process is, and whether a run's trainer is still that one.

PIDs are reused, so a process is known by boot id, PID and start time, and a trainer also by the cookie in
its environment. What may not be read belongs to someone else and is not ours. What cannot be looked at for
want of files or memory is not known to be gone: that is an error, and nobody begins or ends anything by it.
"""

import errno
import os
from collections.abc import Collection
from pathlib import Path

from reconciler.observed.machine_records import SeenProcess
from state.contract.process import COOKIE_VARIABLE, ProcessIdentity

PROC = Path("/proc")
_DEAD = frozenset("ZXx")
_OUT_OF_MEANS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What says nothing of the process, but of who looks."""
_MAX_STAT_BYTES = 8192
_MAX_ENVIRON_BYTES = 8 * 1024 * 1024
_START_TICKS_FIELD = 22  # fields of /proc/<pid>/stat are counted from 1
_STATE_FIELD = 3


def boot_id(proc: Path = PROC) -> str:
    """Return the id that the kernel gave this boot; it changes with every start of the machine."""
    return (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def identity_of(pid: int, proc: Path = PROC) -> SeenProcess | None:
    """Return who runs under this number now, dead or alive; None when nobody does."""
    content = _read(proc / str(pid) / "stat", _MAX_STAT_BYTES)
    return None if content is None else _parse_stat(pid, content, boot_id(proc))


def is_alive(identity: ProcessIdentity, proc: Path = PROC) -> bool:
    """Does exactly this process still live?

    Same boot, same start time, neither zombie nor dead, and the cookie in its environment. A process that
    is leaving has lost its memory, and so its environment, while it still holds locks and the GPU, there
    for seconds: it lives until it is a zombie.

    Raises:
        OSError: this machine cannot look now, so nobody knows.
    """
    seen = identity_of(identity.pid, proc)
    return (
        seen is not None
        and seen.state not in _DEAD
        and seen.start_ticks == identity.start_ticks
        and seen.boot_id == identity.boot_id
        and _is_ours_or_leaving(identity, proc)
    )


def is_ending(identity: ProcessIdentity, proc: Path = PROC) -> bool:
    """Is this process shown as dead? Its first thread may be, while others still end and hold its locks."""
    seen = identity_of(identity.pid, proc)
    return (
        seen is not None
        and seen.state in _DEAD
        and (seen.boot_id, seen.start_ticks) == (identity.boot_id, identity.start_ticks)
    )


def find_by_cookie(cookie: str, proc: Path = PROC) -> int | None:
    """Return the PID of the living process that was started with this cookie; None when there is none."""
    found = find_bearers({cookie}, proc).get(cookie)
    return None if found is None else found.pid


def find_bearers(cookies: Collection[str], proc: Path = PROC) -> dict[str, SeenProcess]:
    """Return the living process that was started with each cookie, by cookie, in one look at all processes.

    Its children inherit the cookie: the one whose parent does not have it is meant, the oldest of several.
    """
    found: dict[str, dict[int, SeenProcess]] = {}
    for pid in _own_pids(proc):
        cookie = _cookie_of(pid, proc)
        if (
            cookie
            and cookie in cookies
            and (seen := identity_of(pid, proc)) is not None
            and seen.state not in _DEAD
        ):
            found.setdefault(cookie, {})[pid] = seen
    return {cookie: head for cookie, bearers in found.items() if (head := _head_of(bearers)) is not None}


def _head_of(bearers: dict[int, SeenProcess]) -> SeenProcess | None:
    heads = (seen for seen in bearers.values() if seen.parent_pid not in bearers)
    return min(heads, key=lambda seen: (seen.start_ticks, seen.pid), default=None)


def _cookie_of(pid: int, proc: Path) -> str:
    """Return the cookie that a process carries; empty when it has none, or is not ours."""
    prefix = f"{COOKIE_VARIABLE}=".encode()
    entries = (_environment(pid, proc) or b"").split(b"\0")
    found = next((entry for entry in entries if entry.startswith(prefix)), prefix)
    return found.removeprefix(prefix).decode("utf-8", "replace")


def _own_pids(proc: Path) -> list[int]:
    """Return the numbers of all processes of this user: only their environments may be read."""
    user = os.geteuid()
    with os.scandir(proc) as entries:
        return [int(entry.name) for entry in entries if entry.name.isdecimal() and _owner(entry) == user]


def _owner(entry: "os.DirEntry[str]") -> int | None:
    try:
        return entry.stat(follow_symlinks=False).st_uid
    except OSError:  # it ended while we looked
        return None


def _is_ours_or_leaving(identity: ProcessIdentity, proc: Path) -> bool:
    environment = _environment(identity.pid, proc)
    gave_up_memory = environment == b"" and _has_no_memory(identity.pid, proc)
    return gave_up_memory or _holds(environment, identity.cookie)


def _has_no_memory(pid: int, proc: Path) -> bool:
    """Has the process given up its memory? One that was started without any environment has not."""
    content = _read(proc / str(pid) / "statm", _MAX_STAT_BYTES)
    return content is not None and content.split()[:1] == [b"0"]


def _environment(pid: int, proc: Path) -> bytes | None:
    """Return the environment, empty once the process gave up its memory; None when it is gone or not ours.

    Raises:
        OSError: this machine cannot look now: it has no more open files, or no memory.
    """
    try:
        with (proc / str(pid) / "environ").open("rb") as file:
            return file.read(_MAX_ENVIRON_BYTES)
    except ProcessLookupError:  # newer kernels; older ones give an empty file
        return b""
    except OSError as error:
        if error.errno in _OUT_OF_MEANS:
            raise
        return None


def _holds(environment: bytes | None, cookie: str) -> bool:
    if environment is None or not cookie:
        return False
    return f"{COOKIE_VARIABLE}={cookie}".encode() in environment.split(b"\0")


def _read(path: Path, max_bytes: int) -> bytes | None:
    """Return the content; None when the process is gone or not ours.

    Raises:
        OSError: this machine cannot look now.
    """
    try:
        with path.open("rb") as file:
            return file.read(max_bytes)
    except OSError as error:
        if error.errno in _OUT_OF_MEANS:
            raise
        return None


def _parse_stat(pid: int, content: bytes, boot: str) -> SeenProcess | None:
    """Return what the line says; the name in parentheses may itself hold spaces and parentheses (proc(5))."""
    start, end = content.find(b"("), content.rfind(b")")
    fields = content[end + 1 :].split()
    if start < 0 or end < start or len(fields) <= _START_TICKS_FIELD - _STATE_FIELD:
        return None
    try:
        parent, ticks = int(fields[1]), int(fields[_START_TICKS_FIELD - _STATE_FIELD])
    except ValueError:
        return None
    return SeenProcess(
        pid=pid,
        parent_pid=parent,
        boot_id=boot,
        start_ticks=ticks,
        state=fields[0].decode("ascii", "replace"),
        name=content[start + 1 : end].decode("utf-8", "replace"),
    )
