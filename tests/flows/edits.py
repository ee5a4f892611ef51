"""Specs that can be generated, with what may happen to a realm between two commits, and what both must end in."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st
from lab import Lab, realm, rows, tiny_hero
from worlds import World

MAKER = "import sys; open(sys.argv[sys.argv.index('--out') + 1], 'w').write(open('{rows}').read())"
CAMPAIGNS = ("one/campaign-001", "one/campaign-002", "two/campaign-001", "three/campaign-001")
WHO = (*CAMPAIGNS, "one", "two")
UNREADABLE = ("data/missing.jsonl", "data/torn.jsonl")
DROPPED_AT = 1_767_225_600.0
"""The beginning of 2026: before any tick."""
SUSPEND = {"reason": "a look first"}
RULES: tuple[dict[str, Any], ...] = (
    {"keep_checkpoints": 1},
    {"keep_checkpoints": 2, "keep_best": [{"metric": "val_loss", "count": 1}]},
    {"keep_every": 3, "keep_within": "1h"},
    {"keep_daily": 1, "keep_yearly": -1},
)
ARCHIVED_RULES = {"keep_final_checkpoint": True, "keep_best_checkpoint": True, "delete_intermediate": True}


class Edit(NamedTuple):
    """What the specs say, in a form that is easily generated."""

    campaigns: list[str]
    active: str | None
    quests: list[dict[str, Any]]
    goals: dict[str, int]
    suspended: str | None
    learning_rate: float
    archived: Sequence[str] = ()
    deleted: Sequence[str] = ()
    """Nobody approves it, so nothing of them goes."""
    starts: Mapping[str, str] = {}
    milestones: Mapping[str, Sequence[int]] = {}
    retention: Mapping[str, Any] | None = None
    every_updates: int = 20
    moves_out: bool = False
    """Lie the checkpoints of archived campaigns elsewhere?"""


class Trouble(NamedTuple):
    """What happens to the realm from outside, between two commits."""

    damages: list[str]
    requests: list[tuple[str, str]]
    fates: list[str]
    kill_at: int | None
    hours: int = 0


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    campaigns = draw(st.lists(st.sampled_from(CAMPAIGNS), min_size=1, max_size=3, unique=True))
    ids = draw(st.lists(st.sampled_from("abcde"), max_size=4, unique=True))
    known = {*campaigns, *(name.partition("/")[0] for name in campaigns)}
    active = draw(st.none() | st.sampled_from(campaigns))
    rests = {
        name: draw(st.sampled_from([None, None, "archived", "deleted"]))
        for name in campaigns
        if name != active
    }
    quests = [_quest(draw, name, sorted(known & set(WHO))) for name in ids]
    goals = {name: draw(st.integers(1, 20)) for name in campaigns if draw(st.booleans())}
    suspended = draw(st.sampled_from([None] * 5 + ["realm", "queue", *campaigns[:1], "hero", "skill"]))
    rests[suspended or ""] = None  # what is suspended is not archived or deleted, too: a mistake by name
    return Edit(
        campaigns=sorted(campaigns),
        active=active,
        quests=quests,
        goals=goals,
        suspended=suspended,
        learning_rate=draw(st.sampled_from([0.001, 0.002])),
        archived=[name for name, state in rests.items() if state == "archived"],
        deleted=[name for name, state in rests.items() if state == "deleted"],
        starts={name: start for name in campaigns if (start := _start(draw, name)) is not None},
        milestones={name: draw(_STEPS) for name in campaigns if draw(st.booleans())},
        retention=draw(st.none() | _RETENTION),
        every_updates=draw(st.sampled_from([1, 2, 20])),
        moves_out=draw(st.booleans()),
    )


@st.composite
def archivings(draw: st.DrawFn) -> tuple[Edit, ...]:
    """Return edits by which a campaign is trained, lies elsewhere, and is wanted again or begun with."""
    mine, other = CAMPAIGNS[0], draw(st.sampled_from(CAMPAIGNS[1:]))
    quests = [
        {
            "id": "a",
            "file": "data/a.jsonl",
            "epochs": draw(st.integers(1, 2)),
            "priority": "normal",
            "for": [mine],
        }
    ]
    rules = draw(st.none() | _RETENTION)
    trained = Edit(
        [mine], mine, quests, {}, None, 0.001, retention=rules, every_updates=draw(st.sampled_from([1, 2]))
    )
    rests = trained._replace(active=None, archived=[mine], moves_out=True)
    back = trained._replace(active=draw(st.sampled_from([None, mine])), moves_out=draw(st.booleans()))
    begun = rests._replace(
        campaigns=[mine, other],
        active=other,
        starts={other: f"{mine}@{draw(st.sampled_from(['latest', 'best', '2']))}"},
    )
    return trained, rests, draw(st.sampled_from([back, back, begun, rests._replace(moves_out=False)]))


_STEPS = st.lists(st.integers(1, 12), max_size=2, unique=True)
_RETENTION = st.fixed_dictionaries(
    {"campaigns": st.fixed_dictionaries({}, optional={
        "active": st.sampled_from(RULES), "archived": st.just(ARCHIVED_RULES)})},
    optional={"minimum_age": st.sampled_from(["1s", "10m"]), "pins": st.just([f"{CAMPAIGNS[0]}@2"])},
)  # fmt: skip


def _quest(draw: st.DrawFn, name: str, known: Sequence[str]) -> dict[str, Any]:
    source = draw(st.sampled_from(["file", "file", "file", "skill", "missing", "torn"]))
    content: dict[str, Any] = {"file": f"data/{name if source == 'file' else source}.jsonl"}
    if source == "skill":
        content = {"skill": "copy", "level": 1, "count": 6, "seed": draw(st.integers(0, 1))}
    return {
        "id": name,
        **content,
        "epochs": draw(st.integers(1, 3)),
        "priority": draw(st.sampled_from(["high", "normal", "low"])),
        "for": draw(st.lists(st.sampled_from(known), max_size=2, unique=True)) if known else [],
    }


def _start(draw: st.DrawFn, name: str) -> str | None:
    """Return where a campaign begins: mostly from nothing, else from one that is there, or is not."""
    source = draw(st.sampled_from([None, None, None, *(other for other in CAMPAIGNS if other != name)]))
    return source and f"{source}@{draw(st.sampled_from(['latest', 'best', '3']))}"


troubles = st.builds(
    Trouble,
    damages=st.lists(
        st.sampled_from(["inbox", "inbox", "pointer", "pointer-torn", "link", "record", "record-torn", "snapshot", "staging",
                         "sidecar", "foreign", "history"]),
        max_size=6,
    ),
    requests=st.lists(st.tuples(st.sampled_from(["pause", "stop", "resume"]), st.sampled_from(CAMPAIGNS)), max_size=2),
    fates=st.lists(st.sampled_from(["well", "lost", "fails", "never"]), max_size=3),
    kill_at=st.none() | st.integers(1, 150),
    hours=st.sampled_from([0, 0, 1, 30]),
)  # fmt: skip


def new_world(folder: Path) -> World:
    """Return a world with the data that the quests name."""
    world = World(folder)
    for name in "abcde":
        start = ord(name)
        world.lab.write(f"data/{name}.jsonl", rows(range(start, start + 7)))
    world.lab.write("data/torn.jsonl", rows(range(3)) + '{"messages": [')
    maker = world.lab.home / "maker.py"
    maker.write_text(MAKER.format(rows=world.lab.repository / "data/a.jsonl"))
    return world


def specs_of(world: World, edit: Edit) -> dict[str, dict[str, Any]]:
    """Return the specs that an edit stands for, path → content."""
    command = ["python", "-I", "-S", str(world.lab.home / "maker.py")]
    specs: dict[str, dict[str, Any]] = {
        "realm": realm(edit.active, **_suspended(edit, "realm")),
        "queue": {"quests": edit.quests, **_suspended(edit, "queue")},
        "skills/copy": {
            "id": "copy",
            "max_level": 3,
            "source": {"command": command},
            **_suspended(edit, "skill"),
        },
    }
    specs["realm"]["defaults"]["checkpoint"]["every_updates"] = edit.every_updates
    for hero in sorted({name.partition("/")[0] for name in edit.campaigns}):
        specs[f"heroes/{hero}"] = tiny_hero(hero, learning_rate=edit.learning_rate) | _suspended(edit, "hero")
    for name in edit.campaigns:
        specs[f"campaigns/{name}"] = _campaign(edit, name)
    if (retention := retention_of(world, edit)) is not None:
        specs["retention"] = retention
    return specs


def retention_of(world: World, edit: Edit) -> dict[str, Any] | None:
    """Return the rules that an edit stands for, None without any."""
    if not edit.moves_out:
        return dict(edit.retention) if edit.retention is not None else None
    return {**(edit.retention or {}), "minimum_age": "1s", "archive": {"to": str(world.elsewhere)}}


def _campaign(edit: Edit, name: str) -> dict[str, Any]:
    """Return the spec of a campaign; none of them is another one under a new name."""
    spec = {"id": name.partition("/")[2], "was": "none", **_suspended(edit, name)}
    if name in edit.goals:
        spec["goal"] = {"updates": edit.goals[name]}
    if name in edit.archived:
        spec["state"] = "archived"
    if name in edit.deleted:
        spec["state"] = "deleted"
    if name in edit.starts:
        spec["starting_checkpoint"] = edit.starts[name]
    if name in edit.milestones:
        spec["milestones"] = [{"step": step} for step in edit.milestones[name]]
    return spec


def _suspended(edit: Edit, what: str) -> dict[str, Any]:
    return {"suspend": SUSPEND} if edit.suspended == what else {}


def suffer(world: World, trouble: Trouble) -> None:
    """Let the trouble happen that needs no reconciler."""
    world.pass_time(hours=trouble.hours)
    for damage in trouble.damages:
        DAMAGES[damage](world.lab)
    if world.lab.has_store():
        for kind, campaign in trouble.requests:
            world.ask(kind, campaign)


def _every(pattern: str, act: Callable[[Path], object]) -> Callable[[Lab], None]:
    def damage(lab: Lab) -> None:
        for path in sorted(lab.layout.root.glob(pattern)):
            act(path)

    return damage


def _stage(lab: Lab) -> None:
    """Leave what a killed write leaves."""
    for folder in (lab.layout.campaigns, lab.layout.data):
        if folder.is_dir():
            (folder / ".staging-left").write_text("half")


def _drop(lab: Lab) -> None:
    """Put a whole file, half a one, and one that is no quest into the inbox, all of them settled."""
    files = {"new.jsonl": rows(range(500, 506)), "deep/half.jsonl": rows([1]) + '{"mess', "note.txt": "hello"}
    for name, text in files.items():
        path = lab.layout.root / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (DROPPED_AT, DROPPED_AT))


def _put_foreign(path: Path) -> None:
    """A checkpoint of somebody else: never used, never deleted."""
    (path / "checkpoint-9000").mkdir(exist_ok=True)
    (path / "checkpoint-9000" / "pytorch_model.bin").write_text("theirs")


DAMAGES: dict[str, Callable[[Lab], None]] = {
    "inbox": _drop,
    "pointer": _every("control/active_campaign.json", Path.unlink),
    "pointer-torn": _every("control/active_campaign.json", lambda path: path.write_text('{"hero_id": ')),
    "link": _every("campaigns/active", lambda path: (path.unlink(), path.symlink_to("two/nowhere"))),
    "record": _every("campaigns/*/*/campaign.json", Path.unlink),
    "record-torn": _every("campaigns/*/*/campaign.json", lambda path: path.write_text("[1, 2]")),
    "snapshot": _every("data/*.jsonl", Path.unlink),
    "staging": _stage,
    "sidecar": _every(
        "campaigns/*/*/checkpoints/checkpoint-*/.ledger.json", lambda path: path.write_text("{")
    ),
    "foreign": _every("campaigns/*/*/checkpoints", _put_foreign),
    "history": _every("status/job_history.jsonl", Path.unlink),
}


def check_books(lab: Lab, edit: Edit) -> None:
    """What the specs want is what the realm's files say, and what can be trained is trained.

    While the realm is suspended nothing is made, moved or switched to: its files say what was so before.
    """
    if edit.suspended != "realm":
        _check_pointer(lab, edit.active)
        for name in edit.campaigns:
            if name not in edit.deleted:
                _check_record(lab, edit, name)
    held = {row.name for row in lab.store().campaigns if row.hold}
    begins_anew = edit.active not in edit.starts  # else its start may be missing, or come too late
    if edit.active and begins_anew and not edit.suspended and edit.active not in {*held, *edit.goals}:
        for quest in edit.quests:
            if edit.active in quest["for"] and quest.get("file") not in UNREADABLE:
                assert lab.status_of(edit.active, quest["id"]) == "completed", quest
    left = [str(path) for path in lab.layout.root.rglob(".staging-*")]
    assert left == [], left


def _check_pointer(lab: Lab, active: str | None) -> None:
    layout = lab.layout
    link = str(layout.active_link.readlink()) if layout.active_link.is_symlink() else None
    assert link == active
    assert layout.active_pointer.exists() == (active is not None)
    if active is not None:
        pointer = json.loads(layout.active_pointer.read_bytes())
        assert f"{pointer['hero_id']}/{pointer['campaign_id']}" == active


def _check_record(lab: Lab, edit: Edit, name: str) -> None:
    is_archived = name in edit.archived
    record = json.loads(lab.layout.campaign(name, archived=is_archived).record.read_bytes())
    come = max((row.step for row in lab.ledger(name)), default=0)
    assert not lab.layout.campaign(name, archived=not is_archived).folder.exists()
    assert record["current_step"] == come
    if is_archived:
        assert record["status"] == "archived"
        return
    resting = "completed" if 0 < edit.goals.get(name, 0) <= come else "paused"
    assert record["status"] == ("active" if name == edit.active else resting)
