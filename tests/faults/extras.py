"""What changes files without being an action: taking office, the daily backup, sagas, a trainer's save."""

from collections.abc import Callable
from typing import Any, NamedTuple

from scenarios import two_saved
from workshop import CAMPAIGN, NOW, manifest_of

from reconciler.act.office import enter_office
from reconciler.act.saga import settle_sagas
from state.atomic import remove_staging
from trainer.checkpoints.save import publish_checkpoint

WEIGHTS = b"weights of step 11 "


class Extra(NamedTuple):
    """What to do to the realm first, and what is hit: called with the realm and what arms the faults."""

    do: Callable[[Any, Callable[[], None]], None]
    prepare: Callable[[Any, Any], None]
    starts_trainer: bool = False
    start: Callable[[Any], None] = lambda realm: None


def leave_unfinished(realm: Any, make: Any) -> None:
    """Leave what kills leave."""
    two_saved(realm, make)
    for folder in (realm.layout.campaigns, realm.layout.data):
        (folder / ".staging-file").write_text("half")
    (realm.layout.data / ".staging-folder").mkdir()
    (realm.layout.data / ".staging-folder" / "rows.jsonl").write_text("half")


def take_office(realm: Any, before: Callable[[], None]) -> None:
    before()
    enter_office(realm.layout, NOW).close()


def back_up(realm: Any, before: Callable[[], None]) -> None:
    writer = enter_office(realm.layout, NOW)
    try:
        before()
        writer.back_up(realm.layout.backups, "2026-01-31")
    finally:
        writer.close()


def write_sagas(realm: Any, before: Callable[[], None]) -> None:
    writer = enter_office(realm.layout, NOW)
    try:
        before()
        settle_sagas(realm.layout, writer)
    finally:
        writer.close()


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


EXTRAS = {
    "Office": Extra(take_office, leave_unfinished),
    "Backup": Extra(back_up, two_saved),
    "Sagas": Extra(write_sagas, two_saved),
    "Publish": Extra(publish, two_saved),
}
