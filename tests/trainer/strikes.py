"""What a child of its own does until it is killed, hangs or has no memory: `apart(killed_in_a_run, ...)`."""

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from builders import Realm, a_manifest, orders
from seen import losses, metrics

from state import failpoints
from state.atomic import write_json
from state.contract import patience
from state.contract.orders import Orders
from state.layout import RunLayout
from trainer.engine import step, watchdog
from trainer.engine.checkpoint import Contents
from trainer.engine.progress import Progress
from trainer.engine.run import run
from trainer.engine.session import Session
from trainer.engine.writer import THREAD_NAME, Writer

SIZE = 1 << 25


def warm_up() -> None:
    """Load what a run loads, so that no child does it again."""
    with TemporaryDirectory() as folder:
        realm = Realm(Path(folder) / "root")
        run(realm.run(orders(realm.quest(), goal_updates=1)).request)


def in_the_writer(strike: Callable[[str], None]) -> None:
    """Call this for every failpoint that the writing thread reaches."""

    def met(name: str) -> None:
        if threading.current_thread().name == THREAD_NAME:
            strike(name)

    failpoints.observe(met)


def leave_room_for(tokens: int) -> None:
    """Make every micro-batch of more tokens than these run out of memory, from now on in this process."""
    summed_loss = step.summed_loss

    def with_room(model: object, batch: object) -> object:
        if sum(batch.lengths) > tokens:
            raise torch.OutOfMemoryError(f"tried to allocate {sum(batch.lengths)} tokens")
        return summed_loss(model, batch)

    step.summed_loss = with_room


class Growth(NamedTuple):
    """Other orders, in force from the update behind this one on."""

    update: int
    orders: Orders


@contextmanager
def growing(files: RunLayout, growth: Growth | None) -> Iterator[None]:
    """Replace the run's orders once that update is made."""
    finish_update = Session.finish_update

    def then_replaced(session: Session, *given: object, **named: object) -> None:
        finish_update(session, *given, **named)
        if growth is not None and session.progress.step == growth.update:
            write_json(files.orders, growth.orders)

    Session.finish_update = then_replaced
    try:
        yield
    finally:
        Session.finish_update = finish_update


def run_killed_at(at: int, files: RunLayout, room: int | None, growth: Growth | None = None) -> int:
    """Die at this failpoint, in whichever thread; with room for so many tokens, and orders that grow."""
    if room is not None:
        leave_room_for(room)
    failpoints.arm(at, "kill")
    with growing(files, growth):
        return run(files.request)


def run_killed_in_the_writer(at: int, files: RunLayout) -> int:
    """Die at this failpoint of those that the writing thread reaches."""
    num_met = 0

    def strike(_name: str) -> None:
        nonlocal num_met
        num_met += 1
        if num_met == at:
            os.kill(os.getpid(), signal.SIGKILL)

    in_the_writer(strike)
    return run(files.request)


def run_hanging_after_update(number: int, files: RunLayout, log: Path) -> int:
    return _hanging(files, lambda: number in losses(files), log)


def run_hanging_after_checkpoints(count: int, files: RunLayout, log: Path) -> int:
    return _hanging(files, lambda: len(metrics(files, "checkpoint")) == count, log)


def _hanging(files: RunLayout, when: Callable[[], bool], log: Path) -> int:
    """Run with a main thread that hangs before the next record once this is so."""
    sys.stdout = log.open("w")
    os.dup2(sys.stdout.fileno(), 1)
    watchdog.LOOK_SECONDS = 0.05

    def strike(name: str) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and name == "line.append" and files.metrics.is_file() and when():
            patience.LEAST_UPDATE_SECONDS = patience.LEAST_LONG_SECONDS = 0.3
            threading.Event().wait()

    failpoints.observe(strike)
    return run(files.request)


def save_in_little_memory(folder: Path) -> int:
    """Write 128 MiB where the system grants 80 more; return 0 when it was written without a copy."""
    contents = Contents(
        progress=Progress(step=1),
        tensors={"model.safetensors": {"weight": torch.ones(SIZE)}},
        metadata={},
        files={},
        save_vocabulary=lambda _folder: None,
        manifest=partial(a_manifest, step=1),
    )
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 80 * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    writer = Writer(folder, torch.device("cpu"))
    goes_on = writer.start(contents)
    written = writer.wait(meanwhile=lambda: None)
    assert written is not None
    if written.error is not None:
        raise written.error
    return 1 if goes_on or writer.held_bytes else 0
