"""A commit that changes the rate reaches the running trainer without a restart; a kill right after it loses nothing."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, claimant, found_realm, rows, wait_until

from state.contract.files import read
from state.contract.orders import Orders
from state.contract.request import RunRequest, config_hash
from state.contract.run_config import RunConfig

pytestmark = [pytest.mark.train, pytest.mark.timeout(900)]
ONE = "one/campaign-001"
RATE = 4.0e-4


def _change(lab: Lab, **overrides: Any) -> str:
    lab.spec(f"campaigns/{ONE}", id="campaign-001", config_overrides=overrides)
    return lab.commit("another rate")


def _updates(lab: Lab, run: Path) -> list[dict[str, Any]]:
    text = (run / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def _begun(lab: Lab) -> tuple[Path, str]:
    """Return the first run, in the middle of its quest, and the commit that began it."""
    lab.write("data/a.jsonl", rows(range(1200)))
    commit = found_realm(lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl", "epochs": 2}])
    lab.start("apply")
    wait_until(lambda: lab.newest_step(ONE) >= 20, 100, "it trains", say=lab.said)
    return lab.runs()[0], commit


def _taken_up(lab: Lab, run: Path) -> bool:
    return '"kind":"config"' in (run / "metrics.jsonl").read_text()


def _rates(found: list[dict[str, Any]]) -> list[float]:
    return [record["learning_rate"] for record in found if record["kind"] == "update"]


def test_a_live_change_reaches_the_same_process_and_every_record_tells_the_config_in_force(
    the_lab: Lab,
) -> None:
    run, before = _begun(the_lab)
    process = claimant(run)
    assert process is not None

    after = _change(the_lab, learning_rate=RATE)
    wait_until(lambda: _taken_up(the_lab, run), 100, "it takes the rate up", say=the_lab.said)
    assert claimant(run) == process
    wait_until(lambda: the_lab.status_of(ONE, "a") == "completed", 120, "the quest is done", say=the_lab.said)

    found = _updates(the_lab, run)
    place = next(i for i, record in enumerate(found) if record["kind"] == "config")
    assert found[place]["note"] == "training.learning_rate 0.001 → 0.0004"
    assert _rates(found[:place])[4:] == [0.001] * (len(_rates(found[:place])) - 4)
    assert set(_rates(found[place:])) == {RATE}
    assert [(one.generation, one.attempt) for one in the_lab.store().runs] == [(1, 1)]
    assert f"orders 2: 1 quest, config {the_lab.store().campaigns[0].config_hash[7:15]}" in the_lab.said()
    _check_provenance(the_lab, run, found[place]["step"], before, after)


def _check_provenance(lab: Lab, run: Path, step: int, before: str, after: str) -> None:
    launched = read(run / "request.json", RunRequest)
    given = read(run / "orders.json", Orders).config
    assert given is not None
    old, new = (launched.config_hash, before), (config_hash(given.config), after)
    assert old[0] != new[0] == given.config_hash
    code = str(launched.code_version)
    for made in lab.manifests(ONE).values():
        assert (made.config_hash, made.specs_commit) == (new if made.step > step else old)
    for row in lab.ledger(ONE):
        expected = (*(new if row.step > step else old), code)
        assert (row.config_hash, row.specs_commit, row.code_version) == expected
    (campaign,) = lab.store().campaigns
    (job,) = lab.store().jobs
    record = json.loads(lab.layout.campaign(ONE).record.read_bytes())
    for place in (campaign, job):
        assert (place.config_hash, place.specs_commit) == new
    assert (record["config_hash"], record["specs_commit"], record["code_version"]) == (*new, code)
    assert campaign.generation == 2


@pytest.mark.long
def test_a_kill_right_after_a_live_change_goes_on_with_the_new_values_under_a_key_of_its_own(
    the_lab: Lab,
) -> None:
    run, _ = _begun(the_lab)
    _change(the_lab, learning_rate=RATE)
    wait_until(lambda: _taken_up(the_lab, run), 100, "it takes the rate up", say=the_lab.said)
    process = claimant(run)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: the_lab.status_of(ONE, "a") == "completed", 150, "the quest is done", say=the_lab.said)

    keys = [(one.generation, one.attempt) for one in the_lab.store().runs]
    assert keys == [(1, 1), (2, 1)]
    second = the_lab.runs()[1]
    request = read(second / "request.json", RunRequest)
    assert request.config.training.learning_rate == RATE
    assert set(_rates(_updates(the_lab, second))) == {RATE}
    told = next(one for one in the_lab.store().runs if one.attempt == 1 and one.generation == 1)
    assert told.told_generation == 2
    assert json.loads(told.told_config_json or "") == json.loads(_encoded(request.config))
    assert the_lab.ledger(ONE)[-1].config_hash == request.config_hash


def _encoded(config: RunConfig) -> str:
    import msgspec

    return msgspec.json.encode(config).decode()


def test_a_setting_of_the_command_line_holds_as_long_as_its_apply_runs(the_lab: Lab) -> None:
    the_lab.write("data/a.jsonl", rows(range(40)))
    found_realm(the_lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl"}])
    done = the_lab.reconcile("apply", "--until-converged", "--set", f"learning_rate={RATE}")
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = the_lab.runs()
    assert read(run / "request.json", RunRequest).config.training.learning_rate == RATE
    assert the_lab.plan()["changes"] == []
    said = the_lab.reconcile("explain", ONE, "--origin", "--wide").stdout
    (line,) = (line for line in said.splitlines() if line.startswith("learning_rate"))
    assert line.endswith("(trainer g1-a1 reports 0.0004)")
    assert "threads" in said
