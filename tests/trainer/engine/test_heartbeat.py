"""What status.json tells while quests change inside a run."""

import time
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, orders
from seen import metrics

from state.contract.files import read
from state.contract.status import RunStatus
from trainer.engine.heartbeat import Heartbeat
from trainer.engine.run import run


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[RunStatus]:
    """Collect every status that is written."""
    written: list[RunStatus] = []
    write = Heartbeat._write

    def collected(self: Heartbeat) -> None:
        write(self)
        written.append(self.status)

    monkeypatch.setattr(Heartbeat, "_write", collected)
    monkeypatch.setattr("trainer.engine.heartbeat.INTERVAL_SECONDS", 0.0)
    return written


def test_a_quest_is_never_told_with_what_another_one_measured(realm: Realm, told: list[RunStatus]) -> None:
    files = realm.run(orders(realm.quest("q1"), realm.quest("q2", word="other")))
    run(files.request)
    losses = {(r.quest_id, r.loss) for r in metrics(files, "update")}
    held_out = {(r.quest_id, r.step, r.val_loss) for r in metrics(files, "evaluation")}
    for status in told:
        assert status.loss is None or (status.quest_id, status.loss) in losses
        assert status.val_loss is None or (status.quest_id, status.val_step, status.val_loss) in held_out
    begun = next(status for status in told if status.quest_id == "q2")
    assert (begun.loss, begun.val_loss, begun.eta_seconds, begun.tokens_per_second) == (None,) * 4


def test_each_status_says_when_by_a_clock_that_nobody_sets(realm: Realm, told: list[RunStatus]) -> None:
    before = time.monotonic()
    run(realm.run(orders(realm.quest(), goal_updates=2)).request)
    moments = [status.awake_seconds or 0.0 for status in told]
    assert moments == sorted(moments)
    assert before - 0.001 < moments[0] <= moments[-1] <= time.monotonic() + 0.001


def test_a_run_that_goes_on_tells_its_step_from_its_first_heartbeat_on(
    realm: Realm, told: list[RunStatus]
) -> None:
    quest = realm.quest()
    run(realm.run(orders(quest, goal_updates=3)).request)
    told.clear()
    run(realm.run(orders(quest), attempt=2, resume_step=3).request)
    assert {status.step for status in told} == {3, 4, 5}
    assert told[0].phase == "starting"


def test_the_held_out_loss_is_told_with_the_step_at_which_it_was_measured(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()), a_config(evaluate_every=4))
    run(files.request)
    last = read(files.status, RunStatus)
    assert (last.val_step, last.step) == (5, 5)


def test_training_is_not_told_before_a_quest_is_taken_up(realm: Realm, told: list[RunStatus]) -> None:
    run(realm.run(orders(realm.quest())).request)
    assert {status.phase for status in told if status.quest_id is None} == {"starting"}


def test_an_older_status_without_the_step_of_its_held_out_loss_is_read(tmp_path: Path) -> None:
    old = RunStatus(phase="training", updated_at="2026-01-31T12:00:00Z", orders_sequence=1, step=1)
    fields = msgspec.to_builtins(old)
    del fields["val_step"]
    (tmp_path / "status.json").write_bytes(msgspec.json.encode(fields))
    assert read(tmp_path / "status.json", RunStatus).val_step is None
