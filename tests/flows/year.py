"""The people of a realm with three heroes: the specs as they have them, and what they can do to the world."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from guardian import Guardian
from lab import realm, rows, tiny_hero
from worlds import World

HEROES = ("one", "two", "three")
RULES: dict[str, Any] = {
    "campaigns": {
        "active": {
            "keep_checkpoints": 6,
            "keep_best": [{"metric": "val_loss", "count": 2}],
            "keep_every": 20,
        },
        "archived": {
            "keep_best_checkpoint": True,
            "keep_final_checkpoint": True,
            "delete_intermediate": True,
        },
    },
    "trash": {"asked": "72h", "rolled": "1h"},
}
MAKER = """import json, sys
out = sys.argv[sys.argv.index('--out') + 1]
with open(out, 'w') as file:
    for n in range(14):
        words = [dict(role='user', content=f'{n}'), dict(role='assistant', content=f'{n * n}')]
        file.write(json.dumps(dict(messages=words)) + chr(10))
"""


class Year:
    """The specs as the people have them, and the world that they act on."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.guardian = Guardian(self.world.lab.layout.root, self.world.now)
        self.world.after_each_tick = self.guardian.check_tick
        self.active: str | None = None
        self.campaigns: dict[str, dict[str, Any]] = {}
        self.quests: dict[str, dict[str, Any]] = {}
        self.retention: dict[str, Any] | None = None
        self.training: dict[str, dict[str, Any]] = {hero: {} for hero in HEROES}
        self.realm: dict[str, Any] = {}
        self.fates: Sequence[str] = ()
        self.expected_blocked: set[str] = set()
        (self.world.lab.home / "maker.py").write_text(MAKER)

    def campaign(self, campaign: str, **spec: Any) -> None:
        """Write a campaign's spec anew."""
        self.campaigns[campaign] = {"id": campaign.partition("/")[2], **spec}

    def quest(self, quest: str, *numbers: int, **spec: Any) -> None:
        """Write a quest and, where numbers are given, the rows of its file: `first, stop`."""
        if numbers:
            self.world.lab.write(f"data/{quest}.jsonl", rows(range(*numbers)))
        content = {} if "skill" in spec else {"file": f"data/{quest}.jsonl"}
        self.quests[quest] = {"id": quest, **content, **self.quests.get(quest, {}), **spec}

    def drop(self, name: str, text: str) -> Path:
        """Put a file into the inbox, as it would lie there since a minute."""
        path = self.world.lab.layout.root / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        at = self.world.time.timestamp() - 60
        os.utime(path, (at, at))
        return path

    def approve(self) -> None:
        """Let go what waits for an approval."""
        awaiting = self.world.plan().plan.awaiting
        assert awaiting is not None
        self.guardian.approved |= {change.subject for change in awaiting.changes}
        self.world.ask("approve", awaiting.digest)

    def rules(self, **active: Any) -> None:
        """Change the rules for campaigns that are not archived."""
        assert self.retention is not None
        sets = self.retention["campaigns"]
        self.retention = {**self.retention, "campaigns": {**sets, "active": active}}

    def specs(self) -> dict[str, dict[str, Any]]:
        """Return all specs, path → content."""
        command = ["python", "-I", "-S", str(self.world.lab.home / "maker.py")]
        found: dict[str, dict[str, Any]] = {
            "realm": realm(self.active, **self.realm),
            "queue": {"quests": list(self.quests.values())},
            "skills/squares": {"id": "squares", "max_level": 3, "source": {"command": command}},
            **{f"heroes/{hero}": tiny_hero(hero, **more) for hero, more in self.training.items()},
            **{f"campaigns/{name}": spec for name, spec in self.campaigns.items()},
        }
        for what in ("checkpoint", "evaluation"):
            found["realm"]["defaults"][what]["every_updates"] = 2
        found["realm"]["defaults"]["evaluation"]["held_out"] = 0.2
        if self.retention is not None:
            found["retention"] = self.retention
        return found

    def newest(self, campaign: str) -> int:
        """Return the step that a campaign has come to."""
        return max((row.step for row in self.world.lab.ledger(campaign)), default=0)

    def steps(self, campaign: str, *, archived: bool = False) -> list[int]:
        """Return the steps of the checkpoints that lie in a campaign's folder."""
        folder = self.world.lab.layout.campaign(campaign, archived=archived).checkpoints
        return sorted(int(path.name.partition("-")[2]) for path in folder.glob("checkpoint-*"))

    def status(self, campaign: str) -> str:
        """Return what the store says of a campaign."""
        return next(row.status for row in self.world.lab.store().campaigns if row.name == campaign)
