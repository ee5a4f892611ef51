"""A realm on disk, and what tests do with it."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
from tiny_actions import change, launch
from tiny_realm import CAMPAIGN, CODE, NOW, REALM_UID, ROWS, UID, manifest_of
from tiny_trainers import NoTrainers, TinyTrainers

from reconciler.act.launcher import LocalLauncher
from reconciler.act.office import enter_office
from reconciler.act.protocol import Outcome, perform
from reconciler.act.tools import Tools
from reconciler.observed.processes import find_by_cookie
from reconciler.plan import actions as a
from state.atomic import ensure_folder
from state.contract.manifest import Manifest
from state.contract.status import RunStatus
from state.ids import RunKey
from state.layout import Layout
from state.store import requests
from state.store.connection import open_reader, open_writer
from state.store.rows import StoreView
from state.store.tables import put, put_meta
from state.store.view import read_view
from state.store.writer import Writer


class Workshop:
    """A realm's root and what tests do with it. The store is open only while something is performed."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self.cookie = f"tiny-{os.getpid()}-{time.monotonic_ns()}"
        self.source = root.parent / "sums.jsonl"
        self.has_processes = False
        """Real ones may carry the cookie. To look for some takes longer than most tests, so few do."""
        self.before_leaving: Callable[[], None] = lambda: None

    def found(self) -> None:
        """Make the realm."""
        ensure_folder(self.layout.campaigns)
        self.source.write_bytes(ROWS)
        writer = enter_office(self.layout, NOW)
        with writer.transaction() as store:
            put_meta(store, "realm_uid", REALM_UID)
        writer.close()

    def perform(
        self, *actions: a.AnyAction, before: Callable[[], None] = lambda: None, **tools: Any
    ) -> list[Outcome]:
        """Take office, perform the actions, and leave."""
        self.has_processes |= isinstance(tools.get("launcher"), LocalLauncher)
        writer = enter_office(self.layout, NOW)
        given = {
            "launcher": NoTrainers(), "now": lambda: NOW, "code_version": lambda: CODE,
            "new_cookie": lambda: self.cookie,
        }  # fmt: skip
        hands = Tools(layout=self.layout, writer=writer, **(given | tools))
        before()
        try:
            return list(perform([change(action) for action in actions], hands, specs_commit="d" * 40))
        finally:
            self.leave(writer)

    def leave(self, writer: Writer) -> None:
        """Leave office: how far the store is written is mirrored, if the disk lets it."""
        self.before_leaving()
        writer.close()

    def done(self, *actions: a.AnyAction, **tools: Any) -> list[str]:
        """Perform the actions, which must succeed; return what they say."""
        outcomes = self.perform(*actions, **tools)
        assert all(outcome.ok for outcome in outcomes), [
            outcome.text for outcome in outcomes if not outcome.ok
        ]
        return [outcome.text for outcome in outcomes]

    def fails(self, action: a.AnyAction, **tools: Any) -> Outcome:
        """Perform the action, which must fail; return its outcome."""
        (outcome,) = self.perform(action, **tools)
        assert not outcome.ok, outcome.text
        return outcome

    def view(self) -> StoreView:
        with open_reader(self.layout.store) as store:
            return read_view(store)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table as they lie in the store."""
        return self.tables(table)[table]

    def tables(self, *tables: str) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of these tables, as of one moment."""
        with open_reader(self.layout.store) as store:
            return {table: rows_of(store, table) for table in tables}

    def ask(self, kind: str, campaign: str = CAMPAIGN) -> int:
        """Leave a request as the commands do."""
        store = open_writer(self.layout.store)
        number = requests.ask(store, kind=kind, campaign=campaign, by="kim", why="lunch", at=NOW)
        store.close()
        return number

    @property
    def run(self) -> Any:
        return self.layout.campaign(CAMPAIGN).run(RunKey(UID, 1, 1))

    def json(self, path: Path) -> dict[str, Any]:
        return json.loads(path.read_bytes())

    def start_trainer(self) -> None:
        """Launch run 1 with a tiny trainer and wait for its claim."""
        self.done(launch(), launcher=TinyTrainers())
        self.wait_for_claim()

    def freeze_trainer(self) -> str:
        """Launch run 1 with a trainer that stands from its first word on; return when it said that."""
        self.start_trainer()
        pid = find_by_cookie(self.cookie)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        self.speak(NOW)
        return NOW

    def speak(self, at: str) -> None:
        """Let the trainer of run 1 have spoken then."""
        status = RunStatus(phase="training", updated_at=at, orders_sequence=1, step=7)
        self.run.status.write_bytes(msgspec.json.encode(status))

    def call_lost(self) -> None:
        """Write down that run 1 is lost, as a reconciler did that could not see its trainer."""
        store = open_writer(self.layout.store)
        (row,) = self.view().runs
        put(store, [msgspec.structs.replace(row, state="ended", end="lost", message="gone", ended_at=NOW)])
        store.close()

    def wait_for_claim(self) -> None:
        deadline = time.monotonic() + 100
        claims = self.run.folder / "claims.log"
        while not (claims.exists() and claims.read_text()):
            assert time.monotonic() < deadline, self.run.log.read_text()
            time.sleep(0.005)

    def end_trainers(self) -> None:
        """Kill every process that was started with this workshop's cookie."""
        while self.has_processes and (pid := find_by_cookie(self.cookie)) is not None:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                time.sleep(0.002)

    def save_checkpoint(self, step: int, **changes: Any) -> Manifest:
        """Publish a checkpoint as a trainer does."""
        files = {"model.safetensors": b"weights" * 9, "optimizer.safetensors": b"state"}
        folder = self.layout.campaign(CAMPAIGN).checkpoint(step)
        ensure_folder(folder)
        for name, content in files.items():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o400)
        manifest = manifest_of(step, files, **changes)
        (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
        return manifest

    def flip_a_bit(self, step: int) -> None:
        """Damage the weights of a checkpoint; what was right becomes wrong, and wrong right again."""
        path = self.layout.campaign(CAMPAIGN).checkpoint(step) / "model.safetensors"
        path.chmod(0o600)
        content = bytearray(path.read_bytes())
        content[0] ^= 1
        path.write_bytes(content)
        path.chmod(0o400)

    def tear(self, step: int) -> None:
        """Take the end of a checkpoint's weights away."""
        path = self.layout.campaign(CAMPAIGN).checkpoint(step) / "model.safetensors"
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1])
        path.chmod(0o400)


def rows_of(store: apsw.Connection, table: str) -> list[dict[str, Any]]:
    if table not in _names:
        _names[table] = [str(row[1]) for row in store.execute(f"PRAGMA table_info({table})")]
    found = store.execute(f"SELECT * FROM {table}")  # noqa: S608
    return [dict(zip(_names[table], row, strict=True)) for row in found]


_names: dict[str, list[str]] = {}
"""Of the columns of each table."""
