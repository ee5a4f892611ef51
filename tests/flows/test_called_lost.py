"""A trainer whose run was closed as lost while it lived, by a reconciler that could not see it, is taken up again."""

import msgspec
import pytest
from lab import Lab, found_realm, rows, wait_until

from state.store.connection import open_writer
from state.store.tables import put

pytestmark = pytest.mark.train
HERO = "pip/campaign-001"


def start_training(lab: Lab) -> None:
    lab.write("quests/sums.jsonl", rows(range(40)))
    found_realm(lab, ["pip"], HERO, [{"id": "sums", "file": "quests/sums.jsonl", "epochs": 500}])
    lab.reconcile("apply", "--once")
    wait_until(lambda: lab.newest_step(HERO), 60, "it trains and saves")
    lab.reconcile("apply", "--once")


def call_lost(lab: Lab) -> None:
    (run,) = lab.store().runs
    store = open_writer(lab.layout.store)
    put(
        store,
        [msgspec.structs.replace(run, state="ended", end="lost", message="gone", ended_at=run.launched_at)],
    )
    store.close()


def test_a_trainer_that_was_called_lost_is_paused_and_stopped_as_if_it_never_had_been(the_lab: Lab) -> None:
    start_training(the_lab)
    before = the_lab.trainers()
    (run,) = before.values()
    call_lost(the_lab)

    the_lab.reconcile("pause")
    said = the_lab.reconcile("apply", "--once").stdout

    assert "reopen" in said
    assert "its trainer saves and waits" in said
    assert "no trainer of it is at work" not in said
    wait_until(lambda: '"phase":"paused"' in (run / "status.json").read_text(), 60, "it has paused")
    assert the_lab.trainers() == before

    the_lab.reconcile("stop")
    said = the_lab.reconcile("apply", "--once").stdout
    assert not the_lab.trainers(), said
    assert [(one.state, one.end) for one in the_lab.store().runs] == [("ended", "stopped")]
