"""Where copies of checkpoints may lie outside the root: places that the specs name, and those of the sagas.

A saga tells each copy that was ever made, so a place that the specs no longer name is asked, too.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from reconciler.app.planning.in_force import earlier_commits
from reconciler.app.planning.look import load_commit
from reconciler.app.rebuilding.campaign_folders import CampaignFolder
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed
from reconciler.app.surroundings.place import (
    Options,
    about_the_root,
    followed_commit,
    head_of,
    read_following,
)
from reconciler.desired.desired import Desired
from reconciler.desired.git_process import SourceError
from reconciler.desired.git_source import Commit
from reconciler.desired.mistakes import SpecMistakesError
from state.formats import decode_record
from state.inside import InTheWay, open_file
from state.layout import Layout
from state.store.rows import CopyKind

_COPIED = re.compile(
    r" in (/.+?)(/[^/]+/[^/]+/(?:segments/\d+/)?checkpoint-\d+), read back and as saved", re.ASCII
)
"""How `act/copying` says what it made."""


class NamedPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """What the specs say of copies outside the root."""

    kinds: dict[str, CopyKind] = {}
    """Folder, absolute → why copies are made there."""
    acknowledged: frozenset[str] = frozenset()
    """Checkpoints that a person has acknowledged to be lost."""
    problem: str | None = None
    """Why the specs could not be read; then nothing is known of what they name."""


def places_in_specs(environment: Environment, options: Options, layout: Layout) -> NamedPlaces:
    """Return the places that the newest readable specs name: those that apply follows, else those here."""
    problems: list[str] = []
    for commit in _heads(environment, options, layout, problems):
        for one in (commit, *earlier_commits(commit)):
            try:
                return _named(load_commit(environment, one))
            except (SourceError, SpecMistakesError) as error:
                problems.append(str(error).partition("\n")[0])
    return NamedPlaces(problem=problems[0] if problems else "no commit says them")


def _heads(
    environment: Environment, options: Options, layout: Layout, problems: list[str]
) -> Iterator[Commit]:
    try:
        if (following := read_following(layout)) is not None:
            yield followed_commit(following, layout)
    except (Failed, SourceError) as error:
        problems.append(str(error).partition("\n")[0])
    try:
        yield head_of(environment, about_the_root(environment, options))
    except (Failed, SourceError) as error:
        problems.append(str(error).partition("\n")[0])


def _named(desired: Desired) -> NamedPlaces:
    kinds: dict[str, CopyKind] = {}
    retention = desired.retention.spec if desired.retention is not None else None
    if retention is not None and retention.archive is not None:
        kinds[retention.archive.to.rstrip("/")] = "archive"
    for to in retention.copies.to if retention is not None and retention.copies is not None else ():
        kinds.setdefault(to.rstrip("/"), "copy")
    for source in desired.campaigns.values():
        if source.spec.export_to is not None:
            kinds.setdefault(source.spec.export_to.rstrip("/"), "export")
    acknowledged = retention.acknowledged_losses if retention is not None else ()
    return NamedPlaces(kinds=kinds, acknowledged=frozenset(acknowledged))


def copies_in_sagas(campaigns: Iterable[CampaignFolder]) -> Iterator[tuple[str, str]]:
    """Yield each copy that was ever made, as the sagas tell it: the place, and the copy's folder."""
    for campaign in campaigns:
        for line in _lines(campaign.places.saga):
            if b'"copied"' in line and (match := _COPIED.search(_what(line))):
                yield match[1], match[1] + match[2]


def _lines(saga: Path) -> Iterator[bytes]:
    try:
        with os.fdopen(open_file(saga), "rb") as file:
            yield from file
    except (OSError, InTheWay):
        return  # it is derived: what it told is in no copy of the store either, or there too


def _what(line: bytes) -> str:
    try:
        said = decode_record(line)
    except ValueError:
        return ""  # torn
    return str(said.get("what")) if said.get("event") == "copied" else ""
