"""Which launched runs that nobody has claimed (or whose claim cannot be read) have a living process."""

from collections.abc import Collection
from pathlib import Path

from reconciler.observed.machine_records import SeenProcess
from reconciler.observed.processes import PROC, find_bearers, is_alive
from state.contract.process import ProcessIdentity


class Bearers:
    """Finds processes by their cookies once, and from then on looks at those processes alone.

    All processes are looked at only for a cookie whose process is not known, once for all such cookies.
    """

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        self._known: dict[str, ProcessIdentity] = {}

    def living(self, cookies: Collection[str]) -> frozenset[str]:
        """Return the cookies that a living process carries."""
        known = {
            cookie: bearer
            for cookie, bearer in self._known.items()
            if cookie in cookies and is_alive(bearer, self._proc)
        }
        if unknown := frozenset(cookies) - known.keys():
            found = find_bearers(unknown, self._proc)
            known |= {cookie: _identity(seen, cookie) for cookie, seen in found.items()}
        self._known = known
        return frozenset(known)


def _identity(seen: SeenProcess, cookie: str) -> ProcessIdentity:
    return ProcessIdentity(
        pid=seen.pid, boot_id=seen.boot_id, start_ticks=seen.start_ticks, cookie=cookie, claimed_at=""
    )
