"""The actions that tests perform, each from the few words that matter."""

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from tiny_realm import CAMPAIGN, CARD, CONFIG, DIGEST, JOB, KEY, NOW, OTHER, OTHER_UID, REALM_UID, ROWS, UID
from tiny_trainers import TinyTrainers

from reconciler.observed.start_folders import observe_start_folder
from reconciler.plan import actions as a
from reconciler.plan.changes import Change, change_id
from state.contract.manifest import Manifest
from state.contract.orders import ConfigInForce, RowShape
from state.contract.request import config_hash
from state.ids import campaign_uid, contents_digest, deletion_number
from state.renames import Rename

if TYPE_CHECKING:
    from workshop import Workshop

GENERATOR = Path(__file__).with_name("tiny_generator.py")


def change(action: a.AnyAction, *needs: str) -> Change:
    return Change(
        id=change_id(action), action=action, subject="thing", reason="because", cause="specs/realm.yaml:1",
        source="edit", needs=needs,
    )  # fmt: skip


def register(campaign: str = CAMPAIGN) -> a.RegisterCampaign:
    return a.RegisterCampaign(campaign=campaign, campaign_uid=campaign_uid(REALM_UID, campaign), card=CARD)


def activate(campaign: str = CAMPAIGN, previous: str | None = None) -> a.ActivateCampaign:
    uid = campaign_uid(REALM_UID, campaign)
    return a.ActivateCampaign(campaign=campaign, campaign_uid=uid, previous=previous)


def take_over(manifest: Manifest, **changes: Any) -> a.TakeOverCheckpoint:
    given = a.TakeOverCheckpoint(
        campaign=OTHER, campaign_uid=OTHER_UID, wanted=f"{CAMPAIGN}@latest", source=CAMPAIGN, source_uid=UID,
        step=manifest.step, digest=manifest.digest,
    )  # fmt: skip
    return msgspec.structs.replace(given, **changes)


def foreign_run(realm: "Workshop") -> Path:
    """Return the folder of a whole checkpoint that the Hugging Face Trainer could have saved."""
    folder = realm.layout.root.parent / "elsewhere" / "checkpoint-500"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
        (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"weights!")
        (folder / "config.json").write_text('{"architectures": ["Qwen3ForCausalLM"], "vocab_size": 259}')
        history = '[{"loss": 0.5, "learning_rate": 0.001, "step": 499}, {"eval_loss": 0.75, "step": 500}]'
        (folder / "trainer_state.json").write_text(f'{{"global_step": 500, "log_history": {history}}}')
    return folder


def take_in(realm: "Workshop", folder: Path | None = None, **changes: Any) -> a.ImportCheckpoint:
    seen = observe_start_folder(str(folder or foreign_run(realm)))
    given = a.ImportCheckpoint(
        campaign=OTHER, campaign_uid=OTHER_UID, wanted=seen.path, source=str(seen.folder),
        producer=str(seen.producer), step=seen.step, files=seen.files, size_bytes=seen.size_bytes,
    )  # fmt: skip
    return msgspec.structs.replace(given, **changes)


def rename(campaign: str, before: str = CAMPAIGN) -> a.RenameCampaign:
    return a.RenameCampaign(campaign=campaign, campaign_uid=UID, previous=before)


def exchange() -> a.RenameCampaign:
    """The first takes the name of the other, and the other takes its own."""
    both = (
        Rename(campaign_uid=UID, old=CAMPAIGN, new=OTHER, how="moved"),
        Rename(campaign_uid=OTHER_UID, old=OTHER, new=CAMPAIGN, how="moved"),
    )
    return a.RenameCampaign(campaign=OTHER, campaign_uid=UID, previous=CAMPAIGN, together=both)


def archive(campaign: str = CAMPAIGN) -> a.ArchiveCampaign:
    return a.ArchiveCampaign(campaign=campaign, campaign_uid=campaign_uid(REALM_UID, campaign))


def restore(campaign: str = CAMPAIGN) -> a.RestoreCampaign:
    return a.RestoreCampaign(campaign=campaign, campaign_uid=campaign_uid(REALM_UID, campaign))


def snapshot(source: Path, **changes: Any) -> a.SnapshotFile:
    given = a.SnapshotFile(quest_id="sums", source_key="key", path=str(source), digest=DIGEST, num_rows=3)
    return msgspec.structs.replace(given, **changes)


def held_out(source: Path, **changes: Any) -> a.SnapshotHeldOut:
    given = a.SnapshotHeldOut(
        campaign=CAMPAIGN,
        name="sums.jsonl",
        source_key="measured",
        path=str(source),
        digest=DIGEST,
        num_rows=3,
    )
    return msgspec.structs.replace(given, **changes)


def generate(*arguments: str, **changes: Any) -> a.GenerateQuest:
    command = ("python", "-I", "-S", str(GENERATOR), *arguments)
    given = a.GenerateQuest(
        quest_id="sums", source_key="key", skill="sums", command=command, expected_digest=None
    )
    return msgspec.structs.replace(given, **changes)


def enqueue(**changes: Any) -> a.EnqueueJob:
    given = a.EnqueueJob(
        job_uid=JOB, quest_id="sums", campaign=CAMPAIGN, campaign_uid=UID, source_key="key",
        dataset_path="/data/sums.jsonl", shape=RowShape(), priority="normal", epochs=1,
    )  # fmt: skip
    return msgspec.structs.replace(given, **changes)


def mark(status: Any, **fields: Any) -> a.MarkJob:
    fields = {"start_step": None} | fields
    return a.MarkJob(job_uid=JOB, quest_id="sums", campaign=CAMPAIGN, status=status, **fields)


def launch(**changes: Any) -> a.LaunchRun:
    given = a.LaunchRun(
        **KEY, config=CONFIG, config_hash=config_hash(CONFIG), job_uids=(JOB,), goal_updates=None, device="cpu",
        threads=None, model_dir=None, held_out=None, optimizer_state="resume", specs_commit="d" * 40,
    )  # fmt: skip
    return msgspec.structs.replace(given, **changes)


def orders(sequence: int, **changes: Any) -> a.GiveOrders:
    given = a.GiveOrders(**KEY, sequence=sequence, job_uids=(JOB,), goal_updates=None, pause=False)
    return msgspec.structs.replace(given, **changes)


def live_orders(sequence: int, **training: Any) -> a.GiveOrders:
    """Orders with a changed config, as its second generation."""
    changed = msgspec.structs.replace(
        CONFIG, training=msgspec.structs.replace(CONFIG.training, **({"learning_rate": 0.5} | training))
    )
    config = ConfigInForce(
        generation=2, config=changed, config_hash=config_hash(changed), specs_commit="e" * 40
    )
    return orders(sequence, config=config)


def stop(grace_seconds: float = 20.0, silent_since: str | None = None) -> a.StopRun:
    why = "not active any more" if silent_since is None else "frozen"
    return a.StopRun(**KEY, why=why, grace_seconds=grace_seconds, silent_since=silent_since)


def close(end: Any, **changes: Any) -> a.CloseRun:
    return msgspec.structs.replace(a.CloseRun(**KEY, end=end, message="so it was"), **changes)


def record(manifest: Manifest) -> a.RecordCheckpoint:
    return a.RecordCheckpoint(
        campaign=CAMPAIGN, campaign_uid=UID, segment=1, step=manifest.step, digest=manifest.digest
    )


def read_again(realm: "Workshop", *steps: int, **changes: Any) -> a.ReadAgain:
    """Read these recorded checkpoints again, where they lie now."""
    view = realm.view()
    stones = {stone.sequence: stone.path for stone in view.trash if stone.state == "trashed"}
    readings = tuple(
        a.Reading(
            campaign=CAMPAIGN, campaign_uid=UID, sequence=row.sequence, which=str(row.step),
            place="trash" if row.sequence in stones else "home", path=stones.get(row.sequence, row.path),
            digest=row.digest, size_bytes=row.size_bytes,
        )
        for row in view.ledger if row.step in steps
    )  # fmt: skip
    given = a.ReadAgain(
        readings=readings, num_left=len(readings), left_bytes=sum(one.size_bytes for one in readings),
        read_bytes=0, before=NOW, rate_bytes=None, request_id=None,
    )  # fmt: skip
    return msgspec.structs.replace(given, **changes)


def read_full_form(realm: "Workshop") -> a.ReadAgain:
    """Read the one full form again that lies in the trash."""
    (stone,) = (stone for stone in realm.view().trash if stone.keeps is not None)
    reading = a.Reading(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=stone.sequence, which=stone.which, place="full form",
        path=stone.path, digest=stone.digest, size_bytes=stone.size_bytes,
    )  # fmt: skip
    return read_again(realm, readings=(reading,))


def elsewhere(realm: "Workshop") -> Path:
    """Return a folder outside the root."""
    folder = realm.layout.root.parent / "elsewhere"
    folder.mkdir(exist_ok=True)
    return folder


def copy_out(realm: "Workshop", manifest: Manifest, sequence: int = 1, **changes: Any) -> a.CopyCheckpoint:
    given = a.CopyCheckpoint(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=sequence, step=manifest.step, digest=manifest.digest,
        size_bytes=68, to=str(elsewhere(realm)), kind="export",
    )  # fmt: skip
    return msgspec.structs.replace(given, **changes)


def mend(realm: "Workshop", manifest: Manifest, *sources: Path, sequence: int = 1) -> a.MendCheckpoint:
    """Mend it from these folders, or from its export."""
    export = elsewhere(realm) / CAMPAIGN / f"checkpoint-{manifest.step}"
    return a.MendCheckpoint(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=sequence, step=manifest.step, digest=manifest.digest,
        size_bytes=68, sources=tuple(map(str, sources or (export,))),
    )  # fmt: skip


def move_out(realm: "Workshop", manifest: Manifest, **changes: Any) -> a.MoveOutCheckpoint:
    """Let its export stand for it."""
    given = a.MoveOutCheckpoint(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=1, step=manifest.step, digest=manifest.digest,
        size_bytes=68, copies=(str(elsewhere(realm) / CAMPAIGN / f"checkpoint-{manifest.step}"),),
        why="archived, and read back elsewhere", grace_seconds=3600.0,
    )  # fmt: skip
    return msgspec.structs.replace(given, **changes)


def bring_back(realm: "Workshop", manifest: Manifest, **changes: Any) -> a.BringBackCheckpoint:
    """Bring back what its export stands for."""
    given = a.BringBackCheckpoint(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=1, step=manifest.step, digest=manifest.digest,
        size_bytes=68, sources=(str(elsewhere(realm) / CAMPAIGN / f"checkpoint-{manifest.step}"),),
    )  # fmt: skip
    return msgspec.structs.replace(given, **changes)


def set_aside(manifest: Manifest) -> a.SetAsideCheckpoint:
    return a.SetAsideCheckpoint(
        campaign=CAMPAIGN, campaign_uid=UID, segment=1, step=manifest.step, digest=manifest.digest
    )


def drop(manifest: Manifest, sequence: int = 1) -> a.TrashCheckpoint:
    return a.TrashCheckpoint(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=sequence, step=manifest.step, digest=manifest.digest,
        size_bytes=9, kind="rolled", why="rolled out of the last 1", grace_seconds=3600.0,
    )  # fmt: skip


def demote(manifest: Manifest, sequence: int = 1) -> a.DemoteCheckpoint:
    return a.DemoteCheckpoint(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=sequence, step=manifest.step, digest=manifest.digest,
        size_bytes=9, why="not of the newest 1", grace_seconds=3600.0,
    )  # fmt: skip


def delete(*manifests: Manifest) -> a.DeleteCampaign:
    """Delete the first campaign whole, as it is with these checkpoints."""
    return a.DeleteCampaign(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=deletion_number(UID), step=7,
        digest=contents_digest(one.digest for one in manifests), checkpoints=len(manifests), size_bytes=9,
        why="its spec says state: deleted", grace_seconds=259200.0,
    )  # fmt: skip


def roll_back(manifest: Manifest, **changes: Any) -> a.BeginSegment:
    given = a.BeginSegment(
        campaign=CAMPAIGN, campaign_uid=UID, kind="rollback", number=2, living=1, parent_segment=1,
        parent_step=manifest.step, parent_digest=manifest.digest, wanted=f"rewind to {manifest.step}: better",
        reason="better", rate_factor=1.0,
    )  # fmt: skip
    return msgspec.structs.replace(given, **changes)


def take_back_whole() -> a.RestoreCheckpoint:
    return a.RestoreCheckpoint(
        request_id=1, checkpoint=CAMPAIGN, sequence=deletion_number(UID), campaign_uid=UID, asked_by="kim",
        overrules="state: deleted",
    )  # fmt: skip


def take_back_unasked() -> a.RestoreCheckpoint:
    """Nobody asked; its spec wants the campaign again."""
    return a.RestoreCheckpoint(checkpoint=CAMPAIGN, sequence=deletion_number(UID), campaign_uid=UID)


def call_off_deletion() -> a.CallOffDeletion:
    return a.CallOffDeletion(campaign=CAMPAIGN, campaign_uid=UID, sequence=deletion_number(UID), step=7)


def purge_whole() -> a.PurgeTrash:
    return a.PurgeTrash(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=deletion_number(UID), step=7, path=f"trash/{UID}-campaign",
        size_bytes=9,
    )  # fmt: skip


def take_back(step: int, sequence: int | None = 1) -> a.RestoreCheckpoint:
    return a.RestoreCheckpoint(
        request_id=1, checkpoint=f"{CAMPAIGN}@{step}", sequence=sequence, campaign_uid=UID, asked_by="kim"
    )


def forget_undelete(step: int, sequence: int = 1) -> a.ForgetUndelete:
    return a.ForgetUndelete(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=sequence, step=step, overrules="keep: metrics"
    )


def purge(step: int, sequence: int = 1) -> a.PurgeTrash:
    path = f"trash/{UID}-{sequence}-checkpoint-{step}"
    return a.PurgeTrash(
        campaign=CAMPAIGN, campaign_uid=UID, sequence=sequence, step=step, path=path, size_bytes=9
    )


class Builders:
    """The actions above and what they are about, as the fixture `make`."""

    campaign, other, uid, other_uid, job = CAMPAIGN, OTHER, UID, OTHER_UID, JOB
    digest, rows, card, key, config, now = DIGEST, ROWS, CARD, KEY, CONFIG, NOW
    change = staticmethod(change)
    archive, restore, take_over, take_in = map(staticmethod, (archive, restore, take_over, take_in))
    rename, exchange = map(staticmethod, (rename, exchange))
    register, activate, snapshot, generate = map(staticmethod, (register, activate, snapshot, generate))
    enqueue, mark, launch, orders = map(staticmethod, (enqueue, mark, launch, orders))
    live_orders = staticmethod(live_orders)
    stop, close, record, set_aside = map(staticmethod, (stop, close, record, set_aside))
    roll_back = staticmethod(roll_back)
    read_again, copy_out, mend = map(staticmethod, (read_again, copy_out, mend))
    read_full_form = staticmethod(read_full_form)
    elsewhere, move_out, bring_back = map(staticmethod, (elsewhere, move_out, bring_back))
    demote = staticmethod(demote)
    drop, take_back, purge = map(staticmethod, (drop, take_back, purge))
    forget_undelete, call_off_deletion = map(staticmethod, (forget_undelete, call_off_deletion))
    held_out = staticmethod(held_out)
    take_back_unasked = staticmethod(take_back_unasked)
    delete, take_back_whole, purge_whole = map(staticmethod, (delete, take_back_whole, purge_whole))
    tiny_trainers = TinyTrainers
