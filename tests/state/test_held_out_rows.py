"""On which held-out rows a loss was measured: in words that are equal where the rows are, and only there."""

from typing import Any

import msgspec
import pytest

from state.archive_summary import archive_summary
from state.held_out_rows import RowsMeasured, configs_of, newest_rows
from state.store.rows import CampaignRow, LedgerRow, RunRow

RUN = RunRow(
    campaign_uid="u", generation=1, attempt=1, state="ended", cookie="c", config_hash="two", config_json="{}",
    code_version="v", specs_commit="s", device="cpu", resume_step=None, launched_at="2026-02-01T00:00:00Z",
)  # fmt: skip
ROW = LedgerRow(
    campaign_uid="u", segment=1, step=10, sequence=1, timestamp="2026-02-02T00:00:00Z", path="c/checkpoints/checkpoint-10",
    canonical_name="c", train_loss=0.5, val_loss=0.4, learning_rate=0.1, training_file="q",
    total_examples_trained=1, size_bytes=9, has_optimizer=True, healthy=True, digest="blake3:1",
    parent_step=None, generation=1, attempt=1, config_hash="two", code_version="c", specs_commit="d",
)  # fmt: skip


def run(**evaluation: Any) -> RunRow:
    found = {"evaluation": {"every_updates": 10, "max_rows": 512, "held_out_fraction": 0.02} | evaluation}
    return msgspec.structs.replace(RUN, config_json=msgspec.json.encode(found).decode())


def words(of: RunRow, **changes: Any) -> str:
    return RowsMeasured([of], configs_of([of])).of(msgspec.structs.replace(ROW, **changes))


def test_a_quest_holds_out_its_own_rows() -> None:
    assert words(run()) == "quest q, held_out 0.02, max_rows 512"
    assert words(run(), training_file="other") != words(run())
    assert words(run(held_out_fraction=0.05)) != words(run())
    assert words(run(max_rows=64)) != words(run())


def test_a_file_serves_all_quests() -> None:
    found = words(run(held_out_fraction=0.0, held_out_digest="0123456789abcdef"))
    assert found == "held-out file 0123456789ab, max_rows 512"
    assert found == words(
        run(held_out_fraction=0.0, held_out_digest="0123456789abcdef"), training_file="other"
    )


@pytest.mark.parametrize("loss", [None, float("nan")])
def test_what_was_not_measured_is_of_no_rows(loss: float | None) -> None:
    assert words(run(), val_loss=loss) == ""


def test_what_was_taken_over_may_have_had_other_rows_of_that_quest() -> None:
    assert words(run(), generation=0, attempt=0) == "quest q, elsewhere"


def test_of_a_config_that_is_not_known_its_hash_stands_for_what_it_may_have_changed() -> None:
    """Two configs of which nobody knows how they measured are not said to have measured the same rows."""
    assert words(RUN) == "quest q, config two"  # of another version
    assert words(run(), config_hash="sha256:lost", attempt=9) == "quest q, config lost"
    assert words(RUN, training_file=None) == "a quest that is not known, config two"


def test_one_of_several_live_configs_that_nobody_remembers_may_have_measured_fewer_rows() -> None:
    assert words(run(), config_hash="between") == "quest q, held_out 0.02, config between"
    file = {"held_out_fraction": 0.0, "held_out_digest": "0123456789abcdef"}
    assert words(run(**file), config_hash="between") == "held-out file 0123456789ab, config between"


def test_a_config_that_a_run_took_up_says_how_it_measured_then() -> None:
    later = run(max_rows=64).config_json
    told = msgspec.structs.replace(run(), told_config_hash="live", told_config_json=later)
    assert words(told, config_hash="live") == "quest q, held_out 0.02, max_rows 64"
    assert words(told) == "quest q, held_out 0.02, max_rows 512"


def test_the_newest_rows_are_those_of_something_that_is_left() -> None:
    assert newest_rows([(1, "a"), (3, "b"), (2, "a")], {"a", "b"}) == "b"
    assert newest_rows([(1, "a"), (3, "b"), (2, "a")], {"a"}) == "a"
    assert newest_rows([(1, "a")], set()) is None


def test_an_archive_names_the_best_on_the_newest_rows() -> None:
    campaign = CampaignRow(
        uid="u", name="dio/campaign-001", status="archived", created_at="2026-01-31T12:00:00Z"
    )
    easy = msgspec.structs.replace(ROW, val_loss=0.1)
    hard = [
        msgspec.structs.replace(ROW, step=step, sequence=step, training_file="hard", val_loss=loss)
        for step, loss in ((20, 3.0), (30, 3.1))
    ]
    assert archive_summary(campaign, [easy, *hard], [run()], [])["best_checkpoint"]["step"] == 20
