"""A full disk ends no run: whatever finds no room is written later, in its order, and no update is lost."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, orders
from seen import metrics, saved_steps, why

from state import failpoints
from state.contract.exit import RunExit
from state.contract.files import read
from state.contract.status import RunStatus
from state.layout import STAGING_PREFIX, RunLayout
from trainer.engine import room, telling
from trainer.engine.full_disk import Reserve
from trainer.engine.leaving import LastWord
from trainer.engine.log import say
from trainer.engine.run import run

WRITES = (
    "line.append",
    "status.write",
    "reserve.hold",
    "file.create",
    "folder.create",
    "checkpoint.manifest",
)
"""Where new room is taken."""
EVERY_TWO = a_config(save_every=2)


class Disk:
    """Is full from the k-th write on, counted from 1, until somebody looks for room."""

    def __init__(self) -> None:
        self.writes = 0
        self.full_from = self.full_from_save = sys.maxsize
        self.saves = self.replaced = 0
        self.only = WRITES
        self.looks = 0
        self.at_a_look: Callable[[], None] = self.free

    def reach(self, name: str) -> None:
        self.saves += name == "checkpoint.manifest"
        if self.saves >= self.full_from_save:
            self.full_from = 0
        self.replaced += name == "reserve.write"
        if name == "reserve.hold" and self.replaced:
            self.replaced = 0  # what was replaced has given its room back
        elif name in self.only:
            self.writes += 1
            if self.writes >= self.full_from:
                raise OSError(28, "No space left on device")

    def look(self, _seconds: float) -> None:
        self.looks += 1
        self.at_a_look()

    def free(self) -> None:
        self.full_from = self.full_from_save = sys.maxsize


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    found = Disk()
    monkeypatch.setattr(room, "time", SimpleNamespace(sleep=found.look))
    failpoints.observe(found.reach)
    yield found
    failpoints.observe(None)


def told(files: RunLayout) -> list[tuple[str, int, float | None, float | None]]:
    """Return what the metrics say that is no time; a checkpoint may be published an update later."""
    kinds = ("started", "update", "evaluation", "quest_started", "quest_finished", "left")
    found = [record for kind in kinds for record in metrics(files, kind)]
    return [(record.kind, record.step, record.loss, record.val_loss) for record in found]


def weights(realm: Realm) -> dict[str, bytes]:
    return {
        f"{step}/{path.name}": path.read_bytes()
        for step in saved_steps(realm)
        for path in realm.campaign.checkpoint(step).iterdir()
        if path.name != "manifest.json"
    }


def test_a_disk_that_is_full_from_any_write_on_costs_nothing_once_there_is_room(
    tmp_path: Path, disk: Disk
) -> None:
    undisturbed = Realm(tmp_path / "undisturbed")
    first = undisturbed.run(orders(undisturbed.quest()), EVERY_TWO)
    disk.only = ("line.append",)
    assert run(first.request) == 0
    lines, disk.only = disk.writes, WRITES
    counted = Realm(tmp_path / "counted")
    disk.writes = 0
    run(counted.run(orders(counted.quest()), EVERY_TWO).request)
    all_writes, kept, expected = disk.writes, weights(undisturbed), told(first)
    assert lines > 10
    for full_from in range(8, all_writes + 1, 5):
        realm = Realm(tmp_path / f"full-{full_from}")
        files = realm.run(orders(realm.quest()), EVERY_TWO)
        disk.writes, disk.full_from = 0, full_from
        assert run(files.request) == 0, full_from
        disk.free()
        assert (told(files), why(files).reason) == (expected, "finished"), full_from
        assert weights(realm) == kept, full_from
        assert read(files.status, RunStatus).phase == "exited"
        assert not list(files.folder.glob(f"{STAGING_PREFIX}*"))


def test_metrics_that_find_no_room_are_held_in_their_order(realm: Realm, disk: Disk) -> None:
    disk.only, disk.full_from = ("line.append",), 4
    files = realm.run(orders(realm.quest()), EVERY_TWO)
    assert run(files.request) == 0
    assert disk.looks == 1  # at the end: saves had room, so nothing waited before
    records = [record.at for record in metrics(files, "update")]
    assert len(records) == 5
    assert records == sorted(records)
    assert metrics(files, "left")


def test_so_many_records_are_held_and_then_training_waits_for_room(
    realm: Realm, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOST_HELD", 3)
    disk.full_from = 14
    files = realm.run(orders(realm.quest()), a_config(save_every=1000, evaluate_every=0))
    assert run(files.request) == 0
    assert disk.looks == 1
    assert len(metrics(files, "update")) == 5
    waited_at = min(saved_steps(realm))
    assert waited_at < 5


def test_who_must_leave_a_full_disk_says_so_in_exit_json(realm: Realm, disk: Disk) -> None:
    files = realm.run(orders(realm.quest()), EVERY_TWO)
    seen: list[RunStatus] = []

    def leave() -> None:
        seen.append(read(files.status, RunStatus))
        os.kill(os.getpid(), signal.SIGTERM)

    disk.full_from_save, disk.at_a_look = 2, leave
    assert run(files.request) == 1
    disk.free()
    found = why(files)
    assert (found.reason, found.failure_class, found.last_checkpoint_step) == ("failed", "environment", 2)
    assert "checkpoint-4 could not be saved: [Errno 28] No space left on device" in found.message
    assert "no room for checkpoint-4" in (seen[0].waiting_for or "")  # in the room that was set aside
    assert read(files.status, RunStatus).phase in ("saving", "exited")
    assert saved_steps(realm) == [2]


def test_a_stop_waits_for_no_room_that_only_the_metrics_need(
    realm: Realm, disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    disk.only, disk.full_from = ("line.append",), 4
    disk.at_a_look = lambda: os.kill(os.getpid(), signal.SIGTERM)
    files = realm.run(orders(realm.quest()), EVERY_TWO)
    assert run(files.request) == 0
    assert (why(files).reason, disk.looks) == ("finished", 1)
    said = capsys.readouterr().out
    assert "metrics held    why=[Errno 28]" in said
    assert "not recorded    records=" in said


def test_the_log_of_a_full_disk_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    say("update", step=1)


def test_an_error_that_is_no_full_disk_still_ends_the_run(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()), EVERY_TWO)

    def strike(name: str) -> None:
        if name == "line.append":
            raise OSError(5, "Input/output error")

    failpoints.observe(strike)
    assert run(files.request) == 1
    failpoints.observe(None)
    assert "Input/output error" in why(files).message


def test_what_was_set_aside_and_is_gone_is_as_if_it_had_not_been(tmp_path: Path) -> None:
    place = tmp_path / "status.json"
    reserve = Reserve(place)
    reserve.hold()
    (aside,) = tmp_path.iterdir()
    aside.unlink()
    assert not reserve.write(b"{}")
    reserve.hold()
    assert reserve.write(b"{}")
    assert place.read_bytes() == b"{}"


def test_a_long_last_word_is_written_in_the_room_there_is(tmp_path: Path) -> None:
    place, message = tmp_path / "exit.json", "no \x01 room " * 10_000
    word = LastWord(place)
    word.prepare()

    def full(name: str) -> None:
        if name == "file.create":
            raise OSError(28, "No space left on device")

    failpoints.observe(full)
    record = RunExit(
        reason="failed", message=message, step=4, last_checkpoint_step=2, exited_at="2026-01-01T00:00:00Z"
    )
    is_written = word.write(record)
    failpoints.observe(None)
    found = read(place, RunExit)
    assert (is_written, found.step, found.message) == (True, 4, message[:2000])
