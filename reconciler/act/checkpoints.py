"""Checkpoints: enter what a trainer published into the ledger, once every byte of it was read and hashed."""

from pathlib import Path

import apsw
import msgspec

from reconciler.act.derived import places_of, read_or_keep, write_campaign_file
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.lying import all_lying
from reconciler.act.observed_time import observed_seconds
from reconciler.act.status_files import write_status_files
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import find_damage, observe_checkpoints
from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.actions import RecordCheckpoint
from reconciler.plan.checkpoints.ledger import is_later
from reconciler.plan.checkpoints.ledger_rows import ledger_row
from state.atomic import sync_folder, write_file
from state.contract.manifest import SIDECAR_NAME, Manifest
from state.formats import encode_record, is_of_newer_software, sidecar_record
from state.ids import SEGMENTS
from state.store.lineage import manifest_row
from state.store.rows import LedgerRow
from state.store.tables import put, select_one
from state.store.writer import next_number


def record(action: RecordCheckpoint, tools: Tools) -> str:
    """Verify the checkpoint, write its ledger row, then its sidecar and campaign.json.

    What a later run saved again, because the one recorded was lost, gets a row of its own; the old one stays.
    What is damaged gets a row that says so, and nothing is written into its folder.

    Raises:
        Temporary: the checkpoint is not there as it was planned.
        Permanent: the ledger has another one of this step.
    """
    found = _find(action, tools)
    with tools.writer.transaction() as store:
        row = _recorded(store, action, found)
    if row is None:
        damage = "; ".join(find_damage(Path(found.path), found.manifest)) or None
        _sync_names(Path(found.path))
        with tools.writer.transaction() as store:
            path = str(Path(found.path).relative_to(tools.layout.root))
            row = ledger_row(found, path=path, sequence=next_number(store), damage=damage)
            row = msgspec.structs.replace(row, recorded_at_seconds=observed_seconds(store, tools))
            put(store, [row, manifest_row(found.manifest)])
    if row.damage is None:
        write_sidecar(Path(found.path), row, action.campaign)
    write_campaign_file(tools, action.campaign_uid, action.campaign)
    write_status_files(tools, action.campaign_uid, action.campaign)
    said = _loss(row) if row.damage is None else f"damaged: {row.damage}"
    return f"{row.canonical_name}, {said}{_left_out(found.manifest)}"


def _left_out(manifest: Manifest) -> str:
    """Return which updates on the way to a checkpoint changed nothing, since their loss jumped."""
    losses = {one.update: f"{one.update:,} (loss {one.loss:.4g})" for one in manifest.skipped}
    noun = "update" if len(losses) == 1 else "updates"
    return f"; left out: {noun} {', '.join(losses.values())}" if losses else ""


def _sync_names(folder: Path) -> None:
    """Let no power cut take the folder's name back: its trainer may have been killed before that."""
    sync_folder(folder.parent)
    sync_folder(folder.parent.parent)


def write_sidecar(folder: Path, row: LedgerRow, campaign: str) -> None:
    """Put `.ledger.json` into the checkpoint; unfinished it lies outside.

    A strange file beside the others would make the checkpoint foreign; so what is kept of one that cannot be
    understood lies in the campaign's folder, too. One of a newer software stays as it is: it says more than
    this one understands, and the store says the rest.
    """
    path, home = folder / SIDECAR_NAME, folder.parents[2 if folder.parents[1].name == SEGMENTS else 1]
    existing, _kept = read_or_keep(path, home / f"{folder.name}{SIDECAR_NAME}")
    if not is_of_newer_software(existing):
        content = encode_record(sidecar_record(row, campaign, existing))
        write_file(path, content, staging_folder=home)


def newest_to_resume(
    tools: Tools, campaign: str, campaign_uid: str, segment: int | None = None
) -> FoundCheckpoint | None:
    """Return the newest complete healthy checkpoint of the campaign, as it lies there now.

    With `segment`: of that branch alone.

    Raises:
        Temporary: the folder cannot be read, so what lies there is unknown.
    """
    places = places_of(tools, campaign_uid, campaign)
    folder = places.checkpoints if segment is None else places.segment(segment)
    facts = observe_checkpoints(folder, tools.layout.root, campaign_uid)
    if facts.problem is not None:
        raise Temporary(f"{facts.problem}; no run starts before it is known what is there")
    healthy = [found for found in facts.complete if found.manifest.healthy]
    return healthy[-1] if healthy else None


def _find(action: RecordCheckpoint, tools: Tools) -> FoundCheckpoint:
    places = places_of(tools, action.campaign_uid, action.campaign)
    for found in all_lying(tools, action.campaign_uid, places):
        manifest = found.manifest
        if (manifest.segment, manifest.step, manifest.digest) == (action.segment, action.step, action.digest):
            return found
    folder = places.checkpoints
    raise Temporary(
        f"{folder}/checkpoint-{action.step}: not there with digest {action.digest} any more; "
        "it changed since the plan"
    )


def _recorded(store: apsw.Connection, action: RecordCheckpoint, found: FoundCheckpoint) -> LedgerRow | None:
    row = row_in_force(store, action.campaign_uid, action.segment, action.step)
    if row is None or row.digest == action.digest:
        return row
    if is_later(found.manifest, row):
        return None
    raise Permanent(
        f"checkpoint {action.campaign}@{action.which}: the ledger has digest {row.digest}, the folder "
        f"{action.digest}; nothing was overwritten: find out who replaced it"
    )


def row_in_force(store: apsw.Connection, campaign_uid: str, segment: int, step: int) -> LedgerRow | None:
    """Return the ledger's last row of this step."""
    where = "WHERE campaign_uid = ? AND segment = ? AND step = ? ORDER BY sequence DESC"
    return select_one(store, LedgerRow, where, campaign_uid, segment, step)


def _loss(row: LedgerRow) -> str:
    return "loss unknown" if row.train_loss is None else f"loss {row.train_loss:.3f}"
