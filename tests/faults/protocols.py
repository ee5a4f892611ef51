"""The recorded protocol of an action, cut by the power at each place: what a power cut may leave, and what may not."""

import ast
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw
from injector import Injector
from inventory import half_published, lost_copies, precious
from kept_state import State, put_back, read_state
from kill_worlds import NOT_UNDERSTOOD
from power_cut import Disk
from tape import CHECKOUT, OURS, SYNCERS, Event, Tape
from trials import VOLATILE, Trials, _whole_lines
from workshop import rows_of

_EPOCH = "control/epoch"
UNSURE = ("Backup", "Publish")
"""What fails at its last sync and is found by the next try: a lost backup is made again, and a save is made
durable by whoever records it (KilledSave)."""
AGAIN = Event("point", "the second try begins")
DONE = (
    "file.done",
    "folder.done",
    "folder.moved",
    "link.done",
    "entry.removed",
    "purge.removed",
    "inbox.removed",
)
"""Failpoints at which a helper has done what it says: from there on no power cut takes it back."""


class Cut(NamedTuple):
    """A power cut after an event, and one state that it may leave."""

    after: int
    state: State
    store: bytes


class Protocol:
    """An action's scenario, with the calls that it makes."""

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        self._books: dict[bytes, dict[str, list[dict[str, Any]]]] = {}
        self.num_states = 0
        """That were judged so far."""
        self.events = self.record()

    def record(self, at: int = 0, fault: str = "") -> list[Event]:
        """Return the calls of the action; with a fault, also those of the try after it."""
        trials = self.trials
        trials.reset()
        self.template = read_state(trials.realm.layout.root)
        tape = Tape(trials.realm.layout.root)
        with tape.recording():
            if fault:
                injector = Injector(at, fault)
                trials._perform(before=lambda: tape.also(injector), must_succeed=False)
                assert injector.has_struck
                tape.also(None)
                tape.listen()  # whoever left office let nothing be armed any more
                tape.events.append(AGAIN)
            trials._perform()
        return tape.events

    def cuts(self, events: Sequence[Event], *, as_journalled: bool = False) -> Iterator[Cut]:
        """Yield what each power cut may leave."""
        disk = Disk(self.template)
        for number, event in enumerate(events):
            disk.do(event)
            if event.what != "point":
                for state in disk.states(as_journalled=as_journalled):
                    yield Cut(number, state, disk.store)

    def problems(self, events: Sequence[Event]) -> Iterator[str]:
        """Yield what a power cut may break: now, or after all is done."""
        for cut in self.cuts(events):
            self.num_states += 1
            if bad := self._broken(cut):
                yield f"power cut after {cut.after}, {_short(events[cut.after])}: {bad}"
        yield from self._fading(events)

    def _broken(self, cut: Cut) -> list[str]:
        trials = self.trials
        bad = [
            f"{path} is no copy of the store"
            for path, entry in cut.state.items()
            if path.startswith("backups/")
            and path.endswith(".db")
            and not entry.content.startswith(b"SQLite format 3")
        ]
        bad += half_published(cut.state, self.template, purges=trials._is_purge)
        if not trials._is_purge:
            bad += [
                f"lost: {content[:40]!r}"
                for content in trials._precious - precious(cut.state, NOT_UNDERSTOOD)
            ]
        books = self._books_of(cut.store)
        return bad + lost_copies(cut.state, books["ledger"], books["trash"], trials._known_lost)

    def _fading(self, events: Sequence[Event]) -> Iterator[str]:
        """Yield what a power cut takes back after the action is done."""
        disk = Disk(self.template)
        begins = len(events) - 1 if AGAIN in events or self.trials.action is None else 0
        begins = max(
            (number for number, event in enumerate(events) if event.what == "syncfs"), default=begins
        )
        for number, event in enumerate(events):
            disk.do(event)
            if number < begins:
                continue  # of a try that failed; from its sync on nothing is taken back
            if number + 1 == len(events) or event.what == "commit" or event.path in DONE:
                settled = _told(disk.settled())
                for state in disk.states():
                    if (told := _told(state)) != settled:
                        taken = _difference(told, settled)
                        yield f"done at {number}, {_short(event)}, and yet a power cut takes back: {taken}"

    def _books_of(self, store: bytes) -> dict[str, list[dict[str, Any]]]:
        if store not in self._books:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "realm.db"
                path.write_bytes(store)
                connection = apsw.Connection(str(path))
                self._books[store] = {table: rows_of(connection, table) for table in ("ledger", "trash")}
                connection.close()
        return self._books[store]

    def tries_after_failures(self) -> Iterator[tuple[str, list[Event]]]:
        """Yield the protocol of each try that fails at a sync, with the try after it."""
        for at, point in enumerate(self.trials.points, 1):
            if point == "folder.fsync" and self.trials.name not in UNSURE:
                yield f"{self.trials.name}: EIO at {at}, {point}", self.record(at, "EIO")

    def recoveries(self, most: int) -> int:
        """Rebuild states that power cuts leave, run again, compare; return how many."""
        cuts: dict[Any, Cut] = {}
        for cut in self.cuts(self.events, as_journalled=True):
            cuts.setdefault((cut.store, tuple(sorted((p, e.content) for p, e in cut.state.items()))), cut)
        chosen = list(cuts.values())[:: max(1, len(cuts) // most)]
        for cut in chosen:
            self.trials.reset()
            self.rebuild(cut)
            where = f"{self.trials.name}: power cut after {cut.after}, {_short(self.events[cut.after])}"
            self.trials.check_end(where, with_modes=False)
        return len(chosen)

    def rebuild(self, cut: Cut) -> None:
        """Make the realm's folder what a power cut left."""
        state = {path: entry._replace(mode=self._mode(path, entry.kind)) for path, entry in cut.state.items()}
        store = self.template["realm.db"]._replace(content=cut.store)
        put_back(self.trials.realm.layout.root, state | {"realm.db": store} | self._mirror(cut))

    def _mirror(self, cut: Cut) -> State:
        """Return the mirror of the epoch as a cut leaves it: never ahead of the store's.

        Taking office commits the epoch before it is mirrored; that commit is no call on the tape, so the store
        of a cut between the two would look like an older copy that somebody put back.
        """
        mirror = cut.state.get(_EPOCH)
        if mirror is None or not mirror.content.strip().isdigit():
            return {}
        if int(mirror.content) <= self._epoch_of(cut.store):
            return {}
        return {_EPOCH: self.template[_EPOCH]}

    def _epoch_of(self, store: bytes) -> int:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "realm.db"
            path.write_bytes(store)
            connection = apsw.Connection(str(path))
            found = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
            connection.close()
        return int(found[0]) if found else 0

    def _mode(self, path: str, kind: str) -> int:
        known = self.template.get(path)
        return known.mode if known is not None else {"folder": 0o700, "link": 0o777}.get(kind, 0o600)


def without(events: Sequence[Event], site: str) -> list[Event]:
    """Return the events as a program would make them in which this line is missing."""
    return [event for event in events if event.site != site]


def sites_in_the_code() -> set[str]:
    """Return every line of our code that asks for a sync, as `file:line`."""
    found = set()
    for package in OURS:
        for path in Path(package).rglob("*.py"):
            name = str(path).removeprefix(CHECKOUT)
            found |= {f"{name}:{line}" for line in _syncing_lines(ast.parse(path.read_text()))}
    return found


def _syncing_lines(tree: ast.Module) -> Iterator[int]:
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name not in SYNCERS
    ]
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                called = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                if called in SYNCERS - {"_named"}:
                    yield node.lineno


def _told(state: State) -> dict[str, Any]:
    return {
        path: _whole_lines(entry.content) if path.endswith(".jsonl") else (entry.kind, entry.content)
        for path, entry in state.items()
        if path.rpartition("/")[2] not in VOLATILE
    }


def _difference(found: dict[str, Any], expected: dict[str, Any]) -> str:
    return ", ".join(
        sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
    )


def _short(event: Event) -> str:
    return f"{event.what} {event.path} {event.other}".strip()
