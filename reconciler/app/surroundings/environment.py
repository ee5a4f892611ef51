"""What a command finds around it: the user's folders, names, variables and the clock."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from reconciler.observed.boot_clock import boot_moment, no_boot_clock
from state.moments import BootMoment


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Everything outside the repository and the root that a verb may depend on."""

    cwd: Path
    home: Path
    variables: Mapping[str, str]
    user: str
    host: str
    now: Callable[[], str]
    """The time in UTC as ISO 8601, to the second."""
    boot: Callable[[], BootMoment | None] = no_boot_clock
    """What the machine's boot clock says."""

    @property
    def cache_folder(self) -> Path:
        """Where parsed specs and checked files are remembered; may be deleted at any time."""
        base = self.variables.get("XDG_CACHE_HOME")
        return (Path(base) if base else self.home / ".cache") / "realm"

    @property
    def data_folder(self) -> Path:
        """Where roots lie whose realm names no other place."""
        base = self.variables.get("XDG_DATA_HOME")
        return (Path(base) if base else self.home / ".local" / "share") / "realm"


def current_environment() -> Environment:
    """Return the environment of this process."""
    return Environment(
        cwd=Path.cwd(),
        home=Path.home(),
        variables=dict(os.environ),
        user=_user(),
        host=os.uname().nodename,
        now=utc_now,
        boot=boot_moment,
    )


def utc_now() -> str:
    """Return the time in UTC, such as 2026-01-31T12:00:00Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
