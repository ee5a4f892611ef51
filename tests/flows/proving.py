"""A realm whose checkpoints are asked what they have learnt.

Trainers are instant ones: real orders, cursors and manifests, without weights.
"""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from lab import realm as realm_spec
from lab import tiny_hero
from worlds import World

from reconciler.cli.group import reconcile
from state.layout import Layout

ONE, TWO = "one/campaign-001", "two/campaign-001"
SUMS: dict[str, Any] = {"id": "sums", "file": "data/sums.jsonl", "for": [ONE]}


class Realm:
    """A world, the command, and what its specs say."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.specs = {"realm": realm_spec(ONE), "queue": {"quests": [SUMS]}}
        self.specs["realm"]["defaults"]["evaluation"]["held_out"] = 0
        self.specs["realm"]["defaults"]["checkpoint"]["every_updates"] = 7
        for hero in ("one", "two"):
            self.specs[f"heroes/{hero}"] = tiny_hero(hero)
            self.specs[f"campaigns/{hero}/campaign-001"] = {"id": "campaign-001"}

    @property
    def layout(self) -> Layout:
        return self.world.lab.layout

    def data(self, text: str, name: str = "sums") -> None:
        self.world.lab.write(f"data/{name}.jsonl", text)

    def apply(self, **changes: Any) -> None:
        """Commit what the specs say now, and apply until nothing is left."""
        self.specs |= changes
        self.world.commit(self.specs)
        self.world.apply()

    def prove(self, checkpoint: str, *more: str) -> Result:
        return self.run("prove", checkpoint, *more, "--wide")

    def run(self, *arguments: str) -> Result:
        """Call the command for this realm."""
        lab = self.world.lab
        given = ["--repo", str(lab.repository), "--root", str(lab.layout.root), *arguments]
        return CliRunner().invoke(reconcile, given, env={"HOME": str(lab.home)})

    def proof(self, checkpoint: str, *more: str) -> dict[str, Any]:
        done = self.prove(checkpoint, "--json", *more)
        assert done.exit_code in (0, 1), done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def times_of(quest: dict[str, Any]) -> dict[int, int]:
    """Return row (from 0) → how often it was learnt, as a proof says."""
    return {
        row - 1: one["times"]
        for one in quest["times"]
        for first, last in one["rows"]
        for row in range(first, last + 1)
    }


def empty_trash_of_all_that_may_go(realm: Realm) -> None:
    """Let retention drop all that it may, and the trash be emptied."""
    realm.apply(retention={"campaigns": {"active": {"keep_checkpoints": 1}}, "minimum_age": "1s"})
    for _ in range(4):
        realm.world.pass_time(hours=2)
        realm.world.apply()
    assert {stone.state for stone in realm.world.lab.store().trash} == {"purged"}
