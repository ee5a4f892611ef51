"""The realm's root: how much room, whose file system, and whether it lies where it must not."""

import os
import stat
from pathlib import Path

from reconciler.observed.machine_records import DiskFacts
from state.layout import Layout

MOUNTS = Path("/proc/self/mountinfo")
# fmt: off
NETWORK_FILE_SYSTEMS = frozenset((
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs",
    "lustre", "nfs", "nfs4", "ocfs2", "orangefs", "smb2", "smb3", "smbfs", "fuse.ceph",
    "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.mount-s3", "fuse.rclone", "fuse.s3fs",
    "fuse.sshfs",
))
# fmt: on
_MAX_MOUNTS_BYTES = 16 * 1024 * 1024


def observe_disk(root: Path, mounts: Path = MOUNTS) -> DiskFacts:
    """Return the facts of the root, which may be missing; then of the nearest folder that exists."""
    problems: list[str] = []
    real = Path(os.path.realpath(root))
    nearest = _nearest_existing(real)
    usage = _usage(nearest, problems)
    exists = os.path.lexists(root)
    if exists and not real.is_dir():
        problems.append(f"{root}: is not a folder")
    file_system = _file_system(real, mounts)
    return DiskFacts(
        root=str(root),
        exists=exists,
        readable=real.is_dir() and os.access(real, os.R_OK | os.X_OK),
        writable=os.access(nearest, os.W_OK | os.X_OK),
        free_bytes=usage.f_bavail * usage.f_frsize if usage else None,
        total_bytes=usage.f_blocks * usage.f_frsize if usage else None,
        work_tree=_work_tree(real),
        file_system=file_system,
        is_network=file_system in NETWORK_FILE_SYSTEMS,
        is_read_only=usage is not None and bool(usage.f_flag & os.ST_RDONLY),
        ballast_bytes=_ballast_bytes(root),
        problems=tuple(problems),
    )


def _ballast_bytes(root: Path) -> int:
    try:
        found = os.lstat(Layout(root).ballast)
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _nearest_existing(path: Path) -> Path:
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def _usage(folder: Path, problems: list[str]) -> os.statvfs_result | None:
    try:
        return os.statvfs(folder)
    except OSError as error:
        problems.append(f"{folder}: the free space cannot be told: {error.strerror}")
        return None


def _work_tree(real: Path) -> str | None:
    """Return the folder of the git work tree that the path lies in; a linked one has `.git` as a file."""
    for folder in (real, *real.parents):
        if os.path.lexists(folder / ".git"):
            return str(folder)
    return None


def _file_system(real: Path, mounts: Path) -> str | None:
    """Return the type of the file system that the path lies on; None where the kernel does not tell."""
    try:
        with mounts.open("rb") as file:
            lines = file.read(_MAX_MOUNTS_BYTES).splitlines()
    except OSError:
        return None
    found: tuple[int, str] | None = None
    for line in lines:
        mount = _mount(line)
        if mount and _contains(mount[0], os.fsencode(real)) and (found is None or len(mount[0]) >= found[0]):
            found = len(mount[0]), mount[1]
    return found[1] if found else None


def _mount(line: bytes) -> tuple[bytes, str] | None:
    """Return mount point and type of a line (proc_pid_mountinfo(5)); optional fields end with a hyphen."""
    fields = line.split()
    try:
        type_at = fields.index(b"-", 6) + 1
        return _unescape(fields[4]), fields[type_at].decode("ascii", "replace")
    except (ValueError, IndexError):
        return None


def _unescape(text: bytes) -> bytes:
    """Return the path with its octal escapes (space, tab, newline, backslash) resolved."""
    for byte in b" \t\n\\":
        text = text.replace(b"\\%03o" % byte, bytes([byte]))
    return text


def _contains(mount_point: bytes, path: bytes) -> bool:
    return path == mount_point or path.startswith(mount_point.rstrip(b"/") + b"/")
