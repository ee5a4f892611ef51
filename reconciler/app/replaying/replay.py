"""`replay CHECKPOINT`: make it again from its parent, compare, and put it back if it was deleted."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import msgspec

from reconciler.act.launcher import LocalLauncher
from reconciler.act.office import enter_office
from reconciler.act.tools import Tools
from reconciler.app.asking.answers import INSTALL, missing_libraries
from reconciler.app.looking.checkpoint_named import checkpoint_named
from reconciler.app.looking.items import CheckpointItem
from reconciler.app.planning.in_force import look_in_force
from reconciler.app.planning.look import View
from reconciler.app.proof.chain import Chain, Link, chain_of
from reconciler.app.replaying.laps import NoWay, Way, way_to
from reconciler.app.replaying.putting_back import lies_whole, put_back
from reconciler.app.replaying.records import Replay
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed, NotFound
from reconciler.app.surroundings.place import Options
from reconciler.observed.checkpoints import verify_contents
from reconciler.provenance import code_version
from state.atomic import ensure_folder, write_json
from state.contract.files import read
from state.contract.manifest import MANIFEST_NAME
from state.contract.replay import ANSWER_NAME, ReplayAnswer, ReplayRequest
from state.ids import checkpoint_folder
from state.inside import stay_inside
from state.layout import STAGING_PREFIX, Layout
from state.links import take_over_file
from state.lock import hold_lock
from state.store.rows import LedgerRow

_LOG_NAME = "replay.log"
_LINES = 3
"""Of the log's end, told when the trainer died."""


def replay(
    environment: Environment,
    options: Options,
    checkpoint: str,
    *,
    device: str | None,
    restore: bool,
    lock_timeout_seconds: float,
) -> Replay:
    """Make `<hero>/<campaign>@<step>`, `@latest` or `@best` again and compare it with what was recorded.

    `device`: another one than it was made on. `restore`: put it back where it lay, if it came out the same.

    Raises:
        Misused: this is no name of a checkpoint.
        NotFound: there is no such checkpoint, or the store has no record of how it was made.
        LockHeld: apply runs on this root.
        Failed: the trainer's libraries are not installed, or its process died.
    """
    missing = missing_libraries()
    if missing:
        raise Failed(f"{', '.join(missing)} not installed here, so nothing can be trained; {INSTALL}")
    view = look_in_force(environment, options)
    item = checkpoint_named(view, checkpoint)
    chain = chain_of(view, item.digest or "")
    if not chain.links:
        raise NotFound(f"there is no record of how {item.id} was made: it is {item.state}")
    held = hold_lock(
        view.layout.lock,
        command=f"reconcile replay {item.id}",
        since=environment.now(),
        timeout_seconds=lock_timeout_seconds,
    )
    stay_inside(view.layout.root)
    with held, _office(environment, view.layout) as tools, _scratch(view.layout) as folder:
        told = _replayed(environment, view, item, chain, folder, device)
        if restore and told.verdict == "same":
            made = folder / "checkpoints" / checkpoint_folder(item.step or 0)
            told = msgspec.structs.replace(told, put_back=_restored(environment, tools, view, item, made))
    return told


@contextmanager
def _office(environment: Environment, layout: Layout) -> Iterator[Tools]:
    """Be the one writer; what a kill left, an earlier replay too, is swept."""
    with closing(enter_office(layout, environment.now())) as writer:
        yield Tools(
            layout=layout, writer=writer, launcher=LocalLauncher(), now=environment.now, boot=environment.boot
        )


@contextmanager
def _scratch(layout: Layout) -> Iterator[Path]:
    """Give a folder on the checkpoints' file system; a kill leaves it to the next office."""
    folder = layout.trash / f"{STAGING_PREFIX}replay-{uuid4().hex[:12]}"
    ensure_folder(folder / "checkpoints")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replayed(
    environment: Environment,
    view: View,
    item: CheckpointItem,
    chain: Chain,
    folder: Path,
    device: str | None,
) -> Replay:
    wanted = chain.links[0]
    told = Replay(
        checkpoint=item.id,
        digest=wanted.manifest.digest,
        made_from="",
        num_checkpoints=0,
        verdict="cannot",
    )
    try:
        way = way_to(view, chain, folder / "checkpoints", device)
    except NoWay as error:
        at = error.checkpoint if error.checkpoint != wanted.checkpoint else None
        return msgspec.structs.replace(told, why=error.why, differs_at=at)
    answer = _ask(environment, view.layout, way, folder)
    if answer.verdict == "cannot" and (damaged := _damaged(way)) is not None:
        answer = msgspec.structs.replace(answer, why=damaged)
    at = f"{wanted.manifest.campaign}@{answer.step}"
    return msgspec.structs.replace(
        told,
        made_from=way.start.checkpoint if way.start else "the first weights",
        num_checkpoints=len(way.laps),
        verdict=answer.verdict,
        made_digest=answer.digest,
        differs_at=at if answer.verdict != "same" and answer.step != wanted.manifest.step else None,
        why=answer.why,
        differences=answer.differences,
        notes=(*_other_code(way), *answer.notes),
    )


def _damaged(way: Way) -> str | None:
    """Say which checkpoint that the way begins with is damaged: the trainer knows it by its copy's path."""
    for link in (way.start, way.base):
        if link is not None and (wrong := verify_contents(Path(str(link.path)), link.manifest)):
            return (
                f"it is made from {link.checkpoint}, which is damaged: {'; '.join(wrong)}; "
                f"reconcile scrub {link.checkpoint}, then reconcile apply sets that one aside; after that "
                "this one is made from an earlier one"
            )
    return None


def _other_code(way: Way) -> Iterator[str]:
    """Yield by which code the checkpoints were made, where it is not this one."""
    here = code_version()
    for version in dict.fromkeys(lap.manifest.code_version for lap in way.laps):
        if version != here:
            yield f"made by code {version}, made again by {here}"


def _ask(environment: Environment, layout: Layout, way: Way, folder: Path) -> ReplayAnswer:
    """Let a process of the trainer go the way.

    Raises:
        Failed: it died without an answer.
    """
    import subprocess

    from reconciler.act.environment import child_environment

    for link in (way.start, way.base):
        if link is not None:
            _lay(link, folder / "checkpoints")
    request = ReplayRequest(
        trainer_lock=str(layout.trainer_lock), folder=str(folder), data=way.data, laps=way.laps
    )
    write_json(folder / "request.json", request)
    signal.signal(signal.SIGTERM, _leave)  # the trainer goes with us: it would hold its lock, unseen
    with (folder / _LOG_NAME).open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-m", "trainer", "replay", "--request", str(folder / "request.json")],
            env=child_environment(environment.variables),
            cwd=os.sep,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    try:
        return read(folder / ANSWER_NAME, ReplayAnswer)
    except FileNotFoundError:
        lines = (folder / _LOG_NAME).read_text("utf-8", "replace").strip().splitlines()[-_LINES:]
        ended = f"ended with {done.returncode}: {' / '.join(lines) or 'it said nothing'}"
        raise Failed(f"the trainer {ended}") from None


def _leave(number: int, _frame: object) -> None:
    """Leave by an exception, on which a started process is ended and the scratch folder removed."""
    raise SystemExit(128 + number)


def _lay(link: Link, checkpoints: Path) -> None:
    """Lay the ancestor where the trainer resumes from, as a second name of its frozen files."""
    source = Path(str(link.path))
    target = checkpoints / checkpoint_folder(link.manifest.step)
    ensure_folder(target)
    for name in (*(entry.path for entry in link.manifest.files), MANIFEST_NAME):
        take_over_file(source / name, target / name)


def _restored(environment: Environment, tools: Tools, view: View, item: CheckpointItem, made: Path) -> str:
    """Put back what does not lie whole in its place; say what was done, or why nothing was."""
    row = _ledger_row(view, item)
    if row is None:
        return "nothing: the ledger does not know it yet; the next reconcile apply records it"
    stone = view.facts.tombstone(row)
    if stone is not None and stone.is_campaign:
        return f"nothing: its campaign is deleted; first: reconcile undelete {stone.campaign}"
    if stone is not None and stone.state != "purged":
        return f"nothing: it lies in the trash; reconcile undelete {item.id} takes it back"
    if stone is None and lies_whole(tools.layout.root / row.path, row.digest):
        return "nothing: it lies in its place, every byte as it was saved"
    return put_back(environment, tools, item.id.partition("@")[0], row, stone, made)


def _ledger_row(view: View, item: CheckpointItem) -> LedgerRow | None:
    rows = (row for row in view.facts.store.ledger if row.digest == item.digest)
    return max(rows, key=lambda row: row.sequence, default=None)
