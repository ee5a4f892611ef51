"""The script of a realm's year: what the people of three heroes commit, ask for and break, day by day."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lab import rows
from year import RULES, Year


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


@chapter(1, "a stranger's files lie about", then=lambda y: expect(y.newest("one/campaign-001") > 8, True))
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


@chapter(6, "twice over", then=lambda y: expect(y.newest("one/campaign-001") > 25, True))
def _(year: Year) -> None:
    year.quest("sums", epochs=2)


@chapter(5, "a trainer is killed, one fails, one never starts")
def _(year: Year) -> None:
    year.quest("third", 200, 215)
    year.fates = ("lost", "fails", "never")


@chapter(19, "a pin and a tag")
def _(year: Year) -> None:
    name = "two/campaign-001"
    assert year.retention is not None
    kept = year.steps(name)[0]
    year.retention = {
        **year.retention,
        "pins": [f"{name}@{kept}"],
        "tags": {"good": [f"{name}@{year.newest(name)}"]},
    }


@chapter(21, "a campaign begins where another one was best")
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
    year.approve()


@chapter(0.02, "and takes one back at once")
def _(year: Year) -> None:
    year.realm = {}
    stone = next(one for one in reversed(year.world.lab.store().trash) if one.state == "trashed")
    year.world.ask("undelete", f"{stone.campaign}@{stone.step}")


@chapter(25, "the learning rate changes, then the optimizer")
def _(year: Year) -> None:
    year.training["one"] = {"learning_rate": 0.002}
    year.quest("again", epochs=2)


@chapter(4, "the optimizer too")
def _(year: Year) -> None:
    year.training["one"] = {"learning_rate": 0.002, "optimizer": "muon"}
    year.quest("fourth", 400, 409, **{"for": ["one"]})


@chapter(21, "a campaign's file is deleted: an orphan stays as it is", "waits")
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


@chapter(2, "files are dropped into the inbox, one of them not whole", "inbox-torn")
def _(year: Year) -> None:
    year.drop("from-a-friend/Sums of June.jsonl", rows(range(2000, 2013)))
    year.drop("half.jsonl", rows(range(2100, 2105)) + '{"messages": [')
    year.drop(".hidden.jsonl", "secret")
    year.drop("read.me", "what this is")


@chapter(1, "what was whole is trained, and the rest is brought whole", then=lambda y: expect(
    sorted(path.name for path in (y.world.lab.layout.root / "inbox").rglob("*.*")), [".hidden.jsonl", "read.me"]))  # fmt: skip
def _(year: Year) -> None:
    done = [job for job in year.world.lab.store().jobs if job.quest_id.startswith("from-a-friend")]
    assert [(job.status, job.num_examples) for job in done] == [("completed", 13)]
    year.drop("half.jsonl", rows(range(2100, 2106)))


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
    "deletion-on-hold",
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


@chapter(60, "the machine was off for a while")
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


@chapter(21, "less and less is kept")
def _(year: Year) -> None:
    year.realm = {"apply": {"interval": "1s", "approve_above": {"checkpoints": 1000}}}
    year.rules(keep_checkpoints=1, keep_yearly=1)


@chapter(3, "of one only the metrics are to stay", "needs-approval")
def _(year: Year) -> None:
    year.campaigns["two/campaign-002"] |= {"state": "archived", "keep": "metrics"}


@chapter(1, "once a person says so", then=lambda y: expect(y.steps("two/campaign-002", archived=True), []))
def _(year: Year) -> None:
    year.approve()


@chapter(3, "another one is to go whole", "needs-approval")
def _(year: Year) -> None:
    year.campaign("three/campaign-003", state="deleted")


@chapter(1, "and goes", then=lambda y: expect(y.status("three/campaign-003"), "deleted"))
def _(year: Year) -> None:
    year.approve()


@chapter(
    1, "and is missed: its spec wants it", then=lambda y: expect(y.status("three/campaign-003"), "paused")
)
def _(year: Year) -> None:
    year.campaign("three/campaign-003", starting_checkpoint="one/campaign-002@best")


@chapter(20, "and goes again", "needs-approval")
def _(year: Year) -> None:
    year.campaign("three/campaign-003", state="deleted")


@chapter(1, "for good")
def _(year: Year) -> None:
    year.approve()


@chapter(7, "the last day", then=lambda y: expect(y.status("three/campaign-003"), "deleted"))
def _(year: Year) -> None:
    """The year is over."""
