"""`apply`: hold the realm's lock, follow its branch, and tick until the world is what the specs say."""

import gc
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reconciler.app.environment import Environment
from reconciler.app.errors import Blocked, Failed
from reconciler.app.here import seen_from_here
from reconciler.app.place import (
    Following,
    Options,
    branch_to_follow,
    head_of,
    read_following,
    repository_of,
    root_of,
    ungiven_root,
    write_following,
)
from reconciler.app.planning import load_commit
from reconciler.app.realm_store import check_store_is_there
from reconciler.app.remembered_root import KEY, remember_root
from reconciler.app.telling import Show
from reconciler.app.ticking import Ticker
from reconciler.desired.git_source import Commit
from reconciler.desired.realm import Realm
from reconciler.loop import FileTriggers, Mode, run
from reconciler.observed.disk import observe_disk
from reconciler.plan.root import ELSEWHERE, misplaced_root
from state.layout import Layout
from state.store.writer import LostLock

INTERRUPTED = 130


def run_apply(
    environment: Environment,
    options: Options,
    *,
    mode: Mode,
    lock_timeout_seconds: float,
    show: Show,
    command: str = "reconcile apply",
) -> int:
    """Bring the world to what the specs say; return the exit code.

    Raises:
        Blocked: not on Linux, or another reconciler took over.
        LockHeld: another reconciler holds the lock.
        Failed: the root cannot be used.
        SourceError: the repository or branch cannot be read.
        SpecMistakesError: the specs have mistakes and no good commit is known.
        NotFound, Misused: the specs do not know the host that was named; a --set is wrong.
    """
    _check_system()
    gc.enable()  # the command line starts without it; a loop that runs for weeks needs it
    head = head_of(environment, options)
    realm = seen_from_here(environment, options, load_commit(environment, head)).realm.spec
    layout = Layout(root_of(environment, options, realm, head))
    _check_root(layout)
    check_store_is_there(layout)
    stop, signals = threading.Event(), _Signals()
    with ExitStack() as stack:
        stack.enter_context(signals.setting(stop))
        stack.enter_context(_office(environment, layout, command, lock_timeout_seconds))
        following = _follow(environment, options, layout, head, show)
        _remember(environment, realm, layout, head, show)
        ticker = Ticker(environment, layout, following, realm.id, stop, show, options=options)
        stack.enter_context(ticker)
        triggers = FileTriggers(ticker.watched_folders, stop, ticker.show_progress)
        try:
            went_well = run(ticker.tick, ticker.pace, triggers, mode)
        except LostLock as error:
            raise Blocked(str(error)) from error
        ticker.say_goodbye()
    if signals.received == signal.SIGINT:
        return INTERRUPTED
    if not went_well or ticker.has_given_up():
        return 1
    return Blocked.exit_code if ticker.is_blocked() else 0


def _check_system() -> None:
    if sys.platform != "linux":
        raise Blocked(
            f"apply needs Linux (this is {sys.platform}): process identity and locks; plan works here"
        )


def _check_root(layout: Layout) -> None:
    disk = observe_disk(layout.root)
    if (problem := misplaced_root(disk)) is not None:
        raise Failed(f"{problem}; {ELSEWHERE}")
    if not disk.writable:
        raise Failed(f"the root {layout.root} cannot be written; give this user write permission there")


@contextmanager
def _office(environment: Environment, layout: Layout, command: str, timeout_seconds: float) -> Iterator[None]:
    from state.inside import InTheWay, stay_inside
    from state.lock import hold_lock

    stay_inside(layout.root)
    since = environment.now()
    with ExitStack() as held:
        try:
            held.enter_context(
                hold_lock(layout.lock, command=command, since=since, timeout_seconds=timeout_seconds)
            )
        except InTheWay as error:
            raise Failed(str(error)) from error
        yield


def _follow(
    environment: Environment, options: Options, layout: Layout, head: Commit, show: Show
) -> Following:
    """Return what this root follows: what it followed before, or from now on the branch checked out."""
    repository = head.top or repository_of(environment, options)
    known = read_following(layout)
    if known is None:
        known = Following(repository=str(repository), branch=branch_to_follow(repository, head))
        write_following(layout, known)
    elif Path(known.repository) != repository:
        raise Failed(
            f"the root {layout.root} follows {known.repository}, not {repository}; "
            f"give another --root, or correct {layout.source}"
        )
    elif head.branch != known.branch:
        show.notice(f"follows {known.branch}, not {head.branch or 'the commit checked out'}")
    return known


def _remember(environment: Environment, realm: Realm, layout: Layout, head: Commit, show: Show) -> None:
    """Let the repository remember a root that was named for this command only, unless it has one in use."""
    usual = Layout(ungiven_root(environment, realm, head))
    if usual.root == layout.root:
        return
    if usual.store.exists() or usual.epoch.exists():
        show.notice(
            f"the root of this repository, {usual.root}, is in use; --root or REALM_ROOT named {layout.root}"
        )
    elif realm.root is None and remember_root(head, layout.root):
        show.notice(f"this repository remembers its root from now on: {layout.root} (git config {KEY})")


class _Signals:
    """The first Ctrl-C or SIGTERM lets the current action finish; training goes on."""

    def __init__(self) -> None:
        self.received: int | None = None

    @contextmanager
    def setting(self, stop: threading.Event) -> Iterator[None]:
        def receive(number: int, _frame: object) -> None:
            self.received = number
            stop.set()

        before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
