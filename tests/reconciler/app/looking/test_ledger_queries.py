"""Questions to the ledger: latest, best, by step, summary."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.app.looking.items import CheckpointItem
from reconciler.app.looking.ledger_queries import Query, answered, best, best_told, latest
from reconciler.app.surroundings.errors import Misused, NotFound
from state.formats import sidecar_record
from state.store.rows import LedgerRow


def item(step: int, **changes: Any) -> CheckpointItem:
    fields = {
        "id": f"pip/campaign-001@{step}",
        "state": "complete",
        "step": step,
        "timestamp": f"2026-01-31T12:{step:02}:00Z",
        "path": f"/root/{step}",
        "hero_id": "pip",
        "campaign_id": "campaign-001",
        "sequence": step,
        "size_bytes": 10,
    }
    return CheckpointItem(**(fields | changes))


def test_latest_goes_by_the_order_of_recording_and_not_by_the_step() -> None:
    assert latest([item(9, sequence=1), item(5, sequence=2)]) == item(5, sequence=2)


@pytest.mark.parametrize("state", ["missing", "unhealthy", "foreign", "unrecorded"])
def test_what_is_not_complete_is_never_latest_or_best(state: str) -> None:
    items = [item(1, val_loss=2.0), item(2, val_loss=1.0, state=state)]
    assert latest(items) == best(items, "val_loss") == items[0]


@pytest.mark.parametrize(
    ("metric", "values", "wins"),
    [
        ("val_loss", (0.5, 0.3, 0.4), 2),
        ("train_loss", (0.3, 0.5, 0.4), 1),
        ("perplexity", (3.0, 2.0, 2.5), 2),
        ("accuracy", (0.2, 0.3, 0.9), 3),
    ],
)
def test_best_goes_by_each_metrics_own_direction(metric: str, values: tuple[float, ...], wins: int) -> None:
    items = [item(step, **{metric: value}) for step, value in enumerate(values, 1)]
    found = best(items, metric)
    assert found is not None
    assert found.step == wins


def test_best_accuracy_in_a_skill_is_the_highest() -> None:
    """The wrong turn: best-by-accuracy returned the worst."""
    items = [item(step, skill_metrics={"bin": {"accuracy": value}}) for step, value in ((1, 0.2), (2, 0.8))]
    assert answered(Query(best="accuracy/bin"), items) == (items[1],)


@given(
    st.permutations([math.nan, math.inf, -math.inf, None, 0.5, 0.4]),
    st.sampled_from(["val_loss", "accuracy"]),
)
def test_what_is_not_finite_never_wins(values: list[float | None], metric: str) -> None:
    found = best([item(step, **{metric: value}) for step, value in enumerate(values, 1)], metric)
    assert found is not None
    assert getattr(found, metric) == (0.4 if metric == "val_loss" else 0.5)


def test_of_equal_values_the_later_is_best() -> None:
    assert best([item(1, val_loss=0.5), item(2, val_loss=0.5)], "val_loss") == item(2, val_loss=0.5)


def test_an_unknown_metric_names_the_known_and_the_nearest() -> None:
    with pytest.raises(Misused) as caught:
        answered(Query(best="val_los"), [item(1)])
    assert str(caught.value) == (
        '"val_los" is no metric; known: train_loss, val_loss, perplexity, accuracy; did you mean "val_loss"?'
    )


def test_a_metric_that_no_checkpoint_has_names_those_that_they_have() -> None:
    with pytest.raises(
        NotFound, match=r"^no complete checkpoint has accuracy/bin; measured so far: train_loss$"
    ):
        answered(Query(best="accuracy/bin"), [item(1, train_loss=1.0)])


def test_a_step_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"^there is no checkpoint at step 6; the nearest: 1, 5, 9$"):
        answered(Query(step=6), [item(1), item(5), item(9)])


def test_a_step_is_compared_whole() -> None:
    assert answered(Query(step=10), [item(1), item(10), item(100)]) == (item(10),)


def test_each_campaign_has_its_own_answer() -> None:
    other = item(1, hero_id="mu", val_loss=0.1)
    assert answered(Query(best="val_loss"), [item(2, val_loss=0.5), other]) == (other, item(2, val_loss=0.5))
    assert answered(Query(latest=True), [item(2), other]) == (other, item(2))


def test_the_summary_counts_what_lies_there_and_names_latest_and_best() -> None:
    items = [item(1, val_loss=0.5), item(2, val_loss=0.7), item(3, state="missing")]
    (found,) = answered(Query(summary=True), items)
    assert (found.num_checkpoints, found.size_bytes, found.states) == (2, 20, {"complete": 2, "missing": 1})
    assert (found.first_step, found.last_step, found.best_val_loss) == (1, 3, 0.5)
    assert (found.latest, found.best) == ("pip/campaign-001@2", "pip/campaign-001@1")


def test_two_questions_at_once_are_refused() -> None:
    with pytest.raises(Misused, match="--latest, --best, --step and --summary: choose one"):
        Query(latest=True, step=0).check()


def test_a_checkpoint_has_every_field_of_its_sidecar() -> None:
    zeros: dict[type, object] = {str: "", int: 0, float: 0.0, bool: True}
    fields = {name: zeros.get(kind) for name, kind in LedgerRow.__annotations__.items()}
    sidecar = sidecar_record(LedgerRow(**fields), "pip/campaign-001", {})
    assert set(sidecar) - set(CheckpointItem.__struct_fields__) == {"campaign_uid"}


def test_held_out_losses_are_compared_on_the_rows_that_were_measured_on_last() -> None:
    """The wrong turn: the best was for ever the last before a harder quest: losses on other rows were compared."""
    items = [
        item(1, val_loss=0.1, measured_on="quest easy"),
        item(2, val_loss=3.0, measured_on="quest hard"),
        item(3, val_loss=3.1, measured_on="quest hard"),
    ]
    found = best(items, "val_loss")
    assert found is items[1]
    told = best_told([found], items, "val_loss")[0]
    assert (told.measured_on, told.on_other_rows, told.on_other_rows_value, told.other_rows) == (
        "quest hard", "pip/campaign-001@1", 0.1, "quest easy",
    )  # fmt: skip


def test_what_was_let_go_says_still_which_rows_are_the_newest() -> None:
    items = [
        item(1, val_loss=0.3, measured_on="quest easy"),
        item(2, val_loss=0.1, measured_on="quest hard"),
        item(3, val_loss=0.4, measured_on="quest easy", state="purged"),
    ]
    assert best(items, "val_loss") is items[0]


def test_nothing_on_other_rows_ties_and_no_other_segment_is_better_by_them() -> None:
    items = [
        item(1, val_loss=0.5, measured_on="quest easy"),
        item(2, val_loss=0.1, measured_on="quest easy", is_living=False, segment=1),
        item(3, val_loss=0.5, measured_on="quest hard"),
    ]
    told = best_told([items[2]], items, "val_loss")[0]
    assert (told.ties, told.better_left, told.on_other_rows) == ((), None, None)
