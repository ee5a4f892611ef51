"""`apply`: hold the realm's lock, follow its branch, and tick until the world is what the specs say."""

import gc
import math
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from reconciler.app.applying.following import begin
from reconciler.app.applying.living_trainers import say_goodbye, show_progress
from reconciler.app.applying.notifying import Notifier
from reconciler.app.applying.telling import Show
from reconciler.app.applying.ticking import Choose, Ticker
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed, TimedOut
from reconciler.app.surroundings.place import Options
from reconciler.loop import FileTriggers, Mode, Tick, UntilDeadline, run
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
    timeout_seconds: float = math.inf,
    command: str = "reconcile apply",
    choose: Choose | None = None,
    any_time: bool = False,
) -> int:
    """Bring the world to what the specs say; of each plan what `choose` returns. Return the exit code.

    With `any_time` the realm's change windows do not count.

    Raises:
        Blocked: not on Linux, another reconciler took over, or `choose` refuses the plan.
        TimedOut: it is not so after `timeout_seconds`, counted from the first look; what was begun is done.
        LockHeld: another reconciler holds the lock.
        Failed: the root cannot be used.
        SourceError: the repository or branch cannot be read.
        SpecMistakesError: the specs have mistakes and no good commit is known.
        NotFound, Misused: the specs do not know the host that was named; a --set is wrong.
    """
    _check_system()
    gc.enable()  # the command line starts without it; a loop that runs for weeks needs it
    stop, signals = threading.Event(), _Signals()
    with ExitStack() as stack:
        stack.enter_context(signals.setting(stop))

        def take(layout: Layout) -> None:
            stack.enter_context(_office(environment, layout, command, lock_timeout_seconds))

        begun = begin(environment, options, take, show)
        ticker = stack.enter_context(
            Ticker(environment, begun, stop, show, options=options, choose=choose, any_time=any_time)
        )
        signals.on_hangup = ticker.look_now
        if begun.fetcher is not None and mode == "continuous":
            begun.fetcher.start()
            stack.callback(begun.fetcher.close)
        notifier = Notifier(environment.variables)
        notifier.ready()
        stack.callback(notifier.leaves)
        files = FileTriggers(
            ticker.watched_folders, stop, lambda: _show_alive(notifier, ticker, begun.layout, show)
        )
        triggers = UntilDeadline(files, timeout_seconds)
        went_well = _run(ticker, notifier, triggers, mode)
        say_goodbye(ticker.live_runs(), show)
    if signals.received == signal.SIGINT:
        return INTERRUPTED
    if triggers.has_passed:
        raise TimedOut(f"not converged after {timeout_seconds:g} s; what is left: reconcile plan")
    if not went_well or ticker.has_given_up():
        return 1
    return Blocked.exit_code if ticker.is_blocked() else 0


def _run(ticker: Ticker, notifier: Notifier, triggers: UntilDeadline, mode: Mode) -> bool:
    """Look and act until the mode, a signal or the deadline ends it; return whether all of it went well."""

    def tick() -> Tick:
        notifier.alive()
        return ticker.tick()

    try:
        return run(tick, ticker.pace, triggers, mode)
    except LostLock as error:
        raise Blocked(str(error)) from error


def _show_alive(notifier: Notifier, ticker: Ticker, layout: Layout, show: Show) -> None:
    notifier.alive()
    show_progress(ticker.live_runs(), layout, show)


def _check_system() -> None:
    if sys.platform != "linux":
        raise Blocked(
            f"apply needs Linux (this is {sys.platform}): process identity and locks; plan works here"
        )


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


class _Signals:
    """The first Ctrl-C or SIGTERM lets the current action finish; training goes on.

    Without a terminal a SIGHUP asks for a look at the source, as daemons have it; with one it means that the
    terminal is gone, and ends apply.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.on_hangup: Callable[[], None] = _nothing

    @contextmanager
    def setting(self, stop: threading.Event) -> Iterator[None]:
        def receive(number: int, _frame: object) -> None:
            self.received = number
            stop.set()

        def look(_number: int, _frame: object) -> None:
            self.on_hangup()

        before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
        if sys.stdout is None or not sys.stdout.isatty():
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, look)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _nothing() -> None:
    """A SIGHUP before there is anything to look at."""
