"""A campaign whose ledger and folder agree is known at a glance; whatever differs is worked out row by row."""

import msgspec
import pytest

from reconciler.observed.records import FoundCheckpoint
from reconciler.observed.stock import make_stock
from state.store.rows import CampaignRow, LedgerRow

ROW = CampaignRow(uid="aaaa", name="tiny/campaign-001", status="paused", created_at="2026-01-31T12:00:00Z")
LEDGER = tuple(
    LedgerRow(
        campaign_uid="aaaa", segment=1, step=step, sequence=step, timestamp="2026-01-31T12:00:00Z",
        path=f"campaigns/tiny/campaign-001/checkpoints/checkpoint-{step}", canonical_name=f"checkpoint-{step}",
        train_loss=None, val_loss=None, learning_rate=None, training_file=None, total_examples_trained=0,
        size_bytes=1, has_optimizer=True, healthy=True, digest=f"blake3:{step}", parent_step=None, generation=1,
        attempt=1, config_hash="sha256:0", code_version="c", specs_commit="d",
    )
    for step in (5, 6, 7)
)  # fmt: skip


def found(step: int, digest: str | None = None) -> FoundCheckpoint:
    return FoundCheckpoint(
        path=f"checkpoint-{step}", step=step, size_bytes=1, digest=digest or f"blake3:{step}", healthy=True,
        generation=1, origin=None, manifest_json=b"{}",
    )  # fmt: skip


THERE = tuple(found(one.step) for one in LEDGER)


def changed(place: int, **changes: object) -> tuple[LedgerRow, ...]:
    return (*LEDGER[:place], msgspec.structs.replace(LEDGER[place], **changes), *LEDGER[place + 1 :])


def test_a_campaign_whose_rows_all_lie_there_keeps_all_and_has_lost_none() -> None:
    stock = make_stock(ROW, LEDGER, THERE, {})
    assert (stock.kept, stock.lost, stock.is_whole) == (LEDGER, (), True)
    assert [one.sequence for one in stock.in_force.values()] == [5, 6, 7]
    assert stock.there == {"blake3:5", "blake3:6", "blake3:7"}


DIFFERENT: dict[str, tuple[tuple[LedgerRow, ...], tuple[FoundCheckpoint, ...], list[int], list[int]]] = {
    "one is not there": (LEDGER, THERE[:2], [5, 6, 7], [7]),
    "one is another": (LEDGER, (*THERE[:2], found(7, "blake3:x")), [5, 6, 7], [7]),
    "one is damaged": (changed(1, damage="torn"), THERE, [5, 6, 7], [6]),
    "one was saved again": (changed(1, step=7), (THERE[0], THERE[2]), [5, 7], []),
    "two of one step lie there": (changed(1, step=7), (THERE[0], found(7, "blake3:6"), THERE[2]), [5, 7], []),
    "one more lies there": (LEDGER, (*THERE, found(8)), [5, 6, 7], []),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_whatever_differs_is_worked_out_row_by_row(what) -> None:
    ledger, there, kept, lost = DIFFERENT[what]
    stock = make_stock(ROW, ledger, there, {})
    assert not stock.is_whole
    assert [one.sequence for one in stock.kept] == kept
    assert [one.sequence for one in stock.lost] == lost
