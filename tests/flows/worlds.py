"""A whole realm in one process: real git, files, store, planners and executors; a clock of ours, instant trainers."""

import hashlib
import json
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from children import in_child
from instant import InstantTrainers
from lab import Lab

from reconciler.act.launcher import Launcher
from reconciler.act.protocol import Outcome
from reconciler.app.applying.following import Begun
from reconciler.app.applying.ticking import Ticker
from reconciler.app.data.inspecting import Asked
from reconciler.app.planning.look import View, look
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.place import Following, Options
from reconciler.loop import Tick
from reconciler.plan.changes import Blocked, Change, Plan
from state import failpoints
from state.contract.inspection import Inspection
from state.contract.status import RunStatus
from state.store.connection import open_writer
from state.store.requests import ask

MOST_TICKS = 40


class Teller:
    """Hears what apply tells, and keeps it for whoever asks why."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tick_began(self, view: View) -> None:
        self.told.append(f"{len(view.plan.changes)} changes, blocked: {[b.code for b in view.plan.blocked]}")

    def change_began(self, change: Change) -> None:
        """Nothing."""

    def change_ended(self, outcome: Outcome) -> None:
        self.told.append(f"  {type(outcome.change.action).__name__} {outcome.ok} {outcome.text}")

    def progress(self, campaign: str, status: RunStatus) -> None:
        """Nothing."""

    def notice(self, text: str) -> None:
        self.told.append(text)

    def waits(self, blocked: Blocked) -> None:
        """What time alone removes is no step."""

    def blocked(self, blocked: Blocked) -> None:
        """It is told with the tick."""

    def unblocked(self, subject: str) -> None:
        """Nothing."""

    def settled(self, view: View) -> None:
        self.told.append(f"settled at {view.commit.name}")


def look_at_nothing(asked: Sequence[Asked]) -> Sequence[Inspection | None]:
    """Take in every row unseen: these trainers train nothing, and a process for each look would cost seconds."""
    return [None] * len(asked)


class World:
    """A laboratory whose clock moves a second with every tick and whose trainers are instant."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder)
        self.lab.git("init", "-q", "-b", "main")
        self.elsewhere = folder / "elsewhere"
        """A folder outside of the root, for what is archived."""
        self.elsewhere.mkdir()
        self.time = datetime.fromisoformat("2026-01-31T12:00:00+00:00")
        self.after_each_tick: Callable[[], object] = lambda: None
        self.is_watched = True
        """Are all files compared around what should write nothing? That costs about as much as the rest."""
        self.environment = Environment(
            cwd=self.lab.repository,
            home=self.lab.home,
            variables={"XDG_CACHE_HOME": str(self.lab.home / "cache")},
            user="kim",
            host="lab",
            now=self.now,
        )
        self.options = Options(root=self.lab.layout.root)

    def now(self) -> str:
        """Return what the clock says."""
        return self.time.strftime("%Y-%m-%dT%H:%M:%SZ")

    def pass_time(self, **words: float) -> None:
        """Let so many `days`, `hours`, ... go by."""
        self.time += timedelta(**words)

    def commit(self, specs: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the specs anew, path → content, and commit them."""
        shutil.rmtree(self.lab.repository / "specs", ignore_errors=True)
        for path, content in specs.items():
            self.lab.write(f"specs/{path}.yaml", json.dumps(content, indent=1))
        self.lab.commit()

    def ask(self, kind: str, subject: str, **more: str) -> None:
        """Leave a request, as a person does by a command."""
        store = open_writer(self.lab.layout.store)
        ask(store, kind=kind, campaign=subject, by="kim", why="lunch", at=self.now(), **more)
        store.close()

    def plan(self) -> View:
        """Look and plan, as `reconcile plan` does."""
        return look(self.environment, self.options)

    def apply(self, fates: Sequence[str] = (), *, launcher: Launcher | None = None) -> int:
        """Tick until nothing is left to do; return the number of ticks in which something moved."""
        show, moved = Teller(), 0
        with self._ticker(show, launcher or InstantTrainers(fates, self.now)) as ticker:
            while moved < MOST_TICKS:
                self.pass_time(seconds=1)
                done = ticker.tick()
                self.after_each_tick()
                if done.is_settled:
                    self._check_idle_tick(ticker)
                    return moved + 1
                moved += not self._waits_for_a_trainer(ticker, done)
        raise AssertionError(f"not settled after {MOST_TICKS} ticks:\n" + "\n".join(show.told[-60:]))

    def tick_on(self, ticks: int, after_each: Callable[[int], object]) -> None:
        """Tick so many times with one ticker, as a loop of weeks does, whatever each of them finds to do."""
        with self._ticker(Teller(), InstantTrainers((), self.now)) as ticker:
            for number in range(ticks):
                self.pass_time(seconds=1)
                ticker.tick()
                after_each(number)

    def _waits_for_a_trainer(self, ticker: Ticker, done: Tick) -> bool:
        """Say whether nothing moved but a living trainer, and let it go on for a moment."""
        if done.succeeded or done.failed or not ticker.live_runs():
            return False
        time.sleep(0.1)
        return True

    def _check_idle_tick(self, ticker: Ticker) -> None:
        """One more tick has nothing to do, and writes nothing but into the cache."""
        before = self.written() if self.is_watched else {}
        assert ticker.tick().is_settled
        assert not self.is_watched or self.written() == before

    def written(self) -> dict[str, tuple[Any, ...]]:
        """Return kind, times and content of everything of the root and the repository."""
        return everything_below(self.lab.layout.root, self.lab.repository)

    def apply_killed(self, fates: Sequence[str], at: int) -> bool:
        """Apply in a child that dies at a failpoint; say whether it came that far."""

        def work() -> None:
            failpoints.arm(at, "kill")
            self.apply(fates)

        return in_child(work) == -signal.SIGKILL

    @contextmanager
    def _ticker(self, show: Teller, launcher: Launcher) -> Iterator[Ticker]:
        following = Following(repository=str(self.lab.repository), branch="main")
        stop = threading.Event()
        begun = Begun(layout=self.lab.layout, following=following, realm_id="flow")
        with Ticker(self.environment, begun, stop, show, launcher, look=look_at_nothing) as ticker:
            yield ticker


def check_plan_only_looks(world: World) -> Plan:
    """Plan twice: the same bytes, and not a byte or a time of a file has changed."""
    before = world.written()
    first, second = (world.plan().plan for _ in range(2))
    assert msgspec.json.encode(first) == msgspec.json.encode(second)
    assert world.written() == before
    return first


def check_nothing_is_left(world: World) -> Plan:
    """Return a plan without changes."""
    plan = check_plan_only_looks(world)
    assert plan.changes == ()
    return plan


def everything_below(*folders: Path) -> dict[str, tuple[Any, ...]]:
    """Return kind, times and content of every file and folder."""
    paths = [path for folder in folders if folder.exists() for path in (folder, *folder.rglob("*"))]
    return {str(path): _seen(path) for path in paths}


def _seen(path: Path) -> tuple[Any, ...]:
    status = path.lstat()
    told = status.st_mode, status.st_ino, status.st_mtime_ns, status.st_size
    if path.is_symlink():
        return (*told, str(path.readlink()))
    return (*told, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None)
