"""One action of one small realm, hit by faults at every point, run again, and compared with the undisturbed end."""

import random
import re
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from children import in_child
from extras import EXTRAS
from in_memory import new_folder
from injector import Injector, arm, disarm, disarming, kinds_at
from inventory import copies, disagreements, half_published, is_unfinished, lost_copies, precious
from kept_state import Entry, State, put_back, read_state, remove_whole
from kill_worlds import NOT_UNDERSTOOD
from scenarios import SCENARIOS
from tiny_actions import Builders, activate, enqueue, register, snapshot
from tiny_realm import CAMPAIGN, OTHER
from workshop import Workshop

from reconciler.observed.processes import find_by_cookie
from reconciler.plan import actions as a

VOLATILE = {
    "realm.db",
    "realm.db-journal",
    "epoch",
    "written",
    ".written",
    "reconciler.lock",
    "claims.log",
    "training.log",
}
TABLES = (
    "actions",
    "campaigns",
    "runs",
    "jobs",
    "quest_data",
    "ledger",
    "requests",
    "trash",
    "segments",
    "copies",
    "meta",
    "inbox",
)
LIVE_FILES = ("process.json", "exit.json")
CHAIN_LENGTH, NUM_CHAINS = 12, 1
"""Of faults in a row, and of such rows for each effect in make test: with every fault at every point, over 10,000."""
NUMBERED = {
    "realm.db",
    "epoch",
    "control/epoch",
    "control/written",
    "campaigns/.written",
    "control/reconciler.lock",
}
UNCOUNTED = ("epoch", "num_writes", "synced_number")
"""How often and by whom was written; a retry writes more."""
UNSEEN = ("staging.remove",)
"""Points at which a failure stops nothing: what is not swept now is swept by a later tick, or the next in office."""


class Trials:
    """A realm brought to where an action has something to do, and that action."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.scenario = name, SCENARIOS.get(name) or EXTRAS[name]
        self.realm = Workshop(folder / "root")
        self.realm.before_leaving = disarm  # what fails there stops nothing: the next in office mirrors again
        self.realm.found()
        self.realm.done(
            register(CAMPAIGN), register(OTHER), activate(), snapshot(self.realm.source), enqueue()
        )
        self.scenario.prepare(self.realm, Builders)
        self.action = self.scenario.action(self.realm, Builders) if name in SCENARIOS else None
        self.realm.has_processes = self.scenario.starts_trainer
        self.num_faults: Counter[str] = Counter()
        self._template = read_state(self.realm.layout.root)
        self._precious = precious(self._template, NOT_UNDERSTOOD)
        self._is_purge = isinstance(self.action, a.PurgeTrash)
        self._known_lost = self._lost_from_the_beginning()
        self._trial = 0
        self._recovered: set[int | None] = set()
        """What faults left, and what the action then recovered from."""
        self._seen: State | None = None
        """What lies there now, where that is known."""
        self.points, self._end = self._undisturbed()

    def _lost_from_the_beginning(self) -> set[str]:
        rows = self.realm.rows("ledger")
        return {row["digest"] for row in rows} - copies(self._template).keys()

    def _undisturbed(self) -> tuple[list[str], dict[str, Any]]:
        """Return points and end; of a launch the fewest points: a trainer whose claim is seen already adds some."""
        num_tries = 3 if self.scenario.starts_trainer else 1
        return min((self._perform_undisturbed() for _ in range(num_tries)), key=lambda found: len(found[0]))

    def _perform_undisturbed(self) -> tuple[list[str], dict[str, Any]]:
        self.reset()
        seen = Injector()
        with disarming():
            self._perform(before=arm(seen))
        end = self.end_state()
        rows = end["rows"]
        problems = disagreements(end["state"], rows["ledger"], rows["trash"], self._known_lost)
        assert not problems, problems
        return seen.names, end

    def planned(self) -> list[tuple[int, str]]:
        """Return every fault that can happen at each point."""
        return [(at, kind) for at, name in enumerate(self.points, 1) for kind in kinds_at(name)]

    def reset(self) -> None:
        """Make the realm again what it was before the action."""
        self.realm.end_trainers()
        put_back(self.realm.layout.root, self._template, self._seen)
        self._seen = None
        self._trial += 1
        self.realm.cookie = f"{self.realm.cookie.rpartition('#')[0] or self.realm.cookie}#{self._trial}"
        self.scenario.start(self.realm)

    def single(self, at: int, fault: str) -> None:
        """One fault; then the action is run again, and must end as undisturbed."""
        where = f"{self.name}: {fault} at point {at}, {self.points[at - 1]}"
        self.reset()
        self._strike(at, fault, where)
        left = self._left()
        if left is None or left not in self._recovered:  # what follows from the same is the same
            self._seen = None
            self.check_now(where)
            self.check_end(where)
            self._recovered.add(left)

    def chain(self, seed: int) -> None:
        """Fault after fault, each hitting what the last one left; then it must end as undisturbed."""
        chance, where = random.Random(f"{self.name}{seed}"), f"{self.name}: chain {seed}"
        self.reset()
        left = CHAIN_LENGTH
        while left:
            at, fault = (
                chance.randint(1, 2 * len(self.points) // 3 + 1),
                chance.choice(("kill", "any", "any", "any")),
            )
            where += f", {fault} at {at}"
            if self._strike(at, fault, where, chance):
                left -= 1
            else:  # it was done before it came so far: another life of this realm
                self.check_end(where)
                self.reset()
        self.check_now(where)
        self.check_end(where)

    def _strike(self, at: int, fault: str, where: str, chance: random.Random | None = None) -> bool:
        """Perform the action with a fault on the way; one of a chain may come after all is done."""
        if fault == "kill":
            code = in_child(lambda: bool(self._perform(before=arm(Injector(at, fault)), must_succeed=False)))
            has_struck = code == -signal.SIGKILL
            assert has_struck or code == 0, f"{where}: the child ended with {code}"
        else:
            injector = Injector(at, fault, chance)
            with disarming():
                text = self._perform(before=arm(injector), must_succeed=False)
            has_struck, fault = injector.has_struck, injector.fault
            assert text is None or "(failpoint " in text, f"{where}: {text}"
            if has_struck and fault != "short" and injector.names[at - 1] not in UNSEEN:
                assert text is not None, f"{where}: the failure was not seen"
        assert has_struck or chance is not None, f"{where}: not met"
        if has_struck:
            self.num_faults[fault] += 1
        return has_struck

    def _left(self) -> int | None:
        """Return all that a fault left, files and rows, as one number; None while a process may go on.

        Only who did it is left out: epochs, process numbers, cookies, and in which words it failed.
        """
        realm = self.realm
        if realm.has_processes and find_by_cookie(realm.cookie) is not None:
            return None
        state = read_state(realm.layout.root)
        if state["realm.db-journal"].content:  # of a transaction that was not committed
            return hash(tuple((path, entry.told) for path, entry in state.items()))
        self._seen = state
        files = {_unnumbered(path): entry.told for path, entry in state.items() if path not in NUMBERED}
        rows = realm.tables(*TABLES)
        rows["meta"] = [row for row in rows["meta"] if row["key"] not in ("epoch", "num_writes")]
        rows["actions"] = [row | {"epoch": 0, "outcome": ""} for row in rows["actions"]]
        return hash(repr([rows, files]).replace(realm.cookie, "cookie"))

    def check_now(self, where: str) -> None:
        """Whatever has a real name is whole, and nothing is lost, at this very moment."""
        state = read_state(self.realm.layout.root)
        problems = half_published(state, self._template, purges=self._is_purge)
        if not self._is_purge:
            lost = self._precious - precious(state, NOT_UNDERSTOOD)
            problems += [f"lost: {content[:60]!r}" for content in lost]
        rows = self.realm.tables("ledger", "trash")
        problems += lost_copies(state, rows["ledger"], rows["trash"], self._known_lost)
        assert not problems, f"{where}: {problems}"

    def check_end(self, where: str, *, with_modes: bool = True) -> None:
        """Run again, undisturbed: the end is the undisturbed one; a power cut may take back who may write a file."""
        self._perform()
        end = self.end_state()
        assert end["rows"] == self._end["rows"], f"{where}: {_differences(end['rows'], self._end['rows'])}"
        found, expected = end["files"], self._end["files"]
        if not with_modes:
            found, expected = (
                {path: (one[0], *one[2:]) for path, one in files.items()} for files in (found, expected)
            )
        assert found == expected, f"{where}: {_differences(found, expected)}"

    def _perform(self, before: Callable[[], None] = lambda: None, *, must_succeed: bool = True) -> str | None:
        """Take office and perform the action; return why it failed, if it did."""
        if self.action is None:
            return self._do_extra(before, must_succeed=must_succeed)
        more = {"launcher": Builders.tiny_trainers()} if self.scenario.starts_trainer else {}
        (outcome,) = self.realm.perform(self.action, before=before, **more)
        assert outcome.ok or not must_succeed, outcome.text
        return None if outcome.ok else outcome.text

    def _do_extra(self, before: Callable[[], None], *, must_succeed: bool) -> str | None:
        try:
            self.scenario.do(self.realm, before)
        except OSError as error:
            if must_succeed:
                raise
            return str(error)
        return None

    def end_state(self) -> dict[str, Any]:
        """Return rows and files, without what differs from one process to the next."""
        realm = self.realm
        if self.scenario.starts_trainer:
            realm.wait_for_claim()
            if not realm.run.exit.exists():
                assert (realm.run.folder / "claims.log").read_text() == "claimed\n", "launched twice"
        found = realm.tables(*TABLES)
        journal = found.pop("actions")
        assert {row["state"] for row in journal} <= {"done", "failed"}
        assert journal[-1]["state"] == "done"
        rows = {table: [_plain(row) for row in content] for table, content in found.items()}
        rows["meta"] = [row for row in rows["meta"] if row["key"] not in UNCOUNTED]
        state = read_state(realm.layout.root)
        files = {_name(path): _told(path, entry) for path, entry in state.items() if _counts(path, state)}
        return {"rows": rows, "files": files, "state": state}

    def close(self) -> None:
        """End what was started."""
        self.realm.end_trainers()


@contextmanager
def fast_folder() -> Any:
    """Yield a folder in memory where there is one: the same calls, and no wait for a disk."""
    folder = new_folder()
    try:
        yield folder
    finally:
        remove_whole(folder)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row; a live run is one, whether its claim was already seen or not."""
    row = {name: value for name, value in row.items() if name not in ("pid", "cookie")}
    if row.get("state") in ("launching", "running"):
        row["state"] = "live"
    return row


def _counts(path: str, state: State) -> bool:
    in_live_run = "/runs/" in path
    assert in_live_run or not is_unfinished(path), f"{path} was left behind"
    name = path.rpartition("/")[2]
    return name not in VOLATILE and not is_unfinished(path) and not name.startswith("process.json.")


def _unnumbered(path: str) -> str:
    """Return the path without the number of the process that began it."""
    return re.sub(r"(\.staging-[^/]*)\.[0-9]+$", r"\1", path)


def _name(path: str) -> str:
    """Return the path; the name of a backup has the number of its writer."""
    return re.sub(r"-e[0-9]+\.db$", ".db", path) if path.startswith("backups/") else path


def _told(path: str, entry: Entry) -> tuple[Any, ...]:
    if path.startswith("backups/") and path.endswith(".db"):
        return entry.kind, entry.mode, entry.content[:16]
    if path.endswith("/process.json"):
        return entry.kind, entry.mode, sorted(msgspec.json.decode(entry.content))
    if path.endswith(".jsonl"):
        return entry.kind, entry.mode, _whole_lines(entry.content)
    return entry.told


def _whole_lines(content: bytes) -> list[bytes]:
    """Return the lines that are records: half of one may have been left by a write that was cut short."""
    found = []
    for line in content.splitlines():
        try:
            msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        found.append(line)
    return found


def _differences(found: dict[str, Any], expected: dict[str, Any]) -> str:
    keys = sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
    return "; ".join(f"{key}: {found.get(key)!r} instead of {expected.get(key)!r}"[:600] for key in keys[:4])
