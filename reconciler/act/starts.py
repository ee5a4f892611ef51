"""Begin a campaign with a checkpoint of another one: its frozen files get a second name, then all is hashed.

The copy has a manifest of its own: the new campaign, the same step, where it is from. It has learnt no quest
of the new campaign. Source and copy share their bytes on the disk where the file system can do that; neither
is ever changed.
"""

from pathlib import Path

import apsw
import msgspec

from reconciler.act.damaged import write_damage
from reconciler.act.derived import campaign_row
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.first_checkpoint import find_published, publish, record_first, stage
from reconciler.act.lying import find_lying
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import find_damage
from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.actions import TakeOverCheckpoint
from state.contract.manifest import Manifest, as_start
from state.ids import which_of
from state.links import take_over_file
from state.store.rows import CampaignRow, LedgerRow
from state.store.tables import put, select_one


def take_over(action: TakeOverCheckpoint, tools: Tools) -> str:
    """Publish the checkpoint in the new campaign, write down where that began, and enter it into the ledger.

    Raises:
        Temporary: the source is not there as it was planned, or is damaged, which is written down now.
        Permanent: the campaign began with something else, or something lies in the checkpoint's place.
    """
    _refuse_other_start(action, tools)
    manifest = find_published(action, tools, lambda one: _is_of(one, action)) or _make_copy(action, tools)
    with tools.writer.transaction() as store:
        name = _name_of_source(store, action)
        put(store, [_begun(campaign_row(store, action.campaign_uid, action.campaign), action, name)])
    said = record_first(action, tools, manifest)
    return f"{name}: {said}"


def _refuse_other_start(action: TakeOverCheckpoint, tools: Tools) -> None:
    with tools.writer.transaction() as store:
        row = campaign_row(store, action.campaign_uid, action.campaign)
    if row.starting_digest not in (None, action.digest):
        raise Permanent(f"{row.name} began with {row.starting_checkpoint}; another start is another campaign")


def _name_of_source(store: apsw.Connection, action: TakeOverCheckpoint) -> str:
    """Return what people call the source now: one of a segment that is not living has its number."""
    where = "WHERE campaign_uid = ? AND digest = ?"
    source = select_one(store, LedgerRow, where, action.source_uid, action.digest)
    return f"{action.source}@{source.which if source is not None else action.step}"


def _begun(row: CampaignRow, action: TakeOverCheckpoint, name: str) -> CampaignRow:
    return msgspec.structs.replace(
        row,
        starting_from=action.wanted,
        starting_checkpoint=name,
        starting_step=action.step,
        starting_digest=action.digest,
        parent_uid=action.source_uid,
    )


def _is_of(manifest: Manifest, action: TakeOverCheckpoint) -> bool:
    return manifest.origin is not None and manifest.origin.digest == action.digest


def _make_copy(action: TakeOverCheckpoint, tools: Tools) -> Manifest:
    source = _source(action, tools)
    return stage(action, tools, "start", lambda staging: _publish(action, tools, source, staging))


def _publish(action: TakeOverCheckpoint, tools: Tools, source: FoundCheckpoint, staging: Path) -> Manifest:
    for entry in source.manifest.files:
        take_over_file(Path(source.path) / entry.path, staging / entry.path)
    if damage := find_damage(staging, source.manifest):
        _write_damage(action, tools, source, "; ".join(damage))
    return publish(staging, _manifest(action, tools, source.manifest), "starting checkpoint")


def _source(action: TakeOverCheckpoint, tools: Tools) -> FoundCheckpoint:
    found = find_lying(tools, action.source_uid, action.source, action.digest)
    if found is None:
        name = f"{action.source}@{which_of(action.segment, action.step)}"
        raise Temporary(f"{name} is not there with digest {action.digest} any more; planned again")
    return found


def _write_damage(action: TakeOverCheckpoint, tools: Tools, source: FoundCheckpoint, damage: str) -> None:
    """Remember in the ledger that the source is damaged, and give up.

    Raises:
        Temporary: always.
    """
    write_damage(tools, action.source_uid, source, damage)
    raise Temporary(f"{source.path} is damaged: {damage}; nothing was taken over")


def _manifest(action: TakeOverCheckpoint, tools: Tools, source: Manifest) -> Manifest:
    """Return the copy's manifest."""
    with tools.writer.transaction() as store:
        segment = campaign_row(store, action.campaign_uid, action.campaign).segment
    return as_start(
        source,
        action.source,
        campaign_uid=action.campaign_uid,
        campaign=action.campaign,
        segment=segment,
        created_at=tools.now(),
    )
