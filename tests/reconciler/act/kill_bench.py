"""One action of one realm, performed over and over: hit by a fault on the way, then run again."""

import hashlib
import json
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from children import in_child
from kill_worlds import NOT_UNDERSTOOD, record_not_understood

from reconciler.act.read_back import wrong_in
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.plan import actions as a
from state import failpoints
from state.contract.files import read
from state.contract.manifest import Manifest

VOLATILE = {"realm.db", "realm.db-journal", "epoch", "reconciler.lock", "claims.log", "training.log"}
TABLES = (
    *("campaigns", "runs", "jobs", "quest_data", "ledger", "requests", "trash", "segments", "copies"),
    "meta",
)


class Scenario(NamedTuple):
    """What to do to the realm first, and the action that is hit."""

    action: Callable[[Any, Any], a.AnyAction]
    prepare: Callable[[Any, Any], None] = lambda _realm, _make: None
    starts_trainer: bool = False
    """The action, or its preparation in each trial, starts a real process."""
    start: Callable[[Any], None] = lambda _realm: None


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
        return in_child(partial(self._perform, arm))

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
