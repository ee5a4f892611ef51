"""The script of a realm's year: what the people of three heroes commit, ask for and break, day by day."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

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


class Chapter(NamedTuple):
    """What people do after so many days, and what must be so once the realm has come to rest."""

    days: float
    what: str
    act: Callable[[Year], object]
    then: Callable[[Year], object]
    blocked: frozenset[str]
    """Codes of what may be blocked at the end of it; `waits` always may."""


CHAPTERS: list[Chapter] = []


def chapter(
    days: float, what: str, *blocked: str, then: Callable[[Year], object] = lambda _: None
) -> Callable[[Callable[[Year], object]], Callable[[Year], object]]:
    """Enter a function as the next chapter."""

    def enter(act: Callable[[Year], object]) -> Callable[[Year], object]:
        CHAPTERS.append(Chapter(days, what, act, then, frozenset(blocked)))
        return act

    return enter


def expect(found: object, wanted: object) -> None:
    """Compare, where an expression is wanted."""
    assert found == wanted


@chapter(0, "three heroes, one campaign that trains")
def _(year: Year) -> None:
    year.active = "one/campaign-001"
    year.campaign("one/campaign-001", name="First light", goal={"updates": 500})
    year.quest("sums", 0, 24)


@chapter(1, "a stranger's files lie about", then=lambda y: expect(y.newest("one/campaign-001"), 12))
def _(year: Year) -> None:
    root = year.world.lab.layout.root
    for place in ("campaigns/one/campaign-001/checkpoints/old-backup/their-weights.bin", "trash/notes.txt",
                  "campaigns/one/campaign-001/my-notes.md", "data/their-table.csv", "keep-me.tar"):  # fmt: skip
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(f"theirs: {place}")
        year.guardian.strangers[Path(place).name] = f"theirs: {place}".encode()


@chapter(6, "rules of what is kept, all of it still young enough or the best")
def _(year: Year) -> None:
    year.retention = {**RULES, "minimum_age": "1h"}


@chapter(3, "a second quest, for whoever has a hero's turn")
def _(year: Year) -> None:
    year.quest("more", 100, 131, **{"for": ["one", "two"]})


@chapter(2, "nothing at all", then=lambda y: expect(y.guardian.num_dropped > 5, True))
def _(year: Year) -> None:
    """A day like any other: what was dropped goes for good."""


@chapter(2, "the second hero's turn", then=lambda y: expect(y.status("one/campaign-001"), "paused"))
def _(year: Year) -> None:
    year.campaign("two/campaign-001")
    year.active = "two/campaign-001"


@chapter(5, "a file grows, and a generated quest joins")
def _(year: Year) -> None:
    year.quest("more", 100, 145)
    year.quest("squares", skill="squares", level=2, count=14, priority="high")


@chapter(4, "milestones, one of them long passed")
def _(year: Year) -> None:
    year.campaign("one/campaign-001", milestones=[{"step": 5, "note": "looking back"}, {"step": 30}])
    year.campaign("two/campaign-001", milestones=[{"step": 3}])


@chapter(3, "back to the first: what grew is trained there too")
def _(year: Year) -> None:
    year.active = "one/campaign-001"


@chapter(6, "twice over", then=lambda y: expect(y.newest("one/campaign-001") > 40, True))
def _(year: Year) -> None:
    year.quest("sums", epochs=2)


@chapter(5, "a trainer is killed, one fails, one never starts")
def _(year: Year) -> None:
    year.quest("third", 200, 215)
    year.fates = ("lost", "fails", "never")


@chapter(8, "a pin and a tag")
def _(year: Year) -> None:
    name = "two/campaign-001"
    assert year.retention is not None
    kept = year.steps(name)[0]
    year.retention = {
        **year.retention,
        "pins": [f"{name}@{kept}"],
        "tags": {"good": [f"{name}@{year.newest(name)}"]},
    }


@chapter(9, "a campaign begins where another one was best")
def _(year: Year) -> None:
    year.campaign("three/campaign-001", starting_checkpoint="one/campaign-001@best")
    year.active = "three/campaign-001"
    year.quest("for-three", 300, 320, **{"for": ["three/campaign-001"]})


@chapter(7, "start over: a new campaign, the old one rests whole")
def _(year: Year) -> None:
    year.campaign("one/campaign-002", name="Second light")
    year.campaign("one/campaign-001", state="archived", milestones=[{"step": 5}, {"step": 30}])
    year.active = "one/campaign-002"
    year.quest("again", 0, 30, **{"for": ["one/campaign-002"]})


@chapter(1, "the best and the final one are left of it", then=lambda y: expect(
    {y.newest("one/campaign-001")} < set(y.steps("one/campaign-001", archived=True)), True))  # fmt: skip
def _(year: Year) -> None:
    """Only time passes."""


@chapter(5, "fewer are kept, and more would go than may without a word", "needs-approval",
         then=lambda y: expect(y.world.plan().plan.awaiting is not None, True))  # fmt: skip
def _(year: Year) -> None:
    year.realm = {"apply": {"interval": "1s", "approve_above": {"checkpoints": 2}}}
    year.rules(keep_checkpoints=2)


@chapter(2, "a person approves", then=lambda y: expect(y.world.plan().plan.awaiting, None))
def _(year: Year) -> None:
    awaiting = year.world.plan().plan.awaiting
    assert awaiting is not None
    year.world.ask("approve", awaiting.digest)


@chapter(0.02, "and takes one back at once")
def _(year: Year) -> None:
    year.realm = {}
    stone = next(one for one in reversed(year.world.lab.store().trash) if one.state == "trashed")
    year.world.ask("undelete", f"{stone.campaign}@{stone.step}")


@chapter(10, "the learning rate changes, then the optimizer")
def _(year: Year) -> None:
    year.training["one"] = {"learning_rate": 0.002}
    year.quest("again", epochs=2)


@chapter(4, "the optimizer too")
def _(year: Year) -> None:
    year.training["one"] = {"learning_rate": 0.002, "optimizer": "muon"}
    year.quest("fourth", 400, 409, **{"for": ["one"]})


@chapter(9, "a campaign's file is deleted: an orphan stays as it is", "waits")
def _(year: Year) -> None:
    del year.campaigns["two/campaign-001"]
    year.campaign("two/campaign-002", starting_checkpoint="two/campaign-001@latest")
    year.active = "two/campaign-002"


@chapter(3, "an edited file is refused", "quest-changed")
def _(year: Year) -> None:
    year.quest("fifth", 500, 512)


@chapter(0.5, "by name", "quest-changed")
def _(year: Year) -> None:
    year.world.lab.write("data/fifth.jsonl", rows(range(505, 519)))


@chapter(1, "until the quest says what it wants")
def _(year: Year) -> None:
    year.quest("fifth", on_edit="retrain")


@chapter(6, "the orphan comes home")
def _(year: Year) -> None:
    year.campaign("two/campaign-001", milestones=[{"step": 3}])


@chapter(5, "the rules vanish: nothing is dropped")
def _(year: Year) -> None:
    year.retention = None
    year.quest("sixth", 600, 640)


@chapter(3, "and come back")
def _(year: Year) -> None:
    year.realm = {}
    year.retention = {
        **RULES,
        "minimum_age": "10m",
        "pins": [f"two/campaign-001@{year.steps('two/campaign-001')[0]}"],
    }


@chapter(7, "the first campaign comes back from the archive and trains on")
def _(year: Year) -> None:
    year.campaign("one/campaign-001", milestones=[{"step": 5}, {"step": 30}], goal={"updates": 500})
    year.active = "one/campaign-001"
    year.quest("seventh", 700, 722)


@chapter(5, "a goal is set where it has come already", "goal-reached")
def _(year: Year) -> None:
    year.campaign("one/campaign-001", goal={"updates": 10})
    year.quest("eighth", 800, 806, **{"for": ["one/campaign-001"]})


@chapter(2, "a higher goal wakes it")
def _(year: Year) -> None:
    year.campaign("one/campaign-001", goal={"updates": 5000})


@chapter(
    8,
    "somebody deletes a checkpoint by hand: no drop there any more",
    "retention-on-hold",
    "checkpoint-missing",
)
def _(year: Year) -> None:
    name = "one/campaign-001"
    folder = year.world.lab.layout.campaign(name).checkpoint(year.steps(name)[1])
    year.guardian.spoilt |= {
        row.digest for row in year.world.lab.ledger(name) if row.step == int(folder.name[11:])
    }
    for path in (folder, *folder.iterdir()):
        path.chmod(0o700)
    shutil.rmtree(folder)
    year.quest("ninth", 900, 940)


@chapter(1, "until the loss is acknowledged")
def _(year: Year) -> None:
    lost = [row for row in year.world.lab.ledger("one/campaign-001") if row.digest in year.guardian.spoilt]
    assert year.retention is not None
    year.retention = {
        **year.retention,
        "acknowledged_losses": [f"one/campaign-001@{row.step}" for row in lost],
    }


@chapter(6, "a third life of each hero, from what the second had learnt")
def _(year: Year) -> None:
    year.campaign("three/campaign-002", starting_checkpoint="three/campaign-001@latest")
    year.campaign("three/campaign-003", starting_checkpoint="one/campaign-002@best")
    year.campaign("three/campaign-001", state="archived")
    year.active = "three/campaign-002"
    year.quest("tenth", 1000, 1040, **{"for": ["three/campaign-002", "three/campaign-003"]})


@chapter(5, "and again")
def _(year: Year) -> None:
    year.campaign("one/campaign-003", starting_checkpoint="three/campaign-002@latest")
    year.campaign("two/campaign-003")
    year.active = "three/campaign-003"


@chapter(1, "the clock is set back a week")
def _(year: Year) -> None:
    year.world.pass_time(days=-7)
    year.quest("eleventh", 1100, 1130)


@chapter(40, "the machine was off for a while")
def _(year: Year) -> None:
    year.active = "two/campaign-003"
    year.quest("eleventh", epochs=3)


@chapter(5, "nobody trains")
def _(year: Year) -> None:
    year.active = None
    for name in ("one/campaign-002", "two/campaign-001", "two/campaign-002"):
        year.campaigns[name] |= {"state": "archived"}


@chapter(5, "all that is done leaves the queue")
def _(year: Year) -> None:
    year.quests = {"last": {"id": "last", "file": "data/tenth.jsonl"}}
    year.active = "one/campaign-003"


@chapter(9, "less and less is kept")
def _(year: Year) -> None:
    year.realm = {"apply": {"interval": "1s", "approve_above": {"checkpoints": 1000}}}
    year.rules(keep_checkpoints=1, keep_yearly=1)


@chapter(2, "the last day")
def _(year: Year) -> None:
    """The year is over."""
