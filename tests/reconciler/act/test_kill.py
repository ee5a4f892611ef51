# ruff: noqa: ARG005 - every scenario takes the same two arguments
"""Every action, hit by every fault at every failpoint, and run again: it ends as if nothing had happened."""

import gc
import hashlib
import json
import os
import shutil
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from reconciler.act.read_back import wrong_in
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.plan import actions as a
from state import failpoints
from state.contract.files import read
from state.contract.manifest import Manifest
from state.contract.orders import RowShape
from state.contract.request import DecayBranch
from state.failpoints import FAULTS
from state.store.rows import Marks

NOT_UNDERSTOOD = b'{"note": "mine", "highest_accuracy": NaN}'
VOLATILE = {"realm.db", "realm.db-journal", "epoch", "reconciler.lock", "claims.log", "training.log"}
TABLES = (
    *("campaigns", "runs", "jobs", "quest_data", "ledger", "requests", "trash", "segments", "copies"),
    "meta",
)


class Scenario(NamedTuple):
    """What to do to the realm first, and the action that is hit."""

    action: Callable[[Any, Any], a.AnyAction]
    prepare: Callable[[Any, Any], None] = lambda realm, make: None
    starts_trainer: bool = False
    """The action, or its preparation in each trial, starts a real process."""
    start: Callable[[Any], None] = lambda realm: None


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


def at_rest(realm: Any, make: Any) -> None:
    """The first campaign has a recorded checkpoint and is not active any more."""
    realm.done(make.record(realm.save_checkpoint(7)), make.activate(make.other, make.campaign))


def two_saved(realm: Any, make: Any) -> None:
    realm.done(make.record(realm.save_checkpoint(7)), make.record(realm.save_checkpoint(9)))


def one_dropped(realm: Any, make: Any) -> None:
    two_saved(realm, make)
    realm.done(make.drop(manifest_of(realm, 7)))


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


SCENARIOS = {
    "RegisterCampaign": Scenario(lambda realm, make: make.register("tiny/campaign-003")),
    "WriteCampaignRecord": Scenario(
        lambda realm, make: a.WriteCampaignRecord(
            campaign=make.campaign, campaign_uid=make.uid, card=make.card
        ),
        damaged_record,
    ),
    "WriteCampaignRecord-not-understood": Scenario(
        lambda realm, make: a.WriteCampaignRecord(
            campaign=make.campaign, campaign_uid=make.uid, card=make.card
        ),
        record_not_understood,
    ),
    "ActivateCampaign": Scenario(lambda realm, make: make.activate(make.other, make.campaign)),
    "DeactivateCampaign": Scenario(
        lambda realm, make: a.DeactivateCampaign(campaign=make.campaign, campaign_uid=make.uid)
    ),
    "WriteStatusFiles": Scenario(
        lambda realm, make: a.WriteStatusFiles(campaign=make.campaign, campaign_uid=make.uid),
        lambda realm, make: realm.layout.campaign(make.campaign).training_status.write_text("{}"),
    ),
    "TakeOverCheckpoint": Scenario(lambda realm, make: make.take_over(realm.save_checkpoint(7))),
    "ImportCheckpoint": Scenario(lambda realm, make: make.take_in(realm)),
    "ArchiveCampaign": Scenario(lambda realm, make: make.archive(), at_rest),
    "RestoreCampaign": Scenario(
        lambda realm, make: make.restore(),
        lambda realm, make: (at_rest(realm, make), realm.done(make.archive())),
    ),
    "WritePointer": Scenario(
        lambda realm, make: a.WritePointer(campaign=make.campaign, campaign_uid=make.uid), deactivated
    ),
    "SnapshotFile": Scenario(
        lambda realm, make: make.snapshot(realm.source, source_key="again"),
        lambda realm, make: realm.layout.snapshot(make.digest).unlink(),
    ),
    "SnapshotHeldOut": Scenario(
        lambda realm, make: make.held_out(realm.source),
        lambda realm, make: realm.layout.snapshot(make.digest).unlink(),
    ),
    "TakeInboxFile": Scenario(
        inbox_file,
        lambda realm, make: (dropped(realm, make), realm.layout.snapshot(make.digest).unlink()),
    ),
    "WriteQueueFolders": Scenario(
        lambda realm, make: a.WriteQueueFolders(),
        lambda realm, make: (
            realm.done(a.WriteQueueFolders()),
            realm.done(make.mark("completed", final_step=3)),
        ),
    ),
    "GenerateQuest": Scenario(lambda realm, make: make.generate("--answer", "3", source_key="again")),
    "EnqueueJob": Scenario(lambda realm, make: make.enqueue(job_uid="other", quest_id="other")),
    "UpdateJob": Scenario(
        lambda realm, make: a.UpdateJob(
            job_uid=make.job, quest_id="sums", campaign=make.campaign, priority="high", epochs=3
        ),
        lambda realm, make: realm.done(make.mark("completed", final_step=3)),
    ),
    "DequeueJob": Scenario(
        lambda realm, make: a.DequeueJob(
            job_uid=make.job, quest_id="sums", campaign=make.campaign, why="gone"
        )
    ),
    "MarkJob": Scenario(
        lambda realm, make: make.mark("completed", start_step=1, final_step=3, final_loss=0.5)
    ),
    "LaunchRun": Scenario(
        lambda realm, make: make.launch(),
        lambda realm, make: realm.save_checkpoint(7),
        starts_trainer=True,
    ),
    "ConfirmRun": Scenario(
        lambda realm, make: a.ConfirmRun(**make.key, pid=99), lambda realm, make: realm.done(make.launch())
    ),
    "GiveOrders": Scenario(
        lambda realm, make: make.orders(2, pause=True, goal_updates=9),
        lambda realm, make: realm.done(make.launch()),
    ),
    "GiveOrders-with-config": Scenario(
        lambda realm, make: make.live_orders(2), lambda realm, make: realm.done(make.launch())
    ),
    "StopRun": Scenario(
        lambda realm, make: make.stop(),
        lambda realm, make: realm.save_checkpoint(7),
        starts_trainer=True,
        start=lambda realm: realm.start_trainer(),
    ),
    "CloseRun": Scenario(
        lambda realm, make: make.close("never_started"), lambda realm, make: realm.done(make.launch())
    ),
    "CloseRun-with-word": Scenario(
        lambda realm, make: make.close("finished", final_step=3, ended_at=make.now), left_with_word
    ),
    "RecordCheckpoint": Scenario(lambda realm, make: make.record(realm.save_checkpoint(7))),
    "RecordCheckpoint-again": Scenario(
        lambda realm, make: make.record(realm.save_checkpoint(7, attempt=2)), recorded_and_lost
    ),
    "RecordCheckpoint-damaged": Scenario(
        lambda realm, make: make.record(manifest_of(realm, 7)), lambda realm, make: damaged(realm, 7)
    ),
    "SetAsideCheckpoint": Scenario(lambda realm, make: make.set_aside(manifest_of(realm, 7)), found_damaged),
    "SetAsideCheckpoint-whole": Scenario(
        lambda realm, make: make.set_aside(manifest_of(realm, 7)),
        lambda realm, make: (found_damaged(realm, make), realm.flip_a_bit(7)),
    ),
    "TrashCheckpoint": Scenario(lambda realm, make: make.drop(manifest_of(realm, 7)), two_saved),
    "RestoreCheckpoint": Scenario(lambda realm, make: make.take_back(7), taken_back_asked),
    "ForgetUndelete": Scenario(lambda realm, make: make.forget_undelete(7), taken_back),
    "BeginSegment": Scenario(lambda realm, make: make.roll_back(manifest_of(realm, 7)), begun_elsewhere),
    "BeginSegment-release": Scenario(
        lambda realm, make: make.roll_back(manifest_of(realm, 7), kind="decay", updates=3, final_ratio=0.1),
        two_saved,
    ),
    "LaunchRun-release": Scenario(
        lambda realm, make: make.launch(
            segment=2,
            parent_digest=manifest_of(realm, 7).digest,
            decay=DecayBranch(start_step=7, updates=3, final_ratio=0.1),
        ),
        lambda realm, make: (
            two_saved(realm, make),
            realm.done(make.roll_back(manifest_of(realm, 7), kind="decay", updates=3, final_ratio=0.1)),
        ),
        starts_trainer=True,
    ),
    "DeleteCampaign": Scenario(lambda realm, make: make.delete(manifest_of(realm, 7)), at_rest),
    "DeleteCampaign-archived": Scenario(
        lambda realm, make: make.delete(archived_manifest(realm)),
        lambda realm, make: (at_rest(realm, make), realm.done(make.archive())),
    ),
    "RestoreCheckpoint-campaign": Scenario(lambda realm, make: make.take_back_whole(), wanted_back),
    "PurgeTrash-campaign": Scenario(lambda realm, make: make.purge_whole(), deleted),
    "PurgeTrash": Scenario(lambda realm, make: make.purge(7), one_dropped),
    "MarkCheckpoint": Scenario(
        lambda realm, make: a.MarkCheckpoint(
            campaign=make.campaign,
            campaign_uid=make.uid,
            sequence=1,
            step=7,
            marks=Marks(pinned=True, tags=("a",)),
        ),
        two_saved,
    ),
    "WriteTombstone": Scenario(
        lambda realm, make: a.WriteTombstone(
            campaign=make.campaign, campaign_uid=make.uid, sequence=1, step=7, path=realm.view().trash[0].path
        ),
        lambda realm, make: (
            one_dropped(realm, make),
            (realm.layout.root / f"{realm.view().trash[0].path}.json").unlink(),
        ),
    ),
    "TakeApproval": Scenario(
        lambda realm, make: a.TakeApproval(
            request_id=1, digest="sha256:1", sequences=(1, 2), specs_commit="c", what="2 checkpoints to drop"
        ),
        lambda realm, make: realm.ask("approve", "sha256:1"),
    ),
    "HandleRequest": Scenario(
        lambda realm, make: a.HandleRequest(
            request_id=1,
            kind="resume",
            campaign=make.campaign,
            campaign_uid=make.uid,
            asked_by="kim",
            why="lunch",
        ),
        lambda realm, make: realm.ask("resume"),
    ),
    "ReadAgain": Scenario(
        lambda realm, make: make.read_again(realm, 7, 9),
        lambda realm, make: (two_saved(realm, make), realm.flip_a_bit(9)),
    ),
    "ReadAgain-in-the-trash": Scenario(lambda realm, make: make.read_again(realm, 7), one_dropped),
    "CopyCheckpoint": Scenario(lambda realm, make: make.copy_out(realm, manifest_of(realm, 7)), two_saved),
    "MendCheckpoint": Scenario(
        lambda realm, make: make.mend(realm, read(exported(realm, make) / "manifest.json", Manifest)),
        aside_and_exported,
    ),
    "AnswerRequest": Scenario(
        lambda realm, make: a.AnswerRequest(request_id=1, what="scrub", answer="all as saved"),
        lambda realm, make: realm.ask("scrub", "all checkpoints"),
    ),
    "AnswerRefresh": Scenario(
        lambda realm, make: a.AnswerRefresh(request_id=1, answer="main is at 4f1c2d9"),
        lambda realm, make: realm.ask("refresh", "source"),
    ),
    "HandleQuestRequest-skip": Scenario(
        lambda realm, make: a.HandleQuestRequest(
            request_id=1, kind="skip", quest_id="sums", asked_by="kim", why="lunch"
        ),
        lambda realm, make: (
            realm.ask("skip"),
            realm.done(make.mark("queued", failures=2, demoted=True)),
        ),
    ),
    "HandleQuestRequest-retry": Scenario(
        lambda realm, make: a.HandleQuestRequest(
            request_id=1, kind="retry", quest_id="sums", asked_by="kim", why="mended"
        ),
        lambda realm, make: (realm.ask("retry"), realm.done(make.mark("failed", last_error="torn"))),
    ),
}


def test_every_action_has_a_scenario() -> None:
    tested = {name.partition("-")[0] for name in SCENARIOS}

    assert tested == {action.__name__ for action in a.AnyAction.__args__}


@pytest.mark.parametrize("fault", [*FAULTS[:2], pytest.param(FAULTS[2], marks=pytest.mark.long)])
@pytest.mark.parametrize("name", SCENARIOS)
def test_an_action_hit_at_any_point_and_run_again_ends_as_undisturbed(
    name: str, fault: str, realm: Any, make: Any
) -> None:
    scenario = SCENARIOS[name]
    scenario.prepare(realm, make)
    action = scenario.action(realm, make)
    bench = Bench(realm, make, scenario, action)
    points, undisturbed = bench.undisturbed()
    assert points

    for number, point in enumerate(points, start=1):
        bench.reset()
        bench.strike(number, fault)
        bench.check_nothing_half_done()
        assert bench.again() == undisturbed, f"{fault} at failpoint {number}, {point}"


class Bench:
    """Runs one action of one realm over and over: where it is to die, in a forked child."""

    def __init__(self, realm: Any, make: Any, scenario: Scenario, action: a.AnyAction) -> None:
        self._realm, self._make, self._scenario, self._action = realm, make, scenario, action
        self._template = realm.layout.root.with_name("template")
        shutil.copytree(realm.layout.root, self._template, symlinks=True)
        self._trial = 0
        realm.has_processes = scenario.starts_trainer

    def reset(self) -> None:
        """Make the realm again what it was before the action."""
        self._realm.end_trainers()
        shutil.rmtree(self._realm.layout.root)
        if isinstance(self._action, a.CopyCheckpoint):
            shutil.rmtree(self._make.elsewhere(self._realm))
            self._make.elsewhere(self._realm)
        shutil.copytree(self._template, self._realm.layout.root, symlinks=True)
        self._trial += 1
        self._realm.cookie = f"{self._realm.cookie.rpartition('#')[0] or self._realm.cookie}#{self._trial}"
        self._scenario.start(self._realm)

    def undisturbed(self) -> tuple[list[str], dict[str, Any]]:
        """Return the names of the failpoints on the way, and how it ends."""
        self.reset()
        log = self._template.with_name("points")

        def note(name: str) -> None:
            with log.open("a") as file:
                file.write(name + "\n")

        assert self._in_child(lambda: failpoints.observe(note)) == 0
        return log.read_text().splitlines(), self._end_state()

    def strike(self, number: int, fault: str) -> None:
        """Perform the action with a fault on the way; it dies of it, or says so, as the loop does."""
        if fault == "kill":
            assert self._in_child(lambda: failpoints.arm(number, fault)) == -signal.SIGKILL
        else:
            assert self._perform(lambda: failpoints.arm(number, fault)) == 1

    def again(self) -> dict[str, Any]:
        """Take office anew, perform the action undisturbed, and return how it ends."""
        self._realm.done(self._action, **self._trainers())
        return self._end_state()

    def check_nothing_half_done(self) -> None:
        """Whatever has a real name is whole; a file in the inbox goes only once its content is safe."""
        realm = self._realm
        if isinstance(self._action, a.TakeInboxFile) and not (realm.layout.inbox / "sums.jsonl").exists():
            assert realm.layout.snapshot(self._make.digest).read_bytes() == self._make.rows
            assert realm.rows("inbox")
        for path in realm.layout.root.rglob("*.json"):
            if not any(part.startswith(".staging-") for part in path.parts):
                json.loads(path.read_bytes())
        if self._scenario.prepare is record_not_understood:
            folder = realm.layout.campaign(self._make.campaign).folder
            holders = [folder / "campaign.json", *folder.glob("campaign.json.damaged-*")]
            assert any(path.read_bytes() == NOT_UNDERSTOOD for path in holders)
        for path in realm.layout.data.glob("[0-9a-f]*.jsonl"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
        for archived in (False, True):
            places = realm.layout.campaign(self._make.campaign, archived=archived)
            assert not observe_checkpoints(places.checkpoints, realm.layout.root).foreign
        for path in self._make.elsewhere(realm).rglob("checkpoint-*"):
            if path.is_dir():
                manifest = read(path / "manifest.json", Manifest)
                assert not wrong_in(path, manifest)
        other = realm.layout.campaign(self._make.other)
        assert not observe_checkpoints(other.checkpoints, realm.layout.root).foreign

    def _in_child(self, arm: Callable[[], None]) -> int:
        """Perform the action in a forked child that opens the store itself; return its exit code."""
        child = os.fork()
        if child == 0:
            gc.disable()  # it would copy every page of this process
            code = 2
            try:
                code = self._perform(arm)
            except BaseException:  # noqa: BLE001 - a forked child must not run on as a second pytest
                traceback.print_exc()
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _perform(self, arm: Callable[[], None]) -> int:
        """Perform the action; return 0, 1 where it failed because of the fault, 3 where it did otherwise."""
        try:
            (outcome,) = self._realm.perform(self._action, before=arm, **self._trainers())
        finally:
            failpoints.observe(None)
        if not outcome.ok and "failpoint" not in outcome.text:
            print(outcome.text, flush=True)
            return 3
        return 0 if outcome.ok else 1

    def _trainers(self) -> dict[str, Any]:
        return {"launcher": self._make.tiny_trainers()} if self._scenario.starts_trainer else {}

    def _end_state(self) -> dict[str, Any]:
        """Return rows and files, without what differs from one process to the next."""
        realm = self._realm
        if self._scenario.starts_trainer:
            realm.wait_for_claim()
            if not realm.run.exit.exists():
                assert (realm.run.folder / "claims.log").read_text() == "claimed\n"
        found = realm.tables("actions", *TABLES)
        journal = found.pop("actions")
        assert {row["state"] for row in journal} <= {"done", "failed"}
        assert journal[-1]["state"] == "done"
        rows = {table: [_plain(row) for row in found[table]] for table in TABLES}
        rows["meta"] = [row for row in rows["meta"] if row["key"] != "epoch"]
        root = realm.layout.root
        files = {str(p.relative_to(root)): _entry(p) for p in sorted(root.rglob("*")) if _counts(p)}
        return {"rows": rows, "files": files}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row; a live run is one, whether its claim was already seen or not."""
    row = {name: value for name, value in row.items() if name not in ("pid", "cookie")}
    if row.get("state") in ("launching", "running"):
        row["state"] = "live"
    return row


def _counts(path: Path) -> bool:
    in_live_run = path.parent.parent.name == "runs"
    if path.name.startswith(".staging-") and not in_live_run:
        raise AssertionError(f"{path} was left behind")
    return path.name not in VOLATILE and not path.name.startswith((".staging-", "process.json."))


def _entry(path: Path) -> tuple[Any, ...]:
    if path.is_symlink():
        return "link", str(path.readlink())
    if path.is_dir():
        return ("folder",)
    content = path.read_bytes()
    if path.name == "process.json":
        content = msgspec.json.encode(sorted(json.loads(content)))
    return "file", oct(path.stat().st_mode), content
