"""Begin a campaign with a folder from elsewhere: copied, read back and hashed, under a manifest of ours.

What is foreign is never changed, and nothing of it is unpickled. What nobody knows of it stays unknown: the
manifest names the fields that say nothing.
"""

from pathlib import Path

import msgspec

from reconciler.act.derived import campaign_row
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.first_checkpoint import find_published, publish, record_first, stage
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import find_damage
from reconciler.observed.folders import UnsafeFile, open_folder
from reconciler.observed.start_folders import observe_start_folder
from reconciler.observed.start_records import StartFolder
from reconciler.plan.actions import ImportCheckpoint
from state.contract.imported import Imported
from state.contract.manifest import FileEntry, Manifest, with_digest
from state.copies import copy_hashed
from state.store.rows import CampaignRow
from state.store.tables import put
from state.unknown import UNKNOWN, unknown_manifest


def take_in(action: ImportCheckpoint, tools: Tools) -> str:
    """Publish the copy in the campaign, write down where that began, and enter it into the ledger.

    Raises:
        Temporary: the folder is not there as it was planned, or changes while it is copied.
        Permanent: the campaign began with something else, or something lies in the checkpoint's place.
    """
    row = _row(action, tools)
    if row.starting_digest is not None and row.starting_from != action.wanted:
        raise Permanent(f"{row.name} began with {row.starting_checkpoint}; another start is another campaign")
    manifest = find_published(action, tools, lambda one: _is_of(one, action))
    manifest = manifest or _copy(action, tools, row.segment)
    with tools.writer.transaction() as store:
        before = campaign_row(store, action.campaign_uid, action.campaign)
        put(store, [_begun(before, action, manifest)])
    said = record_first(action, tools, manifest)
    optimizer = "" if action.producer == "realm" else "; the optimizer begins afresh"
    return f"{action.source}: {said}{optimizer}"


def _row(action: ImportCheckpoint, tools: Tools) -> CampaignRow:
    with tools.writer.transaction() as store:
        return campaign_row(store, action.campaign_uid, action.campaign)


def _begun(row: CampaignRow, action: ImportCheckpoint, manifest: Manifest) -> CampaignRow:
    return msgspec.structs.replace(
        row,
        starting_from=action.wanted,
        starting_checkpoint=action.source,
        starting_step=action.step,
        starting_digest=manifest.digest,
    )


def _is_of(manifest: Manifest, action: ImportCheckpoint) -> bool:
    return manifest.imported is not None and manifest.imported.source == action.source


def _copy(action: ImportCheckpoint, tools: Tools, segment: int) -> Manifest:
    source = _source(action)

    def fill(staging: Path) -> Manifest:
        entries = _copied(action, staging)
        _refuse_changed(action, source)
        return _publish(action, tools, source, segment, staging, entries)

    return stage(action, tools, "import", fill)


def _source(action: ImportCheckpoint) -> StartFolder:
    """Return what lies there now, which must be what was planned."""
    found = observe_start_folder(action.source)
    seen = (found.folder, found.producer, found.step, found.files, found.size_bytes)
    if seen != (action.source, action.producer, action.step, action.files, action.size_bytes):
        why = found.problem or "it is not what was planned any more"
        raise Temporary(f"{action.source}: {why}; planned again")
    return found


def _refuse_changed(action: ImportCheckpoint, before: StartFolder) -> None:
    if _source(action) != before:
        raise Temporary(f"{action.source} changed while it was copied; planned again")


def _copied(action: ImportCheckpoint, staging: Path) -> tuple[FileEntry, ...]:
    entries = []
    try:
        with open_folder(Path(action.source), Path(action.source)) as folder:
            for name in action.files:
                size, digest = copy_hashed(folder.open_descriptor(name), staging / name)
                entries.append(FileEntry(path=name, size_bytes=size, blake3=digest))
    except UnsafeFile as error:
        raise Temporary(
            f"{action.source} changed while it was copied: a file {error}; planned again"
        ) from error
    return tuple(entries)


def _publish(
    action: ImportCheckpoint,
    tools: Tools,
    source: StartFolder,
    segment: int,
    staging: Path,
    entries: tuple[FileEntry, ...],
) -> Manifest:
    manifest = _manifest(action, tools, source, segment, entries)
    if damage := find_damage(staging, manifest):
        raise Temporary(f"what was copied of {action.source} reads back otherwise: {'; '.join(damage)}")
    if source.manifest is not None and (damage := find_damage(staging, source.manifest)):
        raise Permanent(f"{action.source} is damaged: {'; '.join(damage)}; nothing was taken in")
    return publish(staging, manifest, "import")


def _manifest(
    action: ImportCheckpoint,
    tools: Tools,
    source: StartFolder,
    segment: int,
    entries: tuple[FileEntry, ...],
) -> Manifest:
    """Return the copy's manifest: what was measured stays, what was learnt was learnt elsewhere."""
    model = source.model
    imported = Imported(
        producer=action.producer,
        source=action.source,
        architecture=model.architecture if model else None,
        vocab_size=model.vocab_size if model else None,
        config_digest=model.digest if model else None,
        unused=source.unused,
        unknown=() if source.manifest is not None else UNKNOWN,
    )
    campaign = {"campaign_uid": action.campaign_uid, "campaign": action.campaign, "segment": segment}
    if source.manifest is not None:
        kept = msgspec.structs.replace(
            source.manifest, **campaign, parent_step=None, parent_digest=None, created_at=tools.now(),
            generation=0, attempt=0, cursor=(), learnt=(), files=entries, origin=None, recipe=None,
            imported=imported,
        )  # fmt: skip
        return with_digest(kept)
    losses = (source.train_loss, source.val_loss, source.learning_rate)
    made = unknown_manifest(action.step, source.saved_at, losses, imported)
    return with_digest(msgspec.structs.replace(made, **campaign, files=entries))
