"""The archive: a campaign moves in and out whole, over nothing, into nothing, and whatever is killed meanwhile."""

import json
from typing import Any

import pytest
from kill_worlds import unfinished_save

from reconciler.observed.checkpoints import observe_checkpoints


@pytest.fixture
def at_rest(realm: Any, make: Any) -> Any:
    """A realm whose first campaign has a recorded checkpoint and is not active any more."""
    realm.done(make.record(realm.save_checkpoint(7)), make.activate(make.other, make.campaign))
    realm.places = realm.layout.campaign(make.campaign)
    realm.archived = realm.layout.campaign(make.campaign, archived=True)
    return realm


def test_an_archived_campaign_lies_whole_in_the_hall_of_legends(at_rest: Any, make: Any) -> None:
    at_rest.places.status.joinpath("curriculum_state.json").write_text('{"skills": {}}')
    before = {p.relative_to(at_rest.places.folder) for p in at_rest.places.folder.rglob("*")}

    assert at_rest.done(make.archive()) == ["campaigns/archive/tiny/campaign-001-archived"]

    assert not at_rest.places.folder.exists()
    after = {p.relative_to(at_rest.archived.folder) for p in at_rest.archived.folder.rglob("*")}
    assert {str(path) for path in after - before} == {"archive_summary.json"}
    assert before <= after
    record = at_rest.json(at_rest.archived.record)
    assert (record["status"], record["archived_at"]) == ("archived", make.now)


def test_what_a_killed_trainer_left_of_a_save_does_not_go_into_the_archive(at_rest: Any, make: Any) -> None:
    left = unfinished_save(at_rest)

    at_rest.done(make.archive())

    assert not left.exists()
    assert [path.name for path in at_rest.archived.checkpoints.iterdir()] == ["checkpoint-7"]


def test_ledger_sidecar_and_row_name_the_new_place(at_rest: Any, make: Any) -> None:
    """The wrong turn: the sidecar was written before the rename."""
    at_rest.done(make.archive())

    path = "campaigns/archive/tiny/campaign-001-archived/checkpoints/checkpoint-7"
    assert [row.path for row in at_rest.view().ledger] == [path]
    assert at_rest.json(at_rest.archived.checkpoint(7) / ".ledger.json")["path"] == path
    assert {row.name: row.status for row in at_rest.view().campaigns}[make.campaign] == "archived"
    (found,) = observe_checkpoints(at_rest.archived.checkpoints, at_rest.layout.root, make.uid).complete
    assert found.step == 7


def test_the_summary_tells_the_final_metrics(at_rest: Any, make: Any) -> None:
    at_rest.done(make.archive())

    summary = at_rest.json(at_rest.archived.archive_summary)
    assert summary["final_checkpoint"]["step"] == summary["best_checkpoint"]["step"] == 7
    assert summary["peak_metrics"] == {
        "lowest_loss": 0.5, "lowest_val_loss": 0.625, "highest_accuracy": None,
    }  # fmt: skip
    assert [quest["quest_id"] for quest in summary["quests"]] == ["sums"]
    assert (summary["archived_at"], summary["num_ledger_entries"]) == (make.now, 1)


def test_a_restored_campaign_is_paused_and_as_it_was(at_rest: Any, make: Any) -> None:
    ledger = at_rest.view().ledger
    sidecar = at_rest.json(at_rest.places.checkpoint(7) / ".ledger.json")

    at_rest.done(make.archive(), make.restore())

    assert at_rest.view().ledger == ledger
    assert at_rest.json(at_rest.places.checkpoint(7) / ".ledger.json") == sidecar
    record = at_rest.json(at_rest.places.record)
    assert (record["status"], record["archived_at"]) == ("paused", None)
    assert not at_rest.archived.folder.exists()


def test_archiving_never_nests_a_campaign_in_a_folder_of_that_name(at_rest: Any, make: Any) -> None:
    """The wrong turn: archiving into an existing folder nested it."""
    at_rest.archived.folder.mkdir(parents=True)

    outcome = at_rest.fails(make.archive())

    assert outcome.permanent
    assert f"{at_rest.archived.folder} lies there already" in outcome.text
    assert "nothing is put over it or into it; move it somewhere else" in outcome.text
    assert list(at_rest.archived.folder.iterdir()) == []
    assert at_rest.json(at_rest.places.record)["status"] == "paused"


def test_restoring_never_replaces_what_has_the_name_now(at_rest: Any, make: Any) -> None:
    at_rest.done(make.archive())
    at_rest.places.folder.mkdir()
    at_rest.places.record.write_text("mine")

    outcome = at_rest.fails(make.restore())

    assert f"{at_rest.places.folder} lies there already" in outcome.text
    assert at_rest.places.record.read_text() == "mine"
    assert at_rest.json(at_rest.archived.record)["status"] == "archived"


def test_the_active_campaign_is_not_archived(realm: Any, make: Any) -> None:
    outcome = realm.fails(make.archive())

    assert "tiny/campaign-001 is active; the plan makes another one active" in outcome.text
    assert realm.layout.campaign(make.campaign).record.exists()


def test_a_campaign_with_a_run_that_is_not_over_is_not_archived(at_rest: Any, make: Any) -> None:
    at_rest.done(make.launch())

    assert "a run of tiny/campaign-001 is not over" in at_rest.fails(make.archive()).text


def test_a_campaign_whose_folder_is_nowhere_is_told(at_rest: Any, make: Any) -> None:
    at_rest.places.folder.rename(at_rest.layout.root / "elsewhere")

    outcome = at_rest.fails(make.archive())

    assert f"{at_rest.places.folder} is not there; bring it back from a copy" in outcome.text
    assert not at_rest.places.folder.exists()


def test_a_campaign_in_the_archive_is_not_made_active(at_rest: Any, make: Any) -> None:
    at_rest.done(make.archive())

    assert "is archived; the plan restores it first" in at_rest.fails(make.activate()).text


def test_what_is_written_for_a_half_moved_campaign_goes_where_its_folder_is(at_rest: Any, make: Any) -> None:
    at_rest.archived.folder.parent.mkdir(parents=True)
    at_rest.places.folder.rename(at_rest.archived.folder)

    at_rest.done(make.activate(make.other))

    assert not at_rest.places.folder.exists()
    assert json.loads(at_rest.archived.record.read_bytes())["status"] == "paused"


def test_a_half_moved_campaign_whose_record_was_never_written_goes_on(at_rest: Any, make: Any) -> None:
    """Faults hit its registration after the row, and its move after the rename."""
    at_rest.archived.folder.parent.mkdir(parents=True)
    at_rest.places.record.unlink()
    at_rest.places.folder.rename(at_rest.archived.folder)

    at_rest.done(make.archive())

    assert at_rest.json(at_rest.archived.record)["status"] == "archived"
    assert [row.path for row in at_rest.view().ledger] == [
        "campaigns/archive/tiny/campaign-001-archived/checkpoints/checkpoint-7"
    ]


def test_what_lies_at_the_other_place_and_says_another_uid_is_not_taken_for_it(
    at_rest: Any, make: Any
) -> None:
    at_rest.archived.folder.mkdir(parents=True)
    at_rest.archived.record.write_text('{"uid": "another"}')
    at_rest.places.folder.rename(at_rest.layout.root / "elsewhere")

    at_rest.fails(make.archive())

    assert {row.name: row.status for row in at_rest.view().campaigns}[make.campaign] == "paused"
