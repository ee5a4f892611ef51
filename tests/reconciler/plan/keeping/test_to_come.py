"""What only waits for its time is told beside a plan that has nothing to do, and nothing else is."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from reconciler.plan.keeping.to_come import ToCome, to_come
from reconciler.plan.planner import make_plan
from reconciler.plan.world import World

PIP = "pip/campaign-001"
WINDOW = {"retention.yaml": "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 10m\n"}
Worlds = Callable[[Mapping[str, Any]], World]


def still(world: World) -> ToCome:
    return to_come(world, make_plan(world.desired, world.facts, specs_commit="c", now=world.now))


def facts(seconds: float, **more: Any) -> dict[str, Any]:
    steps = [{"step": 10}, {"step": 20}, {"step": 30, "learnt": {"q1": {"epochs_done": 1}}}]
    campaign = {"checkpoints": steps, "jobs": {"q1": {"status": "completed", "start_step": 1}}, **more}
    store = {"observed_seconds": seconds}
    return {"active": PIP, "data": ["q1"], "store": store, "campaigns": {PIP: campaign}}


def test_what_is_only_too_young_to_go_is_still_to_come(world_of: Worlds) -> None:
    found = still(world_of({"specs": WINDOW, "facts": facts(540.0)}))

    assert (found.num_drops, found.drop_in_seconds, found.num_purges) == (2, 60.0, 0)
    assert found.text == "to the trash: 2 checkpoints, 2 B, the first in 1 min"


def test_what_a_plan_drops_now_is_not_still_to_come(world_of: Worlds) -> None:
    assert still(world_of({"specs": WINDOW, "facts": facts(600.0)})).num_drops == 0


def test_what_a_rule_keeps_is_not_to_come_however_young(world_of: Worlds) -> None:
    rules = {"retention.yaml": "campaigns: {active: {keep_checkpoints: 3}}\nminimum_age: 10m\n"}
    assert still(world_of({"specs": rules, "facts": facts(540.0)})).text == ""


def test_nothing_is_to_come_of_a_campaign_whose_deletions_are_on_hold(world_of: Worlds) -> None:
    world = world_of({"specs": WINDOW, "facts": facts(540.0, lost_checkpoints=[5])})
    assert still(world).num_drops == 0


SOURCE = {
    "url": "/lab", "branch": "main", "is_local": True, "tried_at": "2026-01-02T00:00:00Z", "commit": "c" * 12,
    "offered": "d" * 12, "trouble": {"code": "rewritten", "message": "moved", "since": "2026-01-02T00:00:00Z"},
}  # fmt: skip


def test_while_the_source_is_in_doubt_what_waits_is_held_and_has_no_time(world_of: Worlds) -> None:
    trash = {"trash": [{"checkpoint": f"{PIP}@5", "sequence": 1}]}
    lost = {"lost_checkpoints": [5]}
    free = still(world_of({"specs": WINDOW, "facts": facts(540.0, **lost) | trash}))
    held = still(world_of({"specs": WINDOW, "facts": facts(540.0, **lost) | trash | {"source": SOURCE}}))

    assert (free.is_held, "after the next clean ticks" in free.text or " in " in free.text) == (False, True)
    assert (held.is_held, held.num_purges, held.num_drops) == (True, 1, 2)
    assert held.text == (
        "to the trash: 2 checkpoints, 2 B, held while the source of the specs is in doubt; "
        "deleted for good: 1 in the trash, 1 kB, held while the source of the specs is in doubt"
    )


def test_while_the_newest_specs_have_mistakes_only_what_is_deleted_for_good_is_held(world_of: Worlds) -> None:
    trash = {"trash": [{"checkpoint": f"{PIP}@5", "sequence": 1}]}
    world = world_of({"specs": WINDOW, "facts": facts(540.0, lost_checkpoints=[5]) | trash})
    found = msgspec.structs.replace(world.facts, mistaken_specs="specs/retention.yaml:1:40")
    held = still(msgspec.structs.replace(world, facts=found))

    assert held.text == (
        "to the trash: 2 checkpoints, 2 B, the first in 1 min; deleted for good: 1 in the trash, 1 kB, "
        "held while the newest specs have mistakes (specs/retention.yaml:1:40)"
    )


@pytest.mark.parametrize(("state", "num_drops"), [("archived", 2), (None, 0)])
def test_what_a_restore_keeps_is_not_threatened_by_the_rules_of_the_archive(
    world_of: Worlds, state: str | None, num_drops: int
) -> None:
    rules = "campaigns: {archived: {keep_checkpoints: 1, delete_intermediate: true}}\nminimum_age: 10m\n"
    spec = "id: campaign-001\n" + (f"state: {state}\n" if state else "")
    row = {"status": "archived", "archived_at": "2026-01-01T00:00:00Z"}
    steps = [{"step": 10}, {"step": 20}, {"step": 30, "val_loss": 0.5}]
    files = {"realm.yaml": "id: lab\n", "retention.yaml": rules, "campaigns/pip/campaign-001.yaml": spec}
    found = {"store": {"observed_seconds": 540.0}, "campaigns": {PIP: {"row": row, "checkpoints": steps}}}

    assert still(world_of({"specs": files, "facts": found})).num_drops == num_drops


def test_what_a_suspended_campaign_has_in_the_trash_is_not_to_come(world_of: Worlds) -> None:
    trash = {"trash": [{"checkpoint": f"{PIP}@5", "sequence": 1}]}
    held = facts(540.0, lost_checkpoints=[5]) | trash
    suspended = {"campaigns/pip/campaign-001.yaml": "id: campaign-001\nsuspend: {reason: not yet}\n"}

    assert still(world_of({"specs": WINDOW, "facts": held})).num_purges == 1
    assert still(world_of({"specs": WINDOW | suspended, "facts": held})).text == ""
