"""What drops destroy, against the realm's limits."""

import msgspec
import pytest

from reconciler.desired.realm import ApproveAbove, size_bytes
from reconciler.plan.actions import TrashCheckpoint
from reconciler.plan.review.guard import digest_of
from reconciler.plan.review.losses import Losses, above, losses_of

ONE = TrashCheckpoint(
    campaign="pip/campaign-001", campaign_uid="u", sequence=1, step=10, digest="blake3:10",
    size_bytes=6 * 10**9, kind="rolled", why="rolled out", grace_seconds=3600.0,
)  # fmt: skip


def drop(step: int) -> TrashCheckpoint:
    return msgspec.structs.replace(ONE, step=step, sequence=step // 10, digest=f"blake3:{step}")


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ((20, 50 * 10**9, 24.0), ()),
        ((21, 0, 0.0), ("21 checkpoints (limit 20)",)),
        ((0, 50 * 10**9 + 1, 0.0), ("50 GB (limit 50GB)",)),
        ((0, 0, 24.5), ("24.5 GPU-hours of work (limit 24)",)),
        ((1_000, 60 * 10**9, 0.0), ("1,000 checkpoints (limit 20)", "60 GB (limit 50GB)")),
    ],
)
def test_what_exceeds_a_limit_is_said_with_the_limit(
    losses: tuple[int, int, float], words: tuple[str, ...]
) -> None:
    found = Losses(checkpoints=losses[0], size_bytes=losses[1], gpu_hours=losses[2])
    assert above(found, ApproveAbove()) == words


@pytest.mark.parametrize(
    ("text", "num_bytes"), [("500MB", 5 * 10**8), ("50GB", 5 * 10**10), ("2TB", 2 * 10**12)]
)
def test_sizes_are_as_disks_are_sold(text: str, num_bytes: int) -> None:
    assert size_bytes(text) == num_bytes


def world(world_of, device: str = "cuda:0", kept: int = 30):
    """A campaign that trained for 10 hours from step 0 to 100, with checkpoints at 10 ... 100."""
    checkpoints = [{"step": step} for step in range(10, 101, 10)]
    run = {"launched_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T10:00:00Z", "end": "finished"}
    found = world_of({"facts": {"active": "pip/campaign-001", "campaigns": {
        "pip/campaign-001": {"checkpoints": checkpoints, "runs": [run]}}}})  # fmt: skip
    runs = [msgspec.structs.replace(row, device=device, final_step=100) for row in found.facts.store.runs]
    store = msgspec.structs.replace(found.facts.store, runs=tuple(runs))
    return msgspec.structs.replace(found, facts=msgspec.structs.replace(found.facts, store=store))


def test_dropping_what_a_later_checkpoint_builds_on_destroys_no_work(world_of) -> None:
    found = losses_of(world(world_of), [drop(step) for step in range(10, 100, 10)])
    assert (found.checkpoints, found.size_bytes, found.gpu_hours) == (9, 54 * 10**9, 0.0)


def test_dropping_the_last_checkpoints_destroys_the_hours_beyond_the_one_that_stays(world_of) -> None:
    found = losses_of(world(world_of), [drop(step) for step in range(40, 101, 10)])
    assert found.gpu_hours == pytest.approx(7.0)


def test_dropping_everything_destroys_every_hour(world_of) -> None:
    found = losses_of(world(world_of), [drop(step) for step in range(10, 101, 10)])
    assert found.gpu_hours == pytest.approx(10.0)


def test_hours_on_the_cpu_are_no_gpu_hours(world_of) -> None:
    found = losses_of(world(world_of, device="cpu"), [drop(step) for step in range(10, 101, 10)])
    assert found.gpu_hours == 0.0


def test_the_digest_is_of_the_checkpoints_and_not_of_words_or_order() -> None:
    assert digest_of([drop(10), drop(20)]) == digest_of([
        drop(20), msgspec.structs.replace(drop(10), why="another word")
    ])  # fmt: skip
    assert len({digest_of([drop(10)]), digest_of([drop(20)]), digest_of([drop(10), drop(20)])}) == 3


@pytest.mark.parametrize(
    ("checkpoints", "demoted", "words"),
    [
        (20, 0, ()),
        (19, 2, ("19 checkpoints and the optimizer state of 2 more (limit 20)",)),
        (0, 21, ("the optimizer state of 21 checkpoints (limit 20)",)),
    ],
)
def test_what_keeps_its_weights_counts_for_the_limit_and_is_no_destroyed_checkpoint(
    checkpoints: int, demoted: int, words: tuple[str, ...]
) -> None:
    found = Losses(checkpoints=checkpoints, size_bytes=0, gpu_hours=0.0, demoted=demoted)
    assert above(found, ApproveAbove()) == words
