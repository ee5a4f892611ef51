"""`events`: everything that apply did or tried, one record each, from the store's journal; and what comes."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from reconciler.app.looking.event_subjects import Line, choice_of
from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import NotFound
from reconciler.app.surroundings.place import Options
from reconciler.app.surroundings.realm_store import check_store_is_there
from reconciler.plan import actions
from reconciler.plan.sentences import sentence_of
from state.store.connection import open_reader
from state.store.journal_rows import ActionRow
from state.store.tables import select

POLL_SECONDS = 0.3


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that apply did, or tried."""

    schema_version: int = 1
    number: int
    """Grows with everything that is begun: `--since` takes it."""
    at: str
    """When it ended, in UTC."""
    result: Literal["done", "failed"]
    action: str
    verb: str
    """What the plan calls it: launch, drop, pause ..."""
    thing: str
    """What it was done to, as the plan names it."""
    subject: str
    reason: str
    cause: str
    """The line of a spec, the command of a person, or the fact, that made it necessary."""
    outcome: str | None
    specs_commit: str
    change: str
    """The id that the change has in `plan --json`."""
    plan: str | None = None
    """Digest of the plan that it was a change of, as `plan --json` says it; null of an older version's."""
    asked_by: str | None = None
    """Whose request it answers."""
    why: str | None = None
    """What they gave as their reason."""


def events_of(environment: Environment, options: Options) -> Path:
    """Return the store that remembers what was done.

    Raises:
        NotFound: nothing was applied.
        StoreDamaged: the store is gone.
    """
    layout = layout_of(environment, options)
    check_store_is_there(layout)
    if not layout.store.exists():
        raise NotFound(f"nothing has been applied yet: there is no realm at {layout.root}")
    return layout.store


def read_events(
    store: Path, *, about: str | None = None, since: int = 0, last: int | None = None
) -> list[Event]:
    """Return what ended after a number, about a subject or whatever stands below it, oldest first."""
    found = [_event(row) for row in _about(store, _ended(store, since), about)]
    return found if last is None else found[len(found) - min(last, len(found)) :]


def follow(
    store: Path,
    *,
    about: str | None = None,
    since: int = 0,
    last: int | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Yield what ended, and whatever ends from now on, each once."""
    found = read_events(store, since=since)
    seen = found[-1].number if found else since
    yield from read_events(store, about=about, since=since, last=last)
    while not is_over():
        fresh = _ended(store, seen)
        yield from (_event(row) for row in _about(store, fresh, about))
        seen = fresh[-1].number if fresh else seen
        if not fresh:
            time.sleep(POLL_SECONDS)


def numbers_about(store: Path, about: str | None) -> list[int]:
    """Return the numbers of all that was begun about a subject, or at all, oldest first."""
    with open_reader(store) as connection:
        rows = connection.execute("SELECT number, subject, payload_json FROM actions ORDER BY number")
        lines, is_about = [Line(*row) for row in rows], choice_of(connection, about)
    return [line.number for line in lines if is_about(line)]


def _ended(store: Path, since: int) -> tuple[ActionRow, ...]:
    """Return what ended after a number, up to what is still at work: that is told in its turn."""
    with open_reader(store) as connection:
        rows = select(connection, ActionRow, "WHERE number > ?", since)
    return tuple(itertools.takewhile(lambda row: row.state != "intent", rows))


def _about(store: Path, rows: Sequence[ActionRow], about: str | None) -> Sequence[ActionRow]:
    """Return those that are about a thing; names are looked up anew each time, as they may change."""
    if about is None or not rows:
        return rows
    with open_reader(store) as connection:
        is_about = choice_of(connection, about)
    return [row for row in rows if is_about(Line(row.number, row.subject, row.payload_json))]


def _event(row: ActionRow) -> Event:
    payload = msgspec.json.decode(row.payload_json, type=dict[str, object])
    verb, thing = _words(row)
    by, why = payload.get("asked_by"), payload.get("why")
    return Event(
        number=row.number,
        at=row.ended_at or row.begun_at,
        result="done" if row.state == "done" else "failed",
        action=row.kind,
        verb=verb,
        thing=thing,
        subject=row.subject,
        reason=row.reason,
        cause=row.cause,
        outcome=row.outcome,
        specs_commit=row.specs_commit,
        change=row.id,
        plan=row.plan_digest,
        asked_by=by if isinstance(by, str) else None,
        why=why if isinstance(by, str) and isinstance(why, str) else None,
    )


def _words(row: ActionRow) -> tuple[str, str]:
    """Return verb and thing as the plan says them; of an action of another version what the row says."""
    kind = getattr(actions, row.kind, None)
    try:
        sentence = sentence_of(msgspec.json.decode(row.payload_json, type=kind))
    except (msgspec.DecodeError, KeyError, TypeError):
        return "".join(
            f" {char.lower()}" if char.isupper() else char for char in row.kind
        ).strip(), row.subject
    return sentence.verb, sentence.subject
