"""What is done to a realm before one of its actions is hit by faults."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
from tiny_realm import CAMPAIGN

from reconciler.plan import actions as a
from state.contract.files import read
from state.contract.manifest import Manifest
from state.contract.orders import RowShape

NOT_UNDERSTOOD = b'{"note": "mine", "highest_accuracy": NaN}'


def deactivated(realm: Any, make: Any) -> None:
    realm.layout.active_pointer.unlink()
    realm.layout.active_link.unlink()


def damaged_record(realm: Any, make: Any) -> None:
    realm.layout.campaign(make.campaign).record.write_text('{"note": "mine", "status": "archived"}')


def record_not_understood(realm: Any, make: Any) -> None:
    realm.layout.campaign(make.campaign).record.write_bytes(NOT_UNDERSTOOD)


def left_with_word(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    record = {
        "reason": "finished",
        "message": "done",
        "step": 3,
        "last_checkpoint_step": 3,
        "exited_at": make.now,
    }
    realm.run.exit.write_text(json.dumps(record))


def manifest_of(realm: Any, step: int) -> Any:
    return read(realm.layout.campaign("tiny/campaign-001").checkpoint(step) / "manifest.json", Manifest)


def archived_manifest(realm: Any) -> Any:
    places = realm.layout.campaign("tiny/campaign-001", archived=True)
    return read(places.checkpoint(7) / "manifest.json", Manifest)


def damaged(realm: Any, step: int) -> None:
    realm.save_checkpoint(step)
    realm.flip_a_bit(step)


def found_damaged(realm: Any, make: Any) -> None:
    damaged(realm, 7)
    realm.done(make.record(manifest_of(realm, 7)))


def torn(realm: Any, make: Any) -> None:
    """A recorded checkpoint lost a part of a file."""
    realm.done(make.record(realm.save_checkpoint(7)))
    realm.tear(7)


def at_rest(realm: Any, make: Any) -> None:
    """The first campaign has a recorded checkpoint and is not active any more."""
    realm.done(make.record(realm.save_checkpoint(7)), make.activate(make.other, make.campaign))


def unfinished_save(realm: Any) -> Path:
    """Leave what a trainer leaves that is killed while it saves; return it."""
    staging: Path = realm.layout.campaign(CAMPAIGN).checkpoints / ".staging-9-trainer"
    staging.mkdir()
    (staging / "model.safetensors").write_bytes(b"half")
    return staging


def two_saved(realm: Any, make: Any) -> None:
    realm.done(make.record(realm.save_checkpoint(7)), make.record(realm.save_checkpoint(9)))


def one_dropped(realm: Any, make: Any) -> None:
    two_saved(realm, make)
    realm.done(make.drop(manifest_of(realm, 7)))


def one_demoted(realm: Any, make: Any) -> None:
    two_saved(realm, make)
    realm.done(make.demote(manifest_of(realm, 7)))


def taken_back_asked(realm: Any, make: Any) -> None:
    one_dropped(realm, make)
    realm.ask("undelete", f"{make.campaign}@7")


def taken_back(realm: Any, make: Any) -> None:
    taken_back_asked(realm, make)
    realm.done(msgspec.structs.replace(make.take_back(7), overrules="keep: metrics"))


def dropped(realm: Any, make: Any) -> None:
    path = realm.layout.inbox / "sums.jsonl"
    path.parent.mkdir()
    path.write_bytes(make.rows)


def inbox_file(realm: Any, make: Any) -> a.TakeInboxFile:
    status = (realm.layout.inbox / "sums.jsonl").stat()
    return a.TakeInboxFile(
        quest_id="sums-0123abcd",
        name="sums.jsonl",
        source_key="inbox key",
        digest=make.digest,
        num_rows=3,
        size_bytes=status.st_size,
        mtime_ns=str(status.st_mtime_ns),
        shape=RowShape(),
    )


def exported(realm: Any, make: Any) -> Path:
    return make.elsewhere(realm) / make.campaign / "checkpoint-7"


def purged_and_exported(realm: Any, make: Any) -> None:
    """Checkpoint 7 was exported, dropped and deleted for good; then somebody wanted it back."""
    two_saved(realm, make)
    manifest = manifest_of(realm, 7)
    realm.done(make.copy_out(realm, manifest), make.drop(manifest), make.purge(7))
    realm.ask("undelete", f"{make.campaign}@7")


def archived_and_exported(realm: Any, make: Any) -> None:
    """Two were saved, the first was exported, and their campaign rests in the archive."""
    two_saved(realm, make)
    realm.done(make.copy_out(realm, manifest_of(realm, 7), kind="archive"))
    realm.done(make.activate(make.other, make.campaign), make.archive())


def moved_out(realm: Any, make: Any) -> None:
    archived_and_exported(realm, make)
    realm.done(make.move_out(realm, archived_manifest(realm)))


def moved_out_and_purged(realm: Any, make: Any) -> None:
    moved_out(realm, make)
    realm.done(make.purge(7))


def copied_and_damaged(realm: Any, make: Any) -> None:
    """Checkpoint 7 was moved out; of its two copies the first has lost a file."""
    moved_out_and_purged(realm, make)
    realm.done(second_copy(realm, make))
    (exported(realm, make) / "model.safetensors").unlink()


def second_copy(realm: Any, make: Any) -> a.CopyCheckpoint:
    """Return what copies the export of checkpoint 7 to another place."""
    to = make.elsewhere(realm) / "far"
    to.mkdir(exist_ok=True)
    sources = (str(exported(realm, make)),)
    return make.copy_out(realm, exported_manifest(realm, make), to=str(to), kind="archive", sources=sources)


def exported_manifest(realm: Any, make: Any) -> Any:
    return read(exported(realm, make) / "manifest.json", Manifest)


def aside_and_exported(realm: Any, make: Any) -> None:
    """Checkpoint 7 was exported; then a bit of it flipped, which a scrub found, and it was set aside."""
    two_saved(realm, make)
    manifest = manifest_of(realm, 7)
    realm.done(make.copy_out(realm, manifest))
    realm.flip_a_bit(7)
    realm.done(make.read_again(realm, 7), make.set_aside(manifest))


def deleted(realm: Any, make: Any) -> None:
    """The first campaign was deleted whole, after an approval."""
    at_rest(realm, make)
    realm.done(make.delete(manifest_of(realm, 7)))


def wanted_back(realm: Any, make: Any) -> None:
    deleted(realm, make)
    realm.ask("undelete", make.campaign)


def begun_elsewhere(realm: Any, make: Any) -> None:
    """Three are saved; the job is learnt by the last, the second is in the trash, another began with the third."""
    for step in (7, 9, 11):
        realm.done(make.record(realm.save_checkpoint(step)))
    realm.done(make.mark("completed", start_step=8, final_step=11))
    realm.done(make.take_over(manifest_of(realm, 11)), make.drop(manifest_of(realm, 9), 2))


def recorded_and_lost(realm: Any, make: Any) -> None:
    realm.done(make.record(realm.save_checkpoint(7)))
    shutil.rmtree(realm.layout.campaign(make.campaign).checkpoint(7))
