"""A world with one campaign that goes back, or branches off: what tests of segments do with it."""

import json
from pathlib import Path
from typing import Any

from lab import realm, rows, tiny_hero
from worlds import World, check_nothing_is_left

from reconciler.app.proof.prove import prove
from reconciler.app.proof.records import Proof
from state.contract.files import read
from state.contract.request import RunRequest
from state.store.connection import open_reader
from state.store.rows import LedgerRow, StoreView
from state.store.view import read_view

ONE = "one/campaign-001"
SUMS = {"id": "sums", "file": "data/sums.jsonl"}
MORE = {"id": "more", "file": "data/more.jsonl"}
REWIND = {"to": 10, "reason": "it was better there"}
RELEASE = {"at": 10, "updates": 4, "note": "for the readers"}


class Life:
    """A world with one campaign; two quests of 20 and 10 updates, a checkpoint every five."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.campaign: dict[str, Any] = {"id": "campaign-001"}
        self.quests = [SUMS, MORE]
        self.rules: dict[str, Any] = {}
        self.world.lab.write("data/sums.jsonl", rows(range(40)))
        self.world.lab.write("data/more.jsonl", rows(range(100, 120)))
        self.commit()

    def commit(self, **campaign: Any) -> None:
        """Commit the specs, the campaign's with these keys."""
        self.campaign |= campaign
        defaults = {
            "checkpoint": {"every_updates": 5, "every_minutes": 15},
            "evaluation": {"every_updates": 1000, "held_out": 0},
        }
        retry = {"attempts": 3, "backoff": "100ms", "longest_backoff": "100ms"}
        self.world.commit({
            "realm": realm(ONE, defaults=defaults, apply={"interval": "1s", "retry": retry}),
            "heroes/one": tiny_hero("one"),
            "campaigns/one/campaign-001": self.campaign,
            "queue": {"quests": self.quests},
            **({"retention": self.rules} if self.rules else {}),
        })  # fmt: skip

    @property
    def store(self) -> StoreView:
        with open_reader(self.world.lab.layout.store) as store:
            return read_view(store)

    @property
    def names(self) -> list[str]:
        """What the checkpoints are called, in the order in which they were recorded."""
        return [row.which for row in self.store.ledger]

    def prove(self, which: str) -> Proof:
        return prove(self.world.environment, self.world.options, f"{ONE}@{which}")

    def requests(self) -> list[RunRequest]:
        """Return what each run was asked to be, oldest first."""
        runs = self.world.lab.layout.campaign(ONE).runs
        found = [read(path / "request.json", RunRequest) for path in runs.iterdir()]
        return sorted(found, key=lambda one: (one.generation, one.attempt))

    def check_whole(self) -> None:
        """Each checkpoint of the ledger lies, whole, where it says; nothing is left to do."""
        root = self.world.lab.layout.root
        assert [row.path for row in self.store.ledger if not _lies(root, row)] == []
        check_nothing_is_left(self.world)


def _lies(root: Path, row: LedgerRow) -> bool:
    return json.loads((root / row.path / "manifest.json").read_bytes())["digest"] == row.digest


def learnt_once(proof: Proof) -> list[tuple[str, int, int, int]]:
    """Return (quest, rows learnt once, repeated, skipped) of each quest."""
    assert proof.is_proven, proof.problems
    return [
        (q.quest, sum(t.num_rows for t in q.times if t.times == 1), q.num_repeated, q.num_skipped)
        for q in proof.quests
    ]
