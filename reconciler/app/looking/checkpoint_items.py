"""Every checkpoint as `get checkpoints` hands it out: what the ledger knows, and what lies in the folders."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from reconciler.app.looking.items import CheckpointItem
from reconciler.app.planning.look import View
from reconciler.observed.copy_places import why_unreachable
from reconciler.observed.records import CheckpointFacts, ForeignFolder, FoundCheckpoint
from reconciler.plan.checkpoints.ledger import why_missing
from reconciler.plan.trash.contents import is_vanished
from state.formats import canonical_name, sidecar_record
from state.store.rows import CampaignRow, LedgerRow, SegmentRow, TrashRow

WEIGHTS_ONLY = "weights only: a campaign can begin with it, with fresh optimizer state"
_OF_THE_LEDGER = set(CheckpointItem.__struct_fields__)


def all_checkpoints(view: View) -> tuple[CheckpointItem, ...]:
    """Return every checkpoint of every campaign, by campaign and step; what is foreign stands last."""
    return tuple(item for row in view.facts.store.campaigns for item in checkpoints_of(view, row))


def checkpoints_of(view: View, campaign: CampaignRow) -> Iterator[CheckpointItem]:
    """Yield the checkpoints of one campaign."""
    seen = view.facts.campaigns[campaign.name]
    ledger = view.facts.ledger_of(campaign.uid)
    yield from _of_stretch(view, campaign, seen.checkpoints, {r.step: r for r in ledger if r.is_living})
    releases = {one.number: one for one in view.facts.segments_of(campaign.uid) if one.kind == "decay"}
    for number, facts in sorted(seen.segments.items()):
        known = {row.step: row for row in ledger if not row.is_living and row.segment == number}
        items = _of_stretch(view, campaign, facts, known, number)
        yield from (_released(item, releases.get(number)) for item in items)


def _released(item: CheckpointItem, branch: SegmentRow | None) -> CheckpointItem:
    """Return a checkpoint of a segment, with what asked for it if it ends a release's branch."""
    if branch is None or item.step != branch.last_step:
        return item
    return msgspec.structs.replace(item, release=branch.wanted)


def _of_stretch(
    view: View,
    campaign: CampaignRow,
    seen: CheckpointFacts,
    known: Mapping[int, LedgerRow],
    segment: int | None = None,
) -> Iterator[CheckpointItem]:
    """Yield what is known and lies there of the living history, or of one of the other segments."""
    there = {found.step: found for found in seen.complete}
    for step in sorted(known.keys() | there.keys()):
        yield _item(view, campaign.name, known.get(step), there.get(step), segment, why_missing(seen, step))
    for foreign in seen.foreign:
        yield _foreign(view, campaign.name, foreign)


def _item(
    view: View,
    campaign: str,
    row: LedgerRow | None,
    found: FoundCheckpoint | None,
    segment: int | None,
    missing: str,
) -> CheckpointItem:
    if found is not None and (row is None or row.digest != found.manifest.digest):
        return _unrecorded(view, campaign, found, segment)
    if row is None:  # cannot be: the step came from one of the two
        raise AssertionError(campaign)
    stone = view.facts.tombstone(row)
    lies_at = stone.path if stone is not None and stone.state == "trashed" else row.path
    path = found.path if found is not None else str(Path(view.plan.root) / lies_at)
    places = [copy.path for copy in view.facts.copies_of(row.sequence) if copy.damage is None]
    if found is None and stone is not None and stone.is_moved:
        return _elsewhere(view, campaign, row, stone, path, places)
    return _recorded(view, campaign, row, path, places, *_state(row, found, stone, missing))


def _elsewhere(
    view: View, campaign: str, row: LedgerRow, stone: TrashRow, path: str, places: list[str]
) -> CheckpointItem:
    """Return what was moved out of the root; whether a copy of it can be reached is seen now."""
    if not places:
        return _recorded(view, campaign, row, path, places, *_without_copies(view, stone))
    away = {place: why_unreachable(Path(place)) for place in places}
    there = next((place for place, why in away.items() if why is None), None)
    reason = f"in {there}" if there is not None else f"out of reach: {away[places[0]]}"
    return _recorded(view, campaign, row, there or places[0], places, "elsewhere", reason)


def _without_copies(view: View, stone: TrashRow) -> tuple[str, str]:
    """Return the state of what was moved out of the root, and of which no right copy is known."""
    unseen = view.facts.store.unseen_places
    copies = f"a copy may lie where nobody could look: {unseen[0]}" if unseen else "no copy of it is known"
    if stone.state == "trashed" and stone.damage is None and not is_vanished(view.facts, stone):
        return "trashed", f"it was moved out of the root, and {copies}; reconcile undelete takes it back"
    if unseen:
        return "elsewhere", f"out of reach: {copies}"
    return "missing", "it was moved out of the root, and no copy of it is right any more"


def _state(
    row: LedgerRow, found: FoundCheckpoint | None, stone: TrashRow | None, missing: str
) -> tuple[str, str | None]:
    """Return the state of a recorded checkpoint, and why it is no better."""
    if found is None and stone is not None:
        return ("purged" if stone.state == "purged" else "trashed"), stone.reason
    if found is None:
        return "missing", f"damaged and set aside: {row.damage}" if row.damage else missing
    if row.damage is not None:
        return "unhealthy", row.damage
    if found.manifest.demoted_from is not None:
        return "complete", WEIGHTS_ONLY
    return ("complete", None) if found.manifest.healthy else ("unhealthy", "a loss was not finite")


def _recorded(
    view: View, campaign: str, row: LedgerRow, path: str, places: list[str], state: str, reason: str | None
) -> CheckpointItem:
    """Return what the sidecar says, under the same names, and how it is."""
    said: Mapping[str, object] = sidecar_record(row, campaign, {})
    fields = {name: value for name, value in said.items() if name in _OF_THE_LEDGER}
    about: dict[str, object] = {
        "id": f"{campaign}@{row.which}",
        "path": path,
        "state": state,
        "reason": reason,
    }
    about["is_living"] = row.is_living
    about["measured_on"] = view.facts.rows_measured(row.campaign_uid).of(row) or None
    about["verified_at"] = row.verified_at
    about["locations"] = tuple(places)
    return msgspec.convert(fields | about, CheckpointItem)


def _unrecorded(view: View, campaign: str, found: FoundCheckpoint, segment: int | None) -> CheckpointItem:
    manifest, measures = found.manifest, found.manifest.measures
    measured_on = view.facts.rows_measured(manifest.campaign_uid)
    hero, _, campaign_id = campaign.partition("/")
    return CheckpointItem(
        id=f"{campaign}@{found.step if segment is None else f'{segment}:{found.step}'}",
        segment=manifest.segment,
        is_living=segment is None,
        state="unrecorded" if manifest.healthy else "unhealthy",
        reason=None if manifest.healthy else "a loss was not finite",
        step=found.step,
        timestamp=manifest.created_at,
        path=found.path,
        canonical_name=canonical_name(found.step, manifest.created_at),
        train_loss=measures.train_loss,
        val_loss=measures.val_loss,
        measured_on=measured_on.of_manifest(manifest) or None,
        learning_rate=measures.learning_rate,
        training_file=manifest.quest_id,
        total_examples_trained=measures.examples_seen,
        hero_id=hero,
        campaign_id=campaign_id,
        size_bytes=found.size_bytes,
        healthy=manifest.healthy,
        digest=manifest.digest,
        generation=manifest.generation,
        attempt=manifest.attempt,
        config_hash=manifest.config_hash,
        code_version=str(manifest.code_version),
        specs_commit=manifest.specs_commit,
    )


def _foreign(view: View, campaign: str, foreign: ForeignFolder) -> CheckpointItem:
    hero, _, campaign_id = campaign.partition("/")
    measured = view.facts.among_checkpoints.get(foreign.path)
    return CheckpointItem(
        id=f"{campaign}/{foreign.name}",
        size_bytes=measured.size_bytes if measured is not None else 0,
        state="foreign",
        reason=foreign.reason,
        path=foreign.path,
        hero_id=hero,
        campaign_id=campaign_id,
    )
