"""A step that was saved again after a damage: only the row in force is counted, exported and gone back to."""

import json

import pytest


@pytest.fixture
def saved_again(store, rows):
    """Step 500 was lost and saved again, the second one was dropped; step 700 is there."""

    def write(**of_the_stone: object) -> None:
        store.write(
            [
                rows.ledger(step=500, damage="a bit is flipped"),
                rows.ledger(step=600, sequence=2),
                rows.ledger(step=500, sequence=3, attempt=2, digest="blake3:" + "3" * 64),
                rows.ledger(step=600, sequence=4, attempt=2, digest="blake3:" + "4" * 64),
                rows.ledger(step=700, sequence=5),
                rows.trash(sequence=4, step=600, **of_the_stone),
            ]
        )

    return write


def test_status_counts_no_damage_of_what_was_saved_again(run, store, rows, saved_again) -> None:
    saved_again()
    assert json.loads(run("status", "--json").stdout)["scrub"]["num_damaged"] == 0
    store.write([rows.ledger(step=700, sequence=5, damage="a bit is flipped")])
    assert json.loads(run("status", "--json").stdout)["scrub"]["num_damaged"] == 1


@pytest.mark.parametrize("verb", ["export", "rewind"])
def test_what_was_saved_again_and_dropped_is_refused_with_what_takes_it_back(
    run, saved_again, tmp_path, verb: str
) -> None:
    saved_again()
    more = ("--to", str(tmp_path)) if verb == "export" else ("--why", "better", "--dry-run")
    refused = run(verb, "pip/campaign-001@600", *more)
    assert refused.exit_code == 3
    assert "first: reconcile undelete pip/campaign-001@600, and apply" in " ".join(refused.stderr.split())


@pytest.mark.parametrize("verb", ["export", "rewind"])
def test_what_was_saved_again_and_is_deleted_is_refused_with_the_nearest_that_is_in_force(
    run, saved_again, tmp_path, verb: str
) -> None:
    saved_again(state="purged")
    more = ("--to", str(tmp_path)) if verb == "export" else ("--why", "better", "--dry-run")
    refused = run(verb, "pip/campaign-001@600", *more)
    assert refused.exit_code == 5
    assert "there is no checkpoint" in refused.stderr
    assert 'did you mean "pip/campaign-001@700"?' in " ".join(refused.stderr.split())
    assert run(verb, "pip/campaign-001@500", *more).exit_code == 0
