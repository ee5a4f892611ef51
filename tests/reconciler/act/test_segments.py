"""A rollback: what was saved after its parent is moved aside, told apart, and never lost."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.observed.checkpoints import observe_checkpoints
from state.contract.manifest import QuestCursor

STEPS = (7, 9, 11)


@pytest.fixture
def saved(realm: Any, make: Any) -> dict[int, Any]:
    """Return the manifests of three recorded checkpoints, by step; the last has learnt the job."""
    found = {}
    for step in STEPS:
        found[step] = realm.save_checkpoint(step, cursor=_cursor(make, done=1) if step == STEPS[-1] else ())
        realm.done(make.record(found[step]))
    return found


def _cursor(make: Any, *, done: int) -> tuple[QuestCursor, ...]:
    return (
        QuestCursor(
            quest_id="sums", digest=make.digest, epochs_done=done, rows_taken=0, complete=done > 0,
            first_step=8, last_step=11, last_loss=0.5,
        ),
    )  # fmt: skip


def lying(realm: Any, make: Any, folder: Path) -> list[int]:
    return [found.step for found in observe_checkpoints(folder, realm.layout.root, make.uid).complete]


def test_later_checkpoints_are_moved_to_their_segment_and_the_ledger_says_where(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    said = realm.done(make.roll_back(saved[7]))

    places = realm.layout.campaign(make.campaign)
    assert lying(realm, make, places.checkpoints) == [7]
    assert lying(realm, make, places.segment(1)) == [9, 11]
    assert [row.which for row in realm.view().ledger] == ["7", "1:9", "1:11"]
    assert all((realm.layout.root / row.path / "manifest.json").is_file() for row in realm.view().ledger)
    assert (
        realm.json(places.segment(1) / "checkpoint-9" / ".ledger.json")["path"] == realm.view().ledger[1].path
    )
    assert said == ["segment 2 goes on from step 7; 2 later checkpoints kept as segment 1"]


def test_the_segment_lives_and_is_remembered_with_its_parent_and_why(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.done(make.roll_back(saved[7], rate_factor=0.5))

    (segment,) = realm.view().segments
    assert (segment.number, segment.parent_segment, segment.parent_step) == (2, 1, 7)
    assert (segment.parent_digest, segment.rate_factor, segment.ready_at) == (saved[7].digest, 0.5, make.now)
    assert next(row.segment for row in realm.view().campaigns if row.uid == make.uid) == 2
    assert realm.json(realm.layout.campaign(make.campaign).record)["current_step"] == 7


def test_a_job_that_only_the_left_segment_had_learnt_waits_again(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.done(make.mark("completed", start_step=8, final_step=11, final_loss=0.5))

    realm.done(make.roll_back(saved[7]))

    (job,) = realm.view().jobs
    assert (job.status, job.start_step, job.final_step, job.final_loss) == ("queued", None, None, None)


def test_a_job_that_the_parent_had_learnt_stays_done(realm: Any, make: Any, saved: dict[int, Any]) -> None:
    realm.done(make.record(realm.save_checkpoint(13, cursor=_cursor(make, done=1))))
    realm.done(make.mark("completed", start_step=8, final_step=11))

    realm.done(make.roll_back(saved[11]))

    assert [job.status for job in realm.view().jobs] == ["completed"]


def test_back_to_the_first_weights_leaves_nothing_living(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.done(make.roll_back(saved[7], parent_step=0, parent_digest=None, wanted="run g1-a1"))

    assert lying(realm, make, realm.layout.campaign(make.campaign).checkpoints) == []
    assert [row.which for row in realm.view().ledger] == ["1:7", "1:9", "1:11"]


def test_the_same_step_saved_in_two_segments_has_two_rows_and_two_folders(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.done(make.roll_back(saved[7]))
    again = realm.save_checkpoint(9, segment=2, parent_step=7, parent_digest=saved[7].digest, attempt=2)
    realm.done(msgspec.structs.replace(make.record(again), segment=2))

    assert [(row.which, row.digest) for row in realm.view().ledger if row.step == 9] == [
        ("1:9", saved[9].digest),
        ("9", again.digest),
    ]

    realm.done(make.roll_back(saved[7], number=3, living=2, wanted="rewind to 7: once more"))

    places = realm.layout.campaign(make.campaign)
    assert (lying(realm, make, places.segment(1)), lying(realm, make, places.segment(2))) == ([9, 11], [9])
    assert [row.which for row in realm.view().ledger] == ["7", "1:9", "1:11", "2:9"]


def test_what_lies_in_the_trash_comes_back_to_the_segment_that_was_left(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.done(make.drop(saved[9], 2))
    realm.done(make.roll_back(saved[7]))
    assert [stone.thing for stone in realm.view().trash] == [f"{make.campaign}@1:9"]

    realm.ask("undelete", f"{make.campaign}@1:9")
    realm.done(make.take_back(9, 2))

    assert lying(realm, make, realm.layout.campaign(make.campaign).segment(1)) == [9, 11]


def test_optimizer_state_in_the_trash_goes_by_the_name_that_its_weights_have_after_a_rollback(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.done(make.demote(saved[9], 2), make.demote(saved[11], 3))
    realm.ask("undelete", f"{make.campaign}@9")
    realm.done(make.take_back(9, 4))

    realm.done(make.roll_back(saved[7]))

    stones = {stone.thing: stone.state for stone in realm.view().trash}
    assert stones == {f"{make.campaign}@1:9": "restored", f"{make.campaign}@1:11": "trashed"}


def test_a_checkpoint_of_a_left_segment_is_dropped_and_taken_back_by_its_own_name(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.done(make.roll_back(saved[7]))

    said = realm.done(make.drop(saved[9], 2))

    assert said == [f"in the trash; reconcile undelete {make.campaign}@1:9 takes it back"]
    assert lying(realm, make, realm.layout.campaign(make.campaign).segment(1)) == [11]


def test_the_archive_takes_every_segment_along_and_back(realm: Any, make: Any, saved: dict[int, Any]) -> None:
    realm.done(make.roll_back(saved[7]), make.activate(make.other, make.campaign))

    realm.done(make.archive())

    places = realm.layout.campaign(make.campaign, archived=True)
    assert lying(realm, make, places.segment(1)) == [9, 11]
    assert [row.which for row in realm.view().ledger] == ["7", "1:9", "1:11"]
    assert all((realm.layout.root / row.path).is_dir() for row in realm.view().ledger)
    realm.done(make.restore())
    assert all((realm.layout.root / row.path).is_dir() for row in realm.view().ledger)


def test_a_campaign_with_segments_is_deleted_and_purged_whole(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.done(make.roll_back(saved[7]), make.activate(make.other, make.campaign))

    realm.done(make.delete(*saved.values()), make.purge_whole())

    assert not (realm.layout.root / f"trash/{make.uid}-campaign").exists()


def test_another_campaign_that_began_with_what_moved_names_it_by_its_segment(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.done(make.take_over(saved[11]))

    realm.done(make.roll_back(saved[7]))

    other = next(row for row in realm.view().campaigns if row.uid == make.other_uid)
    assert other.starting_checkpoint == f"{make.campaign}@1:11"


def test_a_damaged_parent_is_written_down_and_nothing_moves(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.flip_a_bit(7)

    outcome = realm.fails(make.roll_back(saved[7]))

    assert "nothing was moved" in outcome.text
    assert realm.view().ledger[0].damage is not None
    assert lying(realm, make, realm.layout.campaign(make.campaign).checkpoints) == [7, 9, 11]
    assert realm.view().segments == ()


def test_nothing_moves_while_a_run_is_not_over(realm: Any, make: Any, saved: dict[int, Any]) -> None:
    realm.done(make.launch())

    assert "a segment begins after it" in realm.fails(make.roll_back(saved[7])).text
    assert realm.view().segments == ()


def test_what_is_not_recorded_is_recorded_before_it_is_moved(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    realm.save_checkpoint(13)

    assert "is not recorded yet" in realm.fails(make.roll_back(saved[7])).text
    assert lying(realm, make, realm.layout.campaign(make.campaign).checkpoints) == [7, 9, 11, 13]


def test_nothing_is_put_over_what_lies_in_the_segments_folder(
    realm: Any, make: Any, saved: dict[int, Any]
) -> None:
    places = realm.layout.campaign(make.campaign)
    (places.segment(1) / "checkpoint-11").mkdir(parents=True)

    outcome = realm.fails(make.roll_back(saved[7]))

    assert "lies there already" in outcome.text
    assert (places.checkpoint(11) / "manifest.json").is_file()
    shutil.rmtree(places.segment(1) / "checkpoint-11")
    realm.done(make.roll_back(saved[7]))
