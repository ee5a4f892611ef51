"""What an event is about: a campaign under each of its names, one of its runs, or a subject as written."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import apsw
import msgspec

from reconciler.app.surroundings.ground import named_now
from state.store.journal_rows import ActionRow
from state.store.rows import CampaignRow
from state.store.tables import select

_RUN = re.compile(r"(?:run/)?(?P<campaign>[^/@]+/[^/@]+)/(?P<run>g[0-9]+-a[0-9]+)", re.ASCII)
_KINDS = ("campaign/", "run/", "checkpoint/")


class Line(NamedTuple):
    """What a line of the journal says of its subject."""

    number: int
    subject: str
    payload_json: str


class _Called(NamedTuple):
    """The name that a campaign had from one line of the journal on, until another."""

    name: str
    begins: int
    ends: int | None


class _Rename(msgspec.Struct, frozen=True):
    """What a rename in the journal says."""

    campaign: str
    campaign_uid: str
    previous: str


class _OfRun(msgspec.Struct, frozen=True):
    """Which run an action is about."""

    generation: int | None = None
    attempt: int | None = None


Choice = Callable[[Line], bool]


def choice_of(connection: apsw.Connection, about: str | None) -> Choice:
    """Return which lines of the journal are about a thing; None: all.

    A campaign is what its uid says: what was done to it under a former name counts, and nothing that was
    done to another one that has or had its name.

    Raises:
        NotFound: several campaigns had that name, and none has it now.
    """
    if about is None:
        return lambda _line: True
    if (of_run := _RUN.fullmatch(about)) is not None:
        its_campaign = choice_of(connection, of_run["campaign"])
        return lambda line: its_campaign(line) and _run_of(line) == of_run["run"]
    kind = next((kind for kind in _KINDS if about.startswith(kind)), "")
    rows = select(connection, CampaignRow)
    campaign, at, step = named_now(rows, about.removeprefix(kind)).partition("@")
    row = next((row for row in rows if row.name == campaign), None)
    if row is None:
        return lambda line: _is_about(line.subject, about)
    names = list(_names(connection, row))
    return lambda line: any(
        _covers(one, line.number) and _is_about(line.subject, f"{kind}{one.name}{at}{step}") for one in names
    )


def _names(connection: apsw.Connection, row: CampaignRow) -> Iterator[_Called]:
    """Yield the names of a campaign, each with the lines of the journal between which it had it."""
    renames = select(connection, ActionRow, "WHERE kind = 'RenameCampaign' AND state = 'done'")
    said = ((line.number, msgspec.json.decode(line.payload_json, type=_Rename)) for line in renames)
    begins = 0
    for number, rename in said:
        if rename.campaign_uid == row.uid:
            yield _Called(rename.previous, begins, number)
            begins = number
    yield _Called(row.name, begins, None)


def _covers(called: _Called, number: int) -> bool:
    return called.begins <= number and (called.ends is None or number < called.ends)


def _run_of(line: Line) -> str | None:
    """Return the folder of the run that a line is about; None: of none."""
    of = msgspec.json.decode(line.payload_json, type=_OfRun)
    return None if of.generation is None else f"g{of.generation}-a{of.attempt}"


def _is_about(subject: str, about: str) -> bool:
    """Is a subject about this subject, however it is written: campaign/a/b, run/a/b, a/b, a/b@7, quest/x?"""
    bare = subject.partition("/")[2]
    return about in (subject, bare) or subject.startswith(f"{about}/") or bare.startswith(f"{about}@")
