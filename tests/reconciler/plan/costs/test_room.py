"""The floor of the disk holds: training pauses while what it still saves, its pause included, leaves it free."""

import msgspec
import pytest

from reconciler.plan.costs.room import is_low

CAMPAIGN = "pip/campaign-001"
MB = 1_000_000
SAVE = 5_800_000


def case(floor: str) -> dict:
    """Return a campaign whose saves take 5.8 MB."""
    checkpoints = [{"step": 30, "size_bytes": SAVE}]
    return {
        "specs": {"realm.yaml": f"id: lab\nactive: {CAMPAIGN}\ndisk: {{floor: {floor}}}\n"},
        "facts": {"active": CAMPAIGN, "campaigns": {CAMPAIGN: {"checkpoints": checkpoints}}},
    }


@pytest.fixture
def trained_to_the_pause(world_of):
    """Return what is free once a trainer was told to pause and has saved, and how often it saved before."""

    def train(floor: str, free: int) -> tuple[int, int]:
        world, num_saves = world_of(case(floor)), 0
        while True:
            disk = msgspec.structs.replace(world.facts.disk, free_bytes=free)
            now = msgspec.structs.replace(world, facts=msgspec.structs.replace(world.facts, disk=disk))
            free -= SAVE  # the next save, or that of the pause
            if is_low(now, CAMPAIGN, waits=False):
                return free, num_saves
            num_saves += 1

    return train


@pytest.mark.parametrize(("floor", "floor_bytes"), [("2MB", 2 * MB), ("8MB", 8 * MB), ("0MB", 0)])
@pytest.mark.parametrize("free", [40 * MB, 39_999_999, 3 * SAVE + 8 * MB, 3 * SAVE + 8 * MB - 1])
def test_the_save_of_a_pause_leaves_the_floor_free_and_wastes_less_than_one_save(
    trained_to_the_pause, floor: str, floor_bytes: int, free: int
) -> None:
    left, num_saves = trained_to_the_pause(floor, free)

    assert num_saves >= 1
    assert floor_bytes <= left < floor_bytes + SAVE


def test_a_launch_needs_what_keeps_it_from_a_pause_at_once(world_of) -> None:
    world = world_of(case("2MB"))
    free = (2 * MB + 2 * SAVE) * 5 // 4
    seen = [
        msgspec.structs.replace(world.facts, disk=msgspec.structs.replace(world.facts.disk, free_bytes=one))
        for one in (free, free - 1)
    ]
    worlds = [msgspec.structs.replace(world, facts=facts) for facts in seen]
    assert [is_low(one, CAMPAIGN, waits=True) for one in worlds] == [False, True]
    assert not any(is_low(one, CAMPAIGN, waits=False) for one in worlds)
