"""`plan --until`: when each quest ends and when the disk is full, from runs alike; unknown where nobody knows."""

import msgspec
import pytest

from reconciler.plan.costs.forecast import forecast
from reconciler.plan.costs.training import Work
from state.store.rows import RunRow

CASE = {
    "facts": {
        "active": "pip/campaign-001",
        "data": ["q1"],
        "campaigns": {"pip/campaign-001": {"jobs": {"q1": {}}}},
    }
}
RULES = "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 1s\ntrash: {rolled: 10m}\n"


def work(updates: int) -> Work:
    return Work(rows=None, updates=updates, tokens=updates * 50, epochs_left=1.0)


@pytest.fixture
def told(world_of, planned):
    """Return the forecast for quests of so many updates; a run alike made 100 updates in 100 seconds."""

    def make(case, named, seconds, *, has_run=True, free=10**9, saved=None):
        world, plan = world_of(case), planned(case)
        launch = next(c.action for c in plan.changes if type(c.action).__name__ == "LaunchRun")
        run = RunRow(
            campaign_uid="u", generation=1, attempt=1, state="ended", cookie="c", config_hash="h",
            config_json=msgspec.json.encode(launch.config).decode(), code_version="v", specs_commit="c",
            device=launch.device, resume_step=None, launched_at="2026-01-01T00:00:00Z",
            ended_at="2026-01-01T00:10:00Z", num_updates=100, num_tokens=5000, busy_seconds=100.0,
        )  # fmt: skip
        store = msgspec.structs.replace(world.facts.store, runs=(run,) if has_run else ())
        disk = msgspec.structs.replace(world.facts.disk, free_bytes=free)
        facts = msgspec.structs.replace(world.facts, store=store, disk=disk)
        return forecast(msgspec.structs.replace(world, facts=facts), plan.changes, named, seconds)

    return make


def test_quests_end_one_after_another_at_the_pace_of_runs_alike(told, world_of) -> None:
    found = told(CASE, [("q1", work(60)), ("q2", work(120))], 100)
    now = world_of(CASE).now
    ends = [one.ends_at for one in found.quests]
    assert ends == [now.replace("00:00Z", "01:00Z"), now.replace("00:00Z", "03:00Z")]
    assert [one.is_in_time for one in found.quests] == [True, False]
    assert all(one.low_at < one.ends_at < one.high_at for one in found.quests)


def test_without_a_run_alike_nothing_is_made_up(told) -> None:
    found = told(CASE, [("q1", work(60))], 100, has_run=False)
    assert (found.quests[0].ends_at, found.disk_full_at) == (None, None)
    assert found.disk_unknown == "the pace of training is not known yet"


def test_before_the_first_save_nothing_is_said_of_the_disk(told) -> None:
    assert told(CASE, [("q1", work(60))], 100).disk_unknown == "nothing was saved yet to know its size by"


def test_nothing_to_train_is_said(told) -> None:
    assert told(CASE, [], 100).disk_unknown == "nothing is to be trained"


def with_save(rules: str | None) -> dict:
    """Return a case with a checkpoint at 100, saves every 50 updates, and maybe rules for keeping."""
    campaign = "id: campaign-001\nconfig_overrides: {checkpoint: {every_updates: 50}}\n"
    specs = {"campaigns/pip/campaign-001.yaml": campaign}
    if rules:
        specs["retention.yaml"] = rules
    campaigns = {"pip/campaign-001": {"jobs": {"q1": {}}, "checkpoints": [{"step": 100}]}}
    return {"specs": specs, "facts": {"active": "pip/campaign-001", "data": ["q1"], "campaigns": campaigns}}


def test_the_disk_is_full_at_the_save_that_has_no_room(told, world_of) -> None:
    case = with_save(None)
    world = world_of(case)
    size = world.facts.store.ledger[-1].size_bytes
    found = told(case, [("q1", work(200))], 1000, free=3 * size)
    assert found.num_saves == 4
    assert found.disk_full_at == world.now.replace("00:00Z", "03:20Z")
    roomy = told(case, [("q1", work(200))], 1000, free=5 * size)
    assert (roomy.disk_full_at, roomy.free_bytes) == (None, size)


def test_what_the_rules_drop_frees_its_room_after_its_grace(told, world_of) -> None:
    case = with_save(RULES)
    size = world_of(case).facts.store.ledger[-1].size_bytes
    soon = told(case, [("q1", work(200))], 300, free=5 * size)
    later = told(case, [("q1", work(200))], 3000, free=5 * size)
    assert soon.free_bytes == size
    assert later.free_bytes > size
