"""The Hall of Legends: every campaign that rests in the archive, how it ended and what it takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.app.looking.items import LegendItem
from reconciler.app.planning.look import View
from reconciler.plan.keeping.elsewhere import whole_copies
from state.archive_summary import archive_summary
from state.cards import decode_card
from state.store.rows import CampaignRow


def legends(view: View) -> tuple[LegendItem, ...]:
    """Return the archived campaigns, the latest first."""
    archived = [row for row in view.facts.store.campaigns if row.status == "archived"]
    newest_first = sorted(archived, key=lambda row: (row.archived_at or "", row.name), reverse=True)
    return tuple(_legend(view, row) for row in newest_first)


def _legend(view: View, row: CampaignRow) -> LegendItem:
    hero, _, campaign = row.name.partition("/")
    summary = _summary(view, row)
    final: Mapping[str, Any] = summary["final_checkpoint"] or {}
    best: Mapping[str, Any] = summary["best_checkpoint"] or {}
    complete = view.facts.campaigns[row.name].all_complete
    trashed = [one for one in view.facts.in_trash if one.campaign_uid == row.uid and not one.is_moved]
    moved = view.facts.moved_out.get(row.uid, ())
    whole = {stone.sequence: copies for stone in moved if (copies := whole_copies(view.facts, stone))}
    source, card = view.desired.campaigns.get(row.name), decode_card(row.card_json)
    return LegendItem(
        id=row.name,
        hero_id=hero,
        campaign_id=campaign,
        name=(source.spec.name if source else None) or (card.name if card else None),
        archived_at=row.archived_at,
        step=final.get("step", row.starting_step),
        total_examples=final.get("total_examples_trained", 0),
        final_train_loss=final.get("train_loss"),
        final_val_loss=final.get("val_loss"),
        best_step=best.get("step"),
        best_val_loss=best.get("val_loss"),
        num_checkpoints=len(complete),
        checkpoint_bytes=sum(found.size_bytes for found in complete),
        num_in_trash=len(trashed),
        trash_bytes=sum(stone.size_bytes for stone in trashed),
        num_elsewhere=len(whole),
        elsewhere_bytes=sum(copies[0].size_bytes for copies in whole.values()),
        elsewhere=tuple(sorted({str(Path(copies[0].path).parent) for copies in whole.values()})),
        num_runs=summary["num_runs"],
        num_quests=sum(quest["status"] == "completed" for quest in summary["quests"]),
        path=str(view.layout.home_of(row).folder),
        spec=source.path if source else None,
    )


def _summary(view: View, row: CampaignRow) -> dict[str, Any]:
    """Return what the archive's own summary says, from the same rows by the same function."""
    facts = view.facts
    return archive_summary(row, facts.ledger_of(row.uid), facts.runs_of(row.uid), facts.jobs_of(row.uid))
