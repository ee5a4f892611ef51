"""From any world that can be generated: apply comes to an end, then there is nothing to do; plan only looks.

Trainers are instant ones (see instant.py); git, files, store, journal and every planner and executor are real.
"""

import hashlib
import json
import os
import shutil
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from instant import InstantTrainers
from lab import Lab, realm, rows, tiny_hero

from reconciler.act.environment import _finds_this_software
from reconciler.act.protocol import Outcome
from reconciler.app.environment import Environment
from reconciler.app.place import Following, Options
from reconciler.app.planning import View, look
from reconciler.app.ticking import Ticker
from reconciler.plan.changes import Blocked, Change
from state import failpoints
from state.contract.status import RunStatus
from state.store.connection import open_writer
from state.store.requests import ask

MOST_TICKS = 40
MAKER = "import sys; open(sys.argv[sys.argv.index('--out') + 1], 'w').write(open('{rows}').read())"
CAMPAIGNS = ("one/campaign-001", "one/campaign-002", "two/campaign-001", "three/campaign-001")
WHO = (*CAMPAIGNS, "one", "two")
UNREADABLE = ("data/missing.jsonl", "data/torn.jsonl")
SUSPEND = {"reason": "a look first"}


class Edit(NamedTuple):
    """What the specs say, in a form that is easily generated."""

    campaigns: list[str]
    active: str | None
    quests: list[dict[str, Any]]
    goals: dict[str, int]
    suspended: str | None
    learning_rate: float


class Trouble(NamedTuple):
    """What happens to the realm from outside, between two commits."""

    damages: list[str]
    requests: list[tuple[str, str]]
    fates: list[str]
    kill_at: int | None


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    campaigns = draw(st.lists(st.sampled_from(CAMPAIGNS), min_size=1, max_size=3, unique=True))
    ids = draw(st.lists(st.sampled_from("abcde"), max_size=4, unique=True))
    known = {*campaigns, *(name.partition("/")[0] for name in campaigns)}
    return Edit(
        campaigns=sorted(campaigns),
        active=draw(st.none() | st.sampled_from(campaigns)),
        quests=[_quest(draw, name, sorted(known & set(WHO))) for name in ids],
        goals={name: draw(st.integers(1, 20)) for name in campaigns if draw(st.booleans())},
        suspended=draw(st.sampled_from([None] * 5 + ["realm", "queue", *campaigns[:1], "hero", "skill"])),
        learning_rate=draw(st.sampled_from([0.001, 0.002])),
    )


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


troubles = st.builds(
    Trouble,
    damages=st.lists(
        st.sampled_from(["pointer", "pointer-torn", "link", "record", "record-torn", "snapshot", "staging",
                         "sidecar", "foreign", "history"]),
        max_size=6,
    ),
    requests=st.lists(st.tuples(st.sampled_from(["pause", "stop", "resume"]), st.sampled_from(CAMPAIGNS)), max_size=2),
    fates=st.lists(st.sampled_from(["well", "lost", "fails", "never"]), max_size=3),
    kill_at=st.none() | st.integers(1, 150),
)  # fmt: skip


class Silent:
    """Hears what apply tells and says nothing."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tick_began(self, view: View) -> None:
        self.told.append(f"{len(view.plan.changes)} changes, blocked: {[b.code for b in view.plan.blocked]}")

    def change_began(self, change: Change) -> None:
        """Nothing."""

    def change_ended(self, outcome: Outcome) -> None:
        self.told.append(f"  {type(outcome.change.action).__name__} {outcome.ok} {outcome.text}")

    def progress(self, campaign: str, status: RunStatus) -> None:
        """Nothing."""

    def notice(self, text: str) -> None:
        self.told.append(text)

    def waits(self, blocked: Blocked) -> None:
        """What time alone removes is no step."""

    def blocked(self, blocked: Blocked) -> None:
        """It is told with the tick."""

    def unblocked(self, subject: str) -> None:
        """Nothing."""

    def settled(self, view: View) -> None:
        self.told.append(f"settled at {view.commit.name}")


class World:
    """A laboratory whose clock moves a second with every tick and whose trainers are instant."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder)
        self.lab.git("init", "-q", "-b", "main")
        self._time = datetime.fromisoformat("2026-01-31T12:00:00+00:00")
        for name in "abcde":
            start = ord(name)
            self.lab.write(f"data/{name}.jsonl", rows(range(start, start + 7)))
        self.lab.write("data/torn.jsonl", rows(range(3)) + '{"messages": [')
        self._maker = self.lab.home / "maker.py"
        self._maker.write_text(MAKER.format(rows=self.lab.repository / "data/a.jsonl"))
        self.environment = Environment(
            cwd=self.lab.repository,
            home=self.lab.home,
            variables={"XDG_CACHE_HOME": str(self.lab.home / "cache")},
            user="kim",
            host="lab",
            now=lambda: self._time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        self.options = Options(root=self.lab.layout.root)

    def commit(self, edit: Edit) -> None:
        """Write the specs anew and commit them."""
        lab = self.lab
        shutil.rmtree(lab.repository / "specs", ignore_errors=True)
        lab.spec("realm", **realm(edit.active, **_suspended(edit, "realm")))
        lab.spec("queue", quests=edit.quests, **_suspended(edit, "queue"))
        command = ["python", "-I", "-S", str(self._maker)]
        lab.spec(
            "skills/copy", id="copy", max_level=3, source={"command": command}, **_suspended(edit, "skill")
        )
        for hero in sorted({name.partition("/")[0] for name in edit.campaigns}):
            lab.spec(
                f"heroes/{hero}",
                **tiny_hero(hero, learning_rate=edit.learning_rate),
                **_suspended(edit, "hero"),
            )
        for name in edit.campaigns:
            goal = {"goal": {"updates": edit.goals[name]}} if name in edit.goals else {}
            lab.spec(f"campaigns/{name}", id=name.partition("/")[2], **goal, **_suspended(edit, name))
        lab.commit()

    def plan(self) -> View:
        """Look and plan, as `reconcile plan` does."""
        return look(self.environment, self.options)

    def apply(self, fates: Sequence[str] = ()) -> int:
        """Tick until nothing is left to do; return the number of ticks."""
        show = Silent()
        with self._ticker(show, InstantTrainers(fates)) as ticker:
            for number in range(1, MOST_TICKS + 1):
                self._time += timedelta(seconds=1)
                if ticker.tick().is_settled:
                    self._check_idle_tick(ticker)
                    return number
        raise AssertionError(f"not settled after {MOST_TICKS} ticks:\n" + "\n".join(show.told[-60:]))

    def _check_idle_tick(self, ticker: Ticker) -> None:
        """One more tick has nothing to do, and writes nothing."""
        before = everything_below(self.lab.folder)
        assert ticker.tick().is_settled
        assert everything_below(self.lab.folder) == before

    def apply_killed(self, fates: Sequence[str], at: int) -> bool:
        """Apply in a child that dies at a failpoint; say whether it came that far."""
        child = os.fork()
        if child == 0:
            code = 2
            try:
                failpoints.arm(at, "kill")
                self.apply(fates)
                code = 0
            except BaseException:  # noqa: BLE001 - a forked child must not run on as a second pytest
                traceback.print_exc()
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, -9), f"the child failed with {code}; see its output"
        return code == -9

    @contextmanager
    def _ticker(self, show: Silent, trainers: InstantTrainers) -> Iterator[Ticker]:
        following = Following(repository=str(self.lab.repository), branch="main")
        with Ticker(
            self.environment, self.lab.layout, following, "flow", threading.Event(), show, trainers
        ) as ticker:
            yield ticker

    def suffer(self, trouble: Trouble) -> None:
        """Let the trouble happen that needs no reconciler."""
        for damage in trouble.damages:
            DAMAGES[damage](self.lab)
        if self.lab.has_store() and trouble.requests:
            store = open_writer(self.lab.layout.store)
            for kind, campaign in trouble.requests:
                ask(store, kind=kind, campaign=campaign, by="kim", why="lunch", at="2026-01-31T12:00:00Z")
            store.close()


def _suspended(edit: Edit, what: str) -> dict[str, Any]:
    return {"suspend": SUSPEND} if edit.suspended == what else {}


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


def _put_foreign(path: Path) -> None:
    """A checkpoint of somebody else: never used, never deleted."""
    (path / "checkpoint-9000").mkdir(exist_ok=True)
    (path / "checkpoint-9000" / "pytorch_model.bin").write_text("theirs")


DAMAGES: dict[str, Callable[[Lab], None]] = {
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


@pytest.fixture(scope="module")
def places() -> Iterator[Path]:
    """Return a folder in memory where there is one: the same calls, and no wait for a disk."""
    memory = Path("/dev/shm")  # noqa: S108
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    _finds_this_software()  # asked once here, so that not every forked child asks
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def check_world(places: Path, edit: Edit, trouble: Trouble, later: Edit | None) -> None:
    folder = Path(tempfile.mkdtemp(dir=places))
    world = World(folder)
    world.commit(edit)
    check_plan_only_looks(world)
    if trouble.kill_at is not None:
        note(f"killed: {world.apply_killed(trouble.fates, trouble.kill_at)}")
        check_plan_only_looks(world)
    world.apply(trouble.fates)
    check_nothing_is_left(world)
    check_books(world.lab, edit)
    world.suffer(trouble)
    check_plan_only_looks(world)
    if trouble.kill_at is not None:
        world.apply_killed((), trouble.kill_at // 4 + 1)
    later = later or edit
    world.commit(later)
    world.apply(trouble.fates[1:])
    check_nothing_is_left(world)
    check_books(world.lab, later)
    assert world.apply() == 1
    shutil.rmtree(folder)


def check_plan_only_looks(world: World) -> bytes:
    """Plan twice: the same bytes, and not a byte or a time of a file has changed."""
    before = everything_below(world.lab.layout.root, world.lab.repository)
    first, second = (msgspec.json.encode(world.plan().plan) for _ in range(2))
    assert first == second
    assert everything_below(world.lab.layout.root, world.lab.repository) == before
    return first


def check_nothing_is_left(world: World) -> None:
    plan = json.loads(check_plan_only_looks(world))
    assert plan["changes"] == []


def check_books(lab: Lab, edit: Edit) -> None:
    """What the specs want is what the realm's files say, and what can be trained is trained."""
    layout, store = lab.layout, lab.store()
    link = str(layout.active_link.readlink()) if layout.active_link.is_symlink() else None
    assert link == edit.active
    assert layout.active_pointer.exists() == (edit.active is not None)
    if edit.active is not None:
        pointer = json.loads(layout.active_pointer.read_bytes())
        assert f"{pointer['hero_id']}/{pointer['campaign_id']}" == edit.active
    for name in edit.campaigns:
        record = json.loads(layout.campaign(name).record.read_bytes())
        come = max((row.step for row in lab.ledger(name)), default=0)
        resting = "completed" if 0 < edit.goals.get(name, 0) <= come else "paused"
        assert record["status"] == ("active" if name == edit.active else resting)
        assert record["current_step"] == come
    held = {row.name for row in store.campaigns if row.hold}
    if edit.active and not edit.suspended and edit.active not in held and edit.active not in edit.goals:
        for quest in edit.quests:
            if edit.active in quest["for"] and quest.get("file") not in UNREADABLE:
                assert lab.status_of(edit.active, quest["id"]) == "completed", quest
    assert not list(layout.root.rglob(".staging-*"))


def everything_below(*folders: Path) -> dict[str, tuple[Any, ...]]:
    """Return kind, times and content of every file and folder."""
    paths = [path for folder in folders if folder.exists() for path in (folder, *folder.rglob("*"))]
    return {str(path): _seen(path) for path in paths}


def _seen(path: Path) -> tuple[Any, ...]:
    status = path.lstat()
    told = status.st_mode, status.st_ino, status.st_mtime_ns, status.st_size
    if path.is_symlink():
        return (*told, str(path.readlink()))
    return (*told, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None)


ANY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@settings(ANY, max_examples=20, derandomize=True, phases=[Phase.generate])
@given(edit=edits(), trouble=troubles, later=st.none() | edits())
def test_after_apply_there_is_nothing_to_do_and_plan_only_looks(
    places: Path, edit: Edit, trouble: Trouble, later: Edit | None
) -> None:
    check_world(places, edit, trouble, later)


def test_two_processes_that_order_their_sets_differently_plan_the_same_bytes(places: Path) -> None:
    world = World(Path(tempfile.mkdtemp(dir=places)))
    quests = [{"id": name, "file": f"data/{name}.jsonl", "for": [*WHO]} for name in "edcba"]
    missing = [{"id": f"m{i}", "file": f"data/m{i}.jsonl"} for i in range(5)]
    world.commit(Edit([*CAMPAIGNS], CAMPAIGNS[0], quests + missing, {}, None, 0.001))

    def planned(hash_seed: str) -> dict[str, Any]:
        world.lab.variables["PYTHONHASHSEED"] = hash_seed
        return {key: value for key, value in world.lab.plan().items() if key != "seen_at"}

    first = planned("1")
    assert len(first["changes"]) > 10
    assert len(first["blocked"]) >= 5
    assert json.dumps(first) == json.dumps(planned("2")) == json.dumps(planned("3"))


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(ANY, max_examples=300)
@given(edit=edits(), trouble=troubles, later=st.none() | edits())
def test_many_more_worlds_converge(places: Path, edit: Edit, trouble: Trouble, later: Edit | None) -> None:
    check_world(places, edit, trouble, later)
