"""The world as a file: `observe --out` writes it where the realm is, `plan --facts` plans against it.

So a check of a pull request sees what merging would do without reaching the machine. A snapshot is hostile
input: it is decoded into plain records and only planned against; nothing that it names is opened.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from reconciler.app.planning.in_force import look_in_force
from reconciler.app.planning.look import SeenThere, View, load_commit
from reconciler.app.planning.moved_specs import with_moved_specs
from reconciler.app.planning.snapshot_checks import first_impossible
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed
from reconciler.app.surroundings.here import seen_from_here
from reconciler.app.surroundings.place import Following, Options, head_of
from reconciler.desired.desired import Desired
from reconciler.desired.layers import held_out_of
from reconciler.desired.training import HeldOutFile
from reconciler.observed.data_records import QuestFileFacts
from reconciler.observed.facts import Facts
from reconciler.observed.model_records import ModelFacts
from reconciler.plan.planner import make_plan
from state.contract.contents import Finding
from state.layout import Layout

SCHEMA_VERSION = 1
MAX_BYTES = 512 * 1024 * 1024


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a realm, at one moment."""

    schema_version: int = SCHEMA_VERSION
    realm: str
    root: str
    host: str | None
    """Id of the machine in hosts.yaml."""
    machine: str
    seen_at: str
    specs_commit: str
    """The commit in force when it was looked at."""
    follows: str | None
    """Branch that apply follows."""
    facts: Facts


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """What must be right before the rest is looked at."""

    schema_version: int
    realm: str


def observe(environment: Environment, options: Options) -> Snapshot:
    """Return what is, as the specs in force ask for it.

    Raises:
        SourceError, SpecMistakesError: the specs cannot be read.
    """
    view = look_in_force(environment, options)
    return Snapshot(
        realm=view.desired.realm.spec.id,
        root=str(view.layout.root),
        host=view.desired.here.host,
        machine=environment.host,
        seen_at=view.seen_at,
        specs_commit=view.commit.id,
        follows=view.following.branch if view.following else None,
        facts=view.facts,
    )


def write_snapshot(file: Path, snapshot: Snapshot) -> None:
    """Replace a file by the snapshot, whole."""
    from state.atomic import write_json

    try:
        write_json(file.absolute(), snapshot)
    except OSError as error:
        raise Failed(f"{file}: cannot be written: {error.strerror}") from error


def read_snapshot(file: Path) -> Snapshot:
    """Return a snapshot.

    Raises:
        Failed: the file is missing, too large, no snapshot, or of a newer version.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)  # a device says that it is empty, and never ends
    except OSError as error:
        raise Failed(f"{file}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise Failed(f"{file}: more than {MAX_BYTES >> 20} MiB; this is no snapshot of facts")
    try:
        head = msgspec.json.decode(content, type=_Head)
        if head.schema_version != SCHEMA_VERSION:
            todo = "update it here" if head.schema_version > SCHEMA_VERSION else "write it anew"
            known = f"this software knows {SCHEMA_VERSION}; {todo}"
            raise Failed(f"{file}: of version {head.schema_version}, {known}")
        return msgspec.json.decode(content, type=Snapshot)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        hint = "write it anew: reconcile observe --out FILE"
        raise Failed(f"{file}: no snapshot of facts that this version can read ({error}); {hint}") from error


def look_at_snapshot(environment: Environment, options: Options, snapshot: Snapshot, ref: str) -> View:
    """Return what apply would have done about the specs of a ref when the snapshot was made.

    Raises:
        Failed: it is of another realm, or says what cannot be.
        SourceError, SpecMistakesError: the specs cannot be read.
    """
    commit = head_of(environment, options, ref)
    there = options if options.host else msgspec.structs.replace(options, host=snapshot.host)
    desired = seen_from_here(environment, there, load_commit(environment, commit))
    if desired.realm.spec.id != snapshot.realm:
        specs = f"the specs at {commit.name} are of {desired.realm.spec.id}"
        raise Failed(f"the snapshot is of realm {snapshot.realm}; {specs}")
    if (wrong := first_impossible(snapshot.facts, snapshot.seen_at, environment.now())) is not None:
        raise Failed(f"the snapshot cannot be right: {wrong}; write it anew: reconcile observe --out FILE")
    facts = with_moved_specs(_fitting(desired, snapshot.facts), desired, commit)
    plan = make_plan(desired, facts, specs_commit=commit.id, now=snapshot.seen_at)
    age = datetime.fromisoformat(environment.now()) - datetime.fromisoformat(snapshot.seen_at)
    seen = SeenThere(machine=snapshot.machine, seen_at=snapshot.seen_at, age_seconds=age.total_seconds())
    here = str(commit.top or commit.git_dir)
    return View(
        commit=commit,
        is_worktree=False,
        following=Following(repository=here, branch=snapshot.follows) if snapshot.follows else None,
        uncommitted=(),
        layout=Layout(Path(snapshot.root)),
        desired=desired,
        facts=facts,
        plan=plan,
        seen_at=snapshot.seen_at,
        snapshot=seen,
    )


def _fitting(desired: Desired, facts: Facts) -> Facts:
    """Return the facts without what was seen for other words of the specs; what nobody saw is named so."""
    files = {quest.id: quest.file for quest in desired.quests}
    seen = {name: one for name, one in facts.quest_files.items() if files.get(name) == one.name}
    models = dict(_models(desired, facts))
    held_out = dict(_held_out(desired, facts))
    return msgspec.structs.replace(facts, quest_files=seen, models=models, held_out_files=held_out)


def _held_out(desired: Desired, facts: Facts) -> Iterator[tuple[str, QuestFileFacts]]:
    for name in desired.campaigns:
        wanted = held_out_of(desired, name)
        if isinstance(wanted, HeldOutFile):
            known = facts.held_out_files.get(name)
            yield name, known if known is not None and known.name == wanted.file else _unseen(wanted.file)


def _unseen(name: str) -> QuestFileFacts:
    finding = Finding(
        row=None,
        found="was not looked at when the snapshot was made",
        expected="a snapshot that has it",
        advice="Make one after the merge.",
    )
    return QuestFileFacts(name=name, findings=(finding,))


def _models(desired: Desired, facts: Facts) -> Iterator[tuple[str, ModelFacts]]:
    for name, source in desired.heroes.items():
        wanted = source.spec.model.hf_name
        if wanted is None:
            continue
        known = facts.models.get(name)
        unseen = ModelFacts(name=wanted, missing=("it was not looked for when the snapshot was made",))
        yield name, known if known is not None and known.name == wanted else unseen
