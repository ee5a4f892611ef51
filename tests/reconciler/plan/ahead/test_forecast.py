"""`plan --until`: when each quest ends and when the disk is full, from runs alike; unknown where nobody knows."""

import msgspec
import pytest

from reconciler.plan.ahead.forecast import forecast
from reconciler.plan.costs.training import Work
from state.store.rows import RunRow

CASE = {
    "facts": {
        "active": "pip/campaign-001",
        "data": ["q1"],
        "campaigns": {"pip/campaign-001": {"jobs": {"q1": {}}}},
    }
}
FLOOR = 250_000_000
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


def test_training_waits_for_room_after_the_save_that_leaves_too_little_for_the_next(told, world_of) -> None:
    case = with_save(None)
    found = told(case, [("q1", work(200))], 1000, free=FLOOR + 4)
    assert (found.num_saves, found.free_bytes) == (3, FLOOR)  # the pause has saved, too
    assert found.disk_full_at == world_of(case).now.replace("00:00Z", "02:30Z")
    assert found.quests[0].ends_at is None
    assert found.quests[0].why == "training waits for room from 2026-01-01T00:02:30Z on"
    roomy = told(case, [("q1", work(200))], 1000, free=FLOOR + 6)
    assert (roomy.num_saves, roomy.disk_full_at, roomy.free_bytes) == (4, None, FLOOR + 2)


def test_saves_that_the_clock_asks_for_take_room_too(told) -> None:
    case = with_save(None)
    spec = case["specs"]["campaigns/pip/campaign-001.yaml"]
    spec = spec.replace("every_updates: 50", "every_updates: 500, every_minutes: 1")
    case["specs"]["campaigns/pip/campaign-001.yaml"] = spec
    found = told(case, [("q1", work(200))], 1000, free=FLOOR + 6)
    assert (found.num_saves, found.free_bytes) == (4, FLOOR + 2)  # at 160, 220, 280 and 300


def test_what_the_planner_drops_is_free_once_it_purges_it(told) -> None:
    case = with_save(RULES)
    soon = told(case, [("q1", work(200))], 300, free=FLOOR + 9)
    later = told(case, [("q1", work(200))], 3000, free=FLOOR + 9)
    assert (soon.free_bytes, later.free_bytes) == (
        FLOOR + 5,
        FLOOR + 8,
    )  # the first and three more were dropped


def test_training_that_waited_goes_on_once_the_trash_is_purged_and_quests_end_later(told, world_of) -> None:
    case = with_save(RULES)
    case["specs"]["realm.yaml"] = "id: lab\nactive: pip/campaign-001\ndisk: {floor: 1MB}\n"
    case["facts"]["campaigns"]["pip/campaign-001"]["checkpoints"] = [{"step": 100, "size_bytes": 10**8}]
    found = told(case, [("q1", work(200))], 20000, free=450_000_000)
    now = world_of(case).now
    assert found.disk_full_at == now.replace("00:00Z", "02:30Z")
    assert found.num_saves == 4
    assert found.quests[0].ends_at == now.replace(
        "00:00Z", "13:21Z"
    )  # ten minutes of the trash, after the least age of 1 s


def test_a_pin_in_the_rules_keeps_its_checkpoint_in_the_forecast_too(told) -> None:
    free = []
    for pins in ("", "pins: [pip/campaign-001@70]\n"):
        case = with_save(RULES + pins)
        case["facts"]["campaigns"]["pip/campaign-001"]["checkpoints"] = [{"step": s} for s in (60, 70, 100)]
        free.append(told(case, [("q1", work(200))], 3000, free=FLOOR + 9).free_bytes)
    assert free[0] - free[1] == 1


def test_nothing_is_dropped_in_a_forecast_while_the_rules_are_suspended(told) -> None:
    suspended = with_save(RULES + "suspend: {reason: a look, until: '2027-01-01T00:00:00Z'}\n")
    assert told(suspended, [("q1", work(200))], 3000, free=FLOOR + 9).free_bytes == FLOOR + 5


def test_drops_that_wait_for_an_approval_free_nothing_and_are_told(told, world_of) -> None:
    case = with_save(RULES)
    case["specs"]["realm.yaml"] = (
        "id: lab\nactive: pip/campaign-001\napply: {approve_above: {checkpoints: 1}}\n"
    )
    case["facts"]["campaigns"]["pip/campaign-001"]["checkpoints"] = [{"step": s} for s in (70, 80, 90, 100)]
    found = told(case, [("q1", work(200))], 3000, free=FLOOR + 9)
    assert found.approval_at == world_of(case).now.replace("00:00Z", "00:50Z")
    assert found.free_bytes < told(with_save(RULES), [("q1", work(200))], 3000, free=FLOOR + 9).free_bytes


def test_a_quest_that_the_goal_cuts_short_has_no_end(told) -> None:
    case = with_save(None)
    case["specs"]["campaigns/pip/campaign-001.yaml"] += "goal: {updates: 160}\n"
    found = told(case, [("q1", work(40)), ("q2", work(40))], 1000)
    assert [one.why for one in found.quests] == [None, "the campaign reaches its goal before"]


def test_very_many_saves_are_followed_as_far_as_the_planner_is_asked(told, monkeypatch) -> None:
    case = with_save(None)
    case["specs"]["campaigns/pip/campaign-001.yaml"] = (
        "id: campaign-001\nconfig_overrides: {checkpoint: {every_updates: 1}}\n"
    )
    monkeypatch.setattr("reconciler.plan.ahead.going_on._MOST_LOOKS", 40)
    found = told(case, [("q1", work(1000))], 5000)
    assert found.free_bytes is None
    assert found.disk_unknown == (
        "followed until 2026-01-01T00:00:40Z only, 40 looks ahead; there is room until then"
    )
