"""What changes files without being an action: taking office, the daily backup, sagas, a trainer's save."""

from collections.abc import Callable
from typing import Any, NamedTuple

from kill_worlds import two_saved
from tiny_actions import record
from tiny_realm import CAMPAIGN, NOW, manifest_of

from reconciler.act.office import enter_office
from reconciler.act.saga import settle_sagas
from reconciler.act.trimming import trim_journal
from state.atomic import (
    ensure_folder,
    publish_folder,
    remove_staging,
    sync_file,
    sync_folder,
    write_file,
    write_json,
)
from trainer.checkpoints.save import publish_checkpoint

WEIGHTS = b"weights of step 11 "


class Extra(NamedTuple):
    """What to do to the realm first, and what is hit: called with the realm and what arms the faults."""

    do: Callable[[Any, Callable[[], None]], None]
    prepare: Callable[[Any, Any], None]
    starts_trainer: bool = False
    start: Callable[[Any], None] = lambda _realm: None


def leave_unfinished(realm: Any, make: Any) -> None:
    """Leave what kills leave."""
    two_saved(realm, make)
    for folder in (realm.layout.campaigns, realm.layout.data):
        (folder / ".staging-file").write_text("half")
    (realm.layout.data / ".staging-folder").mkdir()
    (realm.layout.data / ".staging-folder" / "rows.jsonl").write_text("half")


def take_office(realm: Any, before: Callable[[], None]) -> None:
    before()
    realm.leave(enter_office(realm.layout, NOW))


def back_up(realm: Any, before: Callable[[], None]) -> None:
    writer = enter_office(realm.layout, NOW)
    try:
        before()
        writer.back_up(realm.layout.backups, "2026-01-31")
    finally:
        realm.leave(writer)


def trim(realm: Any, before: Callable[[], None]) -> None:
    writer = enter_office(realm.layout, NOW)
    try:
        before()
        trim_journal(writer, kept_rows=2)
    finally:
        realm.leave(writer)


def write_sagas(realm: Any, before: Callable[[], None]) -> None:
    writer = enter_office(realm.layout, NOW)
    try:
        before()
        settle_sagas(realm.layout, writer)
    finally:
        realm.leave(writer)


def publish(realm: Any, before: Callable[[], None]) -> None:
    """Save as a trainer does that was started again: what the last one left unfinished goes first."""
    folder = realm.layout.campaign(CAMPAIGN).checkpoints
    remove_staging(folder)
    if (folder / "checkpoint-11").exists():
        return
    before()
    publish_checkpoint(
        folder,
        11,
        (lambda staging: (staging / "model.safetensors").write_bytes(WEIGHTS) and None,),
        lambda _files: manifest_of(11, {"model.safetensors": WEIGHTS}),
    )


def bare_campaign(realm: Any, make: Any) -> None:
    realm.layout.campaign(CAMPAIGN).checkpoints.rmdir()


def record_a_killed_save(realm: Any, before: Callable[[], None]) -> None:
    """Record what a trainer has given its name, and was killed before that was synced; so was its folder."""
    folder = realm.layout.campaign(CAMPAIGN).checkpoints
    manifest = manifest_of(11, {"model.safetensors": WEIGHTS})
    if not (folder / "checkpoint-11").exists():
        folder.mkdir(exist_ok=True)
        remove_staging(folder)
        staging = folder / ".staging-11-trainer"
        staging.mkdir()
        write_file(staging / "model.safetensors", WEIGHTS)
        write_json(staging / "manifest.json", manifest)
        staging.rename(folder / "checkpoint-11")
    if outcomes := [one for one in realm.perform(record(manifest), before=before) if not one.ok]:
        raise OSError(outcomes[0].text)


def publish_folder_alone(realm: Any, before: Callable[[], None]) -> None:
    """Publish a folder whose files are synced, and their names not."""
    final = realm.layout.models / "tiny"
    staging = realm.layout.models / ".staging-tiny"
    ensure_folder(realm.layout.models)
    remove_staging(realm.layout.models)
    if final.exists():
        sync_folder(final.parent)
        return
    before()
    staging.mkdir()
    (staging / "config.json").write_text("{}")
    sync_file(staging / "config.json")
    publish_folder(staging, final)


EXTRAS = {
    "Office": Extra(take_office, leave_unfinished),
    "Backup": Extra(back_up, two_saved),
    "Sagas": Extra(write_sagas, two_saved),
    "Trimming": Extra(trim, two_saved),
    "Publish": Extra(publish, two_saved),
    "Folder": Extra(publish_folder_alone, two_saved),
    "KilledSave": Extra(record_a_killed_save, bare_campaign),
}
