"""A store that is an older copy, put back while a trainer lives: it is named, and its number is not used again."""

import os
import shutil
import signal

from lab import Lab, found_realm, rows, wait_until

from state.ids import RunKey


def test_a_store_put_back_from_an_older_copy_never_uses_a_run_again(the_lab: Lab) -> None:
    the_lab.write("quests/sums.jsonl", rows(range(40)))
    quest = {"id": "sums", "file": "quests/sums.jsonl", "epochs": 500}
    found_realm(the_lab, ["pip"], "pip/campaign-001", [])
    the_lab.converge()
    shutil.copy(the_lab.layout.store, the_lab.folder / "older.db")
    the_lab.spec("queue", quests=[quest])
    the_lab.commit("something to learn")
    the_lab.reconcile("apply", "--once")
    wait_until(lambda: the_lab.newest_step("pip/campaign-001"), 100, "it trains and saves")
    (before,) = the_lab.trainers().items()
    shutil.copy(the_lab.folder / "older.db", the_lab.layout.store)

    document = the_lab.plan()
    done = the_lab.reconcile("apply", "--once")

    (found,) = (item for item in document["blocked"] if item["code"] == "unknown-run")
    assert f"run g1-a1, pid {before[0].pid}" in found["message"], document
    assert dict([before]) == the_lab.trainers(), done.stdout
    os.kill(before[0].pid, signal.SIGTERM)
    wait_until(lambda: not the_lab.trainers(), 100, "it has left")
    the_lab.reconcile("apply", "--once")
    wait_until(the_lab.trainers, 100, "it trains again")
    key = RunKey(the_lab.uid("pip/campaign-001"), 2, 1)
    assert list(the_lab.trainers().values()) == [the_lab.layout.campaign("pip/campaign-001").run(key).folder]
    assert all(run.resume_step for run in the_lab.store().runs)
