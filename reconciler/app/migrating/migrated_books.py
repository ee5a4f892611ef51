"""After the files of an older root have moved: the store learns of them by the very actions of apply.

Only books are brought up to date: campaigns, ledger, pointer, status files, the archive. Nothing is launched,
fetched or dropped.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from reconciler.act.launcher import LocalLauncher
from reconciler.act.migrating import newest_migration
from reconciler.act.office import enter_office
from reconciler.act.protocol import perform
from reconciler.act.tools import Tools
from reconciler.app.planning.gather import Observer, new_realm_uid
from reconciler.app.planning.look import load_commit
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed
from reconciler.desired.desired import Desired
from reconciler.desired.git_source import resolve
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache
from reconciler.desired.tree import SpecFile, SpecTree, blob_id
from reconciler.plan import actions as a
from reconciler.plan.changes import Plan
from reconciler.plan.planner import make_plan
from state.layout import Layout
from state.migration_record import KEPT, MigrationRecord
from state.moments import in_utc
from state.store.rows import CampaignRow
from state.store.tables import get_meta, put, put_meta, select
from state.store.writer import Writer

_BOOKS = (
    *(a.RegisterCampaign, a.RecordCheckpoint, a.ActivateCampaign, a.ArchiveCampaign, a.WriteCampaignRecord),
    *(a.WritePointer, a.WriteStatusFiles, a.MarkCheckpoint),
)
_MOST_ROUNDS = 8


def tree_of(texts: Mapping[str, str]) -> SpecTree:
    """Return specs that are still nowhere."""
    contents = {path: text.encode() for path, text in texts.items()}
    files = tuple(SpecFile(path=path, blob_id=blob_id(content)) for path, content in sorted(contents.items()))
    return SpecTree(files=files, mistakes=(), read=lambda file: contents[file.path])


def read_tree(tree: SpecTree) -> Desired:
    """Return what specs say.

    Raises:
        SpecMistakesError: holds all their mistakes.
    """
    return load(tree, NoCache())


def bring_up_to_date(environment: Environment, layout: Layout, specs: Path, record: MigrationRecord) -> None:
    """Let the store know of everything that the migration has put in its place.

    Raises:
        Failed: an action failed, or there is no end of them.
    """
    commit = resolve(specs, "HEAD")
    desired = load_commit(environment, commit)
    writer = enter_office(layout, environment.now())
    try:
        _own(writer, record.realm, layout)
        tools = Tools(
            layout=layout, writer=writer, launcher=LocalLauncher(), now=environment.now, boot=environment.boot
        )
        observer = Observer(environment, layout, specs)
        for _ in range(_MOST_ROUNDS):
            facts = observer.facts(desired)
            plan = make_plan(desired, facts, specs_commit=commit.id, now=environment.now())
            if not _perform_books(plan, tools, commit.id):
                return
            _keep_beginnings(writer, layout)
    finally:
        writer.close()
    raise Failed(f"the books of {layout.root} do not come to rest; see reconcile plan --repo {specs}")


def _own(writer: Writer, realm: str, layout: Layout) -> None:
    with writer.transaction() as store:
        if get_meta(store, "realm_id") is None:
            put_meta(store, "realm_id", realm)
            put_meta(store, "realm_uid", new_realm_uid(realm, layout))


def _perform_books(plan: Plan, tools: Tools, commit: str) -> bool:
    """Perform what is about the books; say whether there was any."""
    changes = [change for change in plan.changes if isinstance(change.action, _BOOKS)]
    for outcome in perform(changes, tools, specs_commit=commit):
        if not outcome.ok:
            raise Failed(f"{outcome.change.subject}: {outcome.text}")
    return bool(changes)


def _keep_beginnings(writer: Writer, layout: Layout) -> None:
    """Let each campaign have begun when its older record says so, where that says in which zone."""
    migration = newest_migration(layout.root)
    with writer.transaction() as store:
        for row in select(store, CampaignRow):
            kept = layout.campaign(row.name).record.relative_to(layout.root)
            path = migration.folder / KEPT / kept if migration is not None else None
            began = in_utc(_value(path, "created_at")) if path is not None and path.is_file() else None
            if began is not None and began != row.created_at:
                put(store, [msgspec.structs.replace(row, created_at=began)])


def _value(path: Path, key: str) -> object:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, object]).get(key)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
