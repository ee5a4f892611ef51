"""`migrate`: an older root becomes a root of this software, with a specs repository of its own; and back."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from reconciler.act.errors import ActionFailed
from reconciler.act.migrating import Migration, carry_out, newest_migration, take_back, with_traces
from reconciler.app.committing.init import make_repository
from reconciler.app.migrating.migrated_books import bring_up_to_date, read_tree, tree_of
from reconciler.app.migrating.migrated_specs import NewHero, base_texts, hero_of_config, spec_texts
from reconciler.app.planning.gather import new_realm_uid
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed, Misused, NotFound
from reconciler.desired.base import ID_WORDS
from reconciler.desired.mistakes import SpecMistakesError, nearest_name
from reconciler.observed.older_records import OlderRoot
from reconciler.observed.older_roots import observe_older_root
from reconciler.plan.migrating.older_root import Decision, Wish, decide
from reconciler.plan.migrating.steps import derived_of, names_of, not_taken_in, steps_of
from state.atomic import rename_noreplace
from state.contract.files import ContractError
from state.ids import is_id
from state.inside import stay_inside
from state.layout import STAGING_PREFIX, Layout
from state.lock import hold_lock
from state.migration_record import MigrationRecord, Step, TakeIn

MESSAGE = "The specs of an older root"
Tell = Callable[[Step], None]


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """What a migration does, did, or took back."""

    schema_version: int = 1
    root: str
    state: str
    """planned, applied, undone."""
    realm: str
    specs: str
    active: str | None
    campaigns: tuple[str, ...]
    steps: tuple[Step, ...]
    specs_files: Mapping[str, str] = {}
    refusals: tuple[str, ...] = ()
    """Why it cannot be applied; each with what to do."""
    notes: tuple[str, ...] = ()


class _Prepared(msgspec.Struct, frozen=True, kw_only=True):
    older: OlderRoot
    decision: Decision
    texts: Mapping[str, str]
    record: MigrationRecord
    notes: tuple[str, ...]
    refusals: tuple[str, ...]


def plan_migration(
    environment: Environment, root: Path, wish: Wish, *, specs: Path | None = None, realm: str | None = None
) -> Migrated:
    """Return what a migration of the root would do. Writes nothing.

    Raises:
        NotFound: the root is not there.
        Misused: the realm's id is none.
        Failed: the record of an earlier migration is damaged.
    """
    root = _root(environment, root)
    begun = newest_migration(root)
    if begun is not None and (record := _record(begun)).state != "undone":
        hint = "it is done; take it back with --undo" if record.state == "applied" else "go on with --apply"
        return _told(
            root, record, record.state, notes=(f"the migration {begun.folder} is {record.state}: {hint}",)
        )
    found = _prepare(environment, root, wish, specs, realm)
    return _told(root, found.record, "planned", found.texts, found.notes, found.refusals)


def apply_migration(
    environment: Environment,
    root: Path,
    wish: Wish,
    *,
    specs: Path | None = None,
    realm: str | None = None,
    tell: Tell,
) -> Migrated:
    """Migrate the root, or go on with a migration that was cut short.

    Raises:
        NotFound: the root is not there.
        Blocked: the root is refused, in words; or another process holds its lock.
        Failed: a step failed; the same command goes on from there.
    """
    root = _root(environment, root)
    begun = newest_migration(root)
    record = _record(begun) if begun is not None else None
    if begun is not None and record is not None and record.state == "undoing":
        raise Blocked(
            f"{begun.folder}: an undo was cut short; finish it first: reconcile migrate {root} --undo"
        )
    if begun is not None and record is not None and record.state == "applied":
        return _told(root, record, "applied", notes=("it was migrated before; nothing was done",))
    notes: tuple[str, ...] = ()
    if begun is None or record is None or record.state == "undone":
        found = _prepare(environment, root, wish, specs, realm)
        if found.refusals:
            raise Blocked("\n".join((f"{root} is not migrated:", *(f"  {one}" for one in found.refusals))))
        texts, record, notes = found.texts, found.record, found.notes
        begun = Migration(root=root, number=begun.number + 1 if begun is not None else 1)
    else:
        texts = {}
    with _alone(environment, root), _in_words(root):
        _go_on(environment, begun, record, texts, tell)
    return _told(root, record, "applied", notes=notes)


def undo_migration(environment: Environment, root: Path, *, tell: Tell) -> Migrated:
    """Bring a migrated root back to what it was.

    Raises:
        NotFound: the root is not there.
        Blocked: it was not migrated, or something was trained since.
        Failed: a step failed; the same command goes on from there.
    """
    root = _root(environment, root)
    begun = newest_migration(root)
    record = _record(begun) if begun is not None else None
    if begun is None or record is None or record.state == "undone":
        raise Blocked(f"{root}: there is no migration to take back")
    with _alone(environment, root), _in_words(root):
        if record.state == "applied":
            _refuse_trained(root, record)
        begun.write(msgspec.structs.replace(record, state="undoing"))
        take_back(begun, tell)
        begun.write(msgspec.structs.replace(record, state="undone"))
    aside = begun.folder.relative_to(root)
    notes = (
        f"the specs repository {record.specs} stays; delete it if nothing in it is yours",
        f"what was written here since lies in {aside}; delete it if you do not need it",
    )
    return _told(root, record, "undone", notes=notes)


def _root(environment: Environment, given: Path) -> Path:
    root = (environment.cwd / given).resolve()
    if os.path.lexists(root):
        return root
    beside = root.parent.iterdir() if root.parent.is_dir() else ()
    near = nearest_name(root.name, (one.name for one in beside if one.is_dir()))
    meant = f'; did you mean "{root.with_name(near)}"?' if near else ""
    raise NotFound(f"{root} is not there{meant}")


def _go_on(
    environment: Environment,
    migration: Migration,
    record: MigrationRecord,
    texts: Mapping[str, str],
    tell: Tell,
) -> None:
    if texts:
        record = with_traces(migration.root, record)
        _write_texts(migration, texts)
        migration.write(record)
    record = migration.read()
    if record.state == "applying":
        carry_out(migration, tell)
        record = msgspec.structs.replace(record, state="recording")
        migration.write(record)
    specs = Path(record.specs)
    _make_specs(environment, migration, specs, record.realm)
    bring_up_to_date(environment, Layout(migration.root), specs, record)
    migration.write(msgspec.structs.replace(record, state="applied"))


def _write_texts(migration: Migration, texts: Mapping[str, str]) -> None:
    """Keep the specs that are to be made, so that a migration that goes on makes the same ones."""
    from state.atomic import ensure_folder, write_json

    ensure_folder(migration.folder)
    write_json(migration.folder / "specs.json", dict(texts))


def _make_specs(environment: Environment, migration: Migration, specs: Path, realm: str) -> None:
    """Make the specs repository under a name of its own, then give it its real one."""
    if (specs / ".git").exists():
        return
    staging = specs.with_name(f"{STAGING_PREFIX}{specs.name}")
    shutil.rmtree(staging, ignore_errors=True)
    texts = msgspec.json.decode((migration.folder / "specs.json").read_bytes(), type=dict[str, str])
    make_repository(
        environment, staging, realm, {path: text.encode() for path, text in texts.items()}, MESSAGE
    )
    rename_noreplace(staging, specs)


def _prepare(
    environment: Environment, root: Path, wish: Wish, specs: Path | None, realm: str | None
) -> _Prepared:
    older = observe_older_root(root)
    name = _realm_id(root, realm)
    folder = (
        (environment.cwd / specs).resolve() if specs is not None else root.with_name(f"{root.name}-specs")
    )
    new = hero_of_config(older) if not older.heroes else None
    heroes, mistakes = _heroes(older, new)
    decision = decide(older, wish, heroes, _hero_of_root(older, heroes, new))
    texts, told = spec_texts(older, decision, name, heroes, new)
    steps = steps_of(older, decision, new_realm_uid(name, Layout(root)))
    record = MigrationRecord(
        state="applying",
        realm=name,
        specs=str(folder),
        active=decision.active,
        campaigns=names_of(decision),
        steps=steps,
        derived=derived_of(decision, steps),
    )
    refusals = [*decision.refusals, *mistakes, *_wrong_specs_folder(folder)]
    if not refusals:
        refusals += _mistakes(texts)
    notes = (*decision.notes, *told, *not_taken_in(decision, steps), *_beside(older))
    return _Prepared(
        older=older, decision=decision, texts=texts, record=record, notes=notes, refusals=tuple(refusals)
    )


def _hero_of_root(older: OlderRoot, heroes: Mapping[str, Any], new: NewHero | None) -> str | None:
    """Return the hero of a root without campaigns: the only one there is, or the one of its config.json."""
    if new is not None:
        return new.id
    return next(iter(heroes)) if len(heroes) == 1 and not older.campaigns else None


def _heroes(older: OlderRoot, new: NewHero | None) -> tuple[Mapping[str, Any], list[str]]:
    """Return the heroes as they are read, and what is wrong with their files."""
    try:
        desired = read_tree(tree_of({"specs/realm.yaml": "id: older\n", **dict(base_texts(older, new))}))
    except SpecMistakesError as error:
        return {}, [f"configs/{text.removeprefix('specs/')}" for text in str(error).splitlines()]
    return {name: source.spec for name, source in desired.heroes.items()}, []


def _mistakes(texts: Mapping[str, str]) -> list[str]:
    try:
        read_tree(tree_of(texts))
    except SpecMistakesError as error:
        return [f"the specs that it would become have mistakes: {error}"]
    return []


def _beside(older: OlderRoot) -> Iterator[str]:
    if older.queued:
        yield f"{len(older.queued):,} files wait in queue/: they stand as comments in specs/queue.yaml"
    if older.num_dropped:
        yield f"{older.num_dropped:,} files lie in inbox/: the first apply takes them in and trains them"
    yield "there is no specs/retention.yaml: nothing is dropped until you write one"


def _wrong_specs_folder(folder: Path) -> Iterator[str]:
    if os.path.lexists(folder):
        yield f"{folder} is there already; say where the specs repository goes: --specs DIR"


def _realm_id(root: Path, given: str | None) -> str:
    name = given if given is not None else _slug(root.name)
    if not is_id(name):
        raise Misused(f'"{name}" cannot be the id of a realm; expected {ID_WORDS}; give one: --id NAME')
    return name


def _slug(name: str) -> str:
    import re

    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:40].strip("-.")


def _record(migration: Migration) -> MigrationRecord:
    try:
        return migration.read()
    except ContractError as error:
        raise Failed(f"{error}; nothing was done") from error


def _refuse_trained(root: Path, record: MigrationRecord) -> None:
    """Refuse to take back what something was built on."""
    from reconciler.app.surroundings.realm_store import read_store

    try:
        store = read_store(Layout(root))
    except FileNotFoundError:
        return
    taken = {(step.campaign, step.step) for step in record.steps if isinstance(step, TakeIn)}
    names = {row.uid: row.name for row in store.campaigns}
    later = [f"{names[row.campaign_uid]}@{row.step}" for row in store.ledger]
    later = [one for one in later if (one.partition("@")[0], int(one.partition("@")[2])) not in taken]
    if store.runs or later:
        what = f"checkpoint {later[-1]}" if later else f"run {names[store.runs[-1].campaign_uid]}"
        raise Blocked(f"{root} has gone on since it was migrated ({what}): it is not taken back")


@contextmanager
def _alone(environment: Environment, root: Path) -> Iterator[None]:
    """Hold the root's lock: no reconciler works there meanwhile."""
    stay_inside(root)
    with hold_lock(Layout(root).lock, command="reconcile migrate", since=environment.now()):
        yield


@contextmanager
def _in_words(root: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ActionFailed, ContractError) as error:
        raise Failed(f"{error}; run the same command again: it goes on from there ({root})") from error


def _told(
    root: Path,
    record: MigrationRecord,
    state: str,
    texts: Mapping[str, str] | None = None,
    notes: tuple[str, ...] = (),
    refusals: tuple[str, ...] = (),
) -> Migrated:
    return Migrated(
        root=str(root),
        state=state,
        realm=record.realm,
        specs=record.specs,
        active=record.active,
        campaigns=record.campaigns,
        steps=record.steps,
        specs_files=texts or {},
        refusals=refusals,
        notes=tuple(dict.fromkeys(notes)),
    )
