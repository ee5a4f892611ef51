"""Looks at a remote source: when asked, else after an interval; beside the loop, which never waits for it."""

import threading
from collections.abc import Callable

import apsw

from reconciler.act.mirror import Fetched, fetch
from reconciler.app.applying.source_urls import shown_url, without_url
from reconciler.observed.source import observe_source
from state.atomic import write_json
from state.layout import Layout
from state.source_status import SourceStatus, SourceTrouble
from state.store.connection import open_reader
from state.store.refreshes import accepted_commits
from state.store.rows import RequestRow
from state.store.tables import select

UNREACHABLE = "unreachable"
LONGEST_WAIT_SECONDS = 900.0
_MOST_DOUBLINGS = 16
_JITTER = 0.2


def wait_seconds(interval_seconds: float, failures: int, dice: float) -> float:
    """Return how long to wait for the next look: doubled for each failure in a row, with up to a fifth more.

    `dice` is from 0 to 1: machines that lost the same source do not all come back at the same moment. One
    look that succeeds, or finds another trouble, begins anew.
    """
    if not failures:
        return interval_seconds
    longest = max(LONGEST_WAIT_SECONDS, interval_seconds)
    doubled = interval_seconds * float(2 ** min(failures, _MOST_DOUBLINGS))
    return min(doubled, longest) * (1 + _JITTER * dice)


def _dice() -> float:
    from secrets import randbelow  # only who fetches needs it

    return randbelow(1_000) / 1_000


class Fetcher:
    """Fetches the source of one root. `fetch_once` may be called from any thread; one look at a time."""

    def __init__(self, layout: Layout, url: str, branch: str, now: Callable[[], str]) -> None:
        self._layout, self._url, self._branch, self._now = layout, url, branch, now
        self._asked, self._over, self._one = threading.Event(), threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None
        self.interval_seconds = 30.0

    def start(self) -> None:
        """Look again and again, from now on."""
        self._thread = threading.Thread(target=self._look_again, name="fetch", daemon=True)
        self._thread.start()

    def fetch_now(self) -> None:
        """Let the next look be at once. Safe in a signal handler."""
        self._asked.set()

    def close(self) -> None:
        """Look no more; a look that has begun ends by its own time limit."""
        self._over.set()
        self._asked.set()

    def _look_again(self) -> None:
        failures = 0
        while not self._over.is_set():
            self._asked.wait(wait_seconds(self.interval_seconds, failures, _dice()))
            self._asked.clear()
            if not self._over.is_set():
                trouble = self.fetch_once().trouble
                failures = failures + 1 if trouble is not None and trouble.code == UNREACHABLE else 0

    def fetch_once(self) -> SourceStatus:
        """Look at the source and write down what was found; wake the loop when it matters to it."""
        with self._one:
            before = observe_source(self._layout.fetched)
            covers, accepts = self._requests()
            started = self._now()
            found = fetch(self._layout.mirror, self._url, self._branch, self._meant(before, accepts))
            status = self._status(before, found, started, covers)
            write_json(self._layout.fetched, status)
            if _matters(before, status):
                self._layout.wake.touch(mode=0o600)
            return status

    def _requests(self) -> tuple[int, str | None]:
        """Return the number of the newest request for a look, and what the open ones accept."""
        try:
            with open_reader(self._layout.store) as store:
                rows = select(store, RequestRow, "WHERE kind = 'refresh' ORDER BY id")
        except (OSError, apsw.Error):
            return 0, None
        wishes = list(accepted_commits(row for row in rows if row.handled_at is None))
        return max((row.id for row in rows), default=0), wishes[-1] if wishes else None

    def _meant(self, before: SourceStatus | None, accepts: str | None) -> str | None:
        """Return the commit that a person accepts: the very one that was offered when they said so."""
        offered = before.offered if before else None
        return offered if offered and accepts and offered.startswith(accepts) else None

    def _status(self, before: SourceStatus | None, found: Fetched, started: str, covers: int) -> SourceStatus:
        trouble = None
        if found.code is not None:
            goes_on = before is not None and before.trouble is not None and before.trouble.code == found.code
            since = before.trouble.since if goes_on and before and before.trouble else started
            trouble = SourceTrouble(
                code=found.code, message=without_url(found.message, self._url), since=since
            )
        return SourceStatus(
            url=shown_url(self._url),
            branch=self._branch,
            tried_at=started,
            good_at=started if trouble is None else (before.good_at if before else None),
            commit=found.commit,
            offered=found.offered,
            trouble=trouble,
            covers_request=covers,
        )


def _matters(before: SourceStatus | None, now: SourceStatus) -> bool:
    if before is None:
        return True
    codes = [one.trouble.code if one.trouble else None for one in (before, now)]
    return (before.commit, before.offered, before.covers_request, codes[0]) != (
        now.commit, now.offered, now.covers_request, codes[1],
    )  # fmt: skip
