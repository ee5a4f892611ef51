"""What a plan costs on the disk: what is known is counted, what is not is named."""

import msgspec

from reconciler.plan import actions as a
from reconciler.plan.changes import Change
from reconciler.plan.costs.disk import Cost, cost_of

NOTHING = Cost(
    adds_bytes=0,
    is_at_most=False,
    unknown=(),
    is_first_training=True,
    frees_now_bytes=0,
    frees_later_bytes=0,
    later_seconds=0.0,
)
CAMPAIGN = {"campaign": "pip/campaign-001", "campaign_uid": "u"}


def change(action) -> Change:
    return Change(id="1", action=action, subject="s", reason="r", cause="c", source="edit")


def drop(size_bytes: int, grace_seconds: float = 3600.0) -> Change:
    return change(a.TrashCheckpoint(
        **CAMPAIGN, sequence=1, step=10, digest="d", size_bytes=size_bytes, kind="rolled", why="w",
        grace_seconds=grace_seconds,
    ))  # fmt: skip


def cost(world_of, *changes: Change, **facts) -> Cost:
    return cost_of(world_of({"facts": facts}).facts, changes)


def test_a_plan_that_writes_nothing_of_size_costs_nothing(world_of):
    assert cost(world_of, change(a.ActivateCampaign(**CAMPAIGN, previous=None))) == NOTHING


def test_drops_free_their_room_only_after_the_longest_time_of_grace(world_of):
    found = cost(world_of, drop(5), drop(7, 7200.0))
    assert found == msgspec.structs.replace(NOTHING, frees_later_bytes=12, later_seconds=7200.0)


def test_a_campaign_deleted_whole_frees_its_room_after_its_time_of_grace(world_of):
    gone = change(a.DeleteCampaign(
        **CAMPAIGN, sequence=-1, step=20, digest="d", size_bytes=50, checkpoints=2, kind="asked", why="w",
        grace_seconds=259200.0,
    ))  # fmt: skip
    found = cost(world_of, gone, drop(5))
    assert found == msgspec.structs.replace(NOTHING, frees_later_bytes=55, later_seconds=259200.0)


def test_a_purge_frees_its_room_now(world_of):
    purge = a.PurgeTrash(**CAMPAIGN, sequence=1, step=10, path="trash/x", size_bytes=9)
    assert cost(world_of, change(purge)) == msgspec.structs.replace(NOTHING, frees_now_bytes=9)


def test_what_training_saves_and_a_skill_makes_is_named_and_not_guessed(world_of):
    made = a.GenerateQuest(quest_id="q1", source_key="k", skill="bin", command=("x",), expected_digest=None)
    assert cost(world_of, change(made), change(made)).unknown == ("what is generated",)


def test_of_a_quest_that_grew_only_the_new_rows_are_written(world_of):
    taken = a.SnapshotFile(quest_id="q1", source_key="k", path="p", digest="d", num_rows=3, start_byte=96)
    found = cost(world_of, change(taken), quest_files={"q1": {}})
    assert (found.adds_bytes, found.unknown) == (4000, ())


def test_a_starting_point_is_written_at_most_once_more(world_of):
    world = world_of({"facts": {"campaigns": {"pip/campaign-001": {"checkpoints": [{"step": 10}]}}}})
    taken = a.TakeOverCheckpoint(
        campaign="pip/campaign-002", campaign_uid="v", wanted="w", source="pip/campaign-001",
        source_uid=world.facts.store.campaigns[0].uid, step=10, digest="blake3:10",
    )  # fmt: skip
    found = cost_of(world.facts, [change(taken)])
    assert (found.adds_bytes, found.is_at_most) == (1, True)


def test_an_import_is_a_copy_of_its_whole_size(world_of):
    taken = a.ImportCheckpoint(
        campaign="pip/campaign-002", campaign_uid="v", wanted="/old", source="/old", producer="safetensors",
        step=0, files=("model.safetensors",), size_bytes=4000,
    )  # fmt: skip
    found = cost(world_of, change(taken))
    assert (found.adds_bytes, found.is_at_most) == (4000, False)


def test_a_demotion_frees_the_optimizer_state_after_its_time_in_the_trash(world_of):
    lighter = a.DemoteCheckpoint(
        campaign="pip/campaign-001", campaign_uid="v", sequence=1, step=10, digest="blake3:10", size_bytes=660,
        why="not of the newest 1", grace_seconds=3600.0,
    )  # fmt: skip
    found = cost(world_of, change(lighter))
    assert (found.frees_now_bytes, found.frees_later_bytes, found.later_seconds) == (0, 660, 3600.0)
