"""The quests of the inbox: they stand in the queue behind those of the specs, and need no spec."""

from collections.abc import Mapping, Sequence

import msgspec

from reconciler.desired.desired import Desired
from reconciler.desired.queue import Quest
from reconciler.observed.data_records import InboxFile
from reconciler.observed.facts import Facts
from state.canonical import sha256_of
from state.contract.contents import Finding
from state.contract.orders import RowShape, reading
from state.ids import INBOX, dropped_quest_id
from state.store.rows import InboxRow


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """A quest of the inbox, taken in or about to be."""

    quest: Quest
    source_key: str
    shape: RowShape
    is_here: bool
    """Its file lies in the inbox, whole and right."""


def content_key(digest: str, shape: RowShape) -> str:
    """Return the key of rows that are taken in, read in one way."""
    return sha256_of({"file": digest, "shape": reading(shape)})


def quest_id_of(file: InboxFile) -> str | None:
    """Return which quest a file of the inbox becomes; None while it cannot be taken in."""
    if file.content is None or file.findings:
        return None
    return dropped_quest_id(file.name, file.content.digest)


def dropped_quests(desired: Desired, facts: Facts) -> dict[str, Dropped]:
    """Return what was dropped into the inbox by quest id: first come, first trained.

    What was taken in stands in the order of taking it in, behind it what lies there as it arrived.

    What cannot be trained on stays in the inbox and is no quest.

    A quest of the specs with the same id comes first: then the file stays where it is.
    """
    here = {quest_id_of(file): file for file in facts.inbox.files}
    found = {row.quest_id: _taken(row, is_here=row.quest_id in here) for row in facts.store.inbox}
    for quest_id, file in here.items():
        if quest_id is None or quest_id in found or untrainable(facts, quest_id):
            continue
        if twin_of(facts, file) is None:
            found[quest_id] = _about_to_be(file, quest_id)
    for quest in desired.quests if found else ():
        found.pop(quest.id, None)
    return found


def twin_of(facts: Facts, file: InboxFile) -> str | None:
    """Return the quest of the inbox that has this file's content under another name, if there is one.

    One that was taken in, else the first file of that content: no row is trained twice by mistake.
    """
    if file.content is None:
        return None
    digest, own = file.content.digest, quest_id_of(file)
    known = {row.quest_id for row in facts.store.inbox if row.digest == digest}
    others = (other for other in facts.inbox.files if other.content and other.content.digest == digest)
    first = min(known, default=None) or next((quest_id_of(other) for other in others), None)
    return None if own in known or first == own else first


def untrainable(facts: Facts, quest_id: str) -> tuple[Finding, ...]:
    """Return what keeps a quest from being trained on although the gate lets its rows pass, where known."""
    known = facts.inspections.get(quest_id)
    return tuple(finding for finding in known.findings if finding.is_error) if known else ()


def all_quests(desired: Desired, dropped: Mapping[str, Dropped]) -> tuple[Quest, ...]:
    """Return every quest, in the order of the queue."""
    return (*desired.quests, *(one.quest for one in dropped.values()))


def _taken(row: InboxRow, *, is_here: bool) -> Dropped:
    return Dropped(
        quest=_quest(row.quest_id, row.name),
        source_key=row.source_key,
        shape=msgspec.json.decode(row.shape_json, type=RowShape),
        is_here=is_here,
    )


def _about_to_be(file: InboxFile, quest_id: str) -> Dropped:
    if file.content is None:
        raise AssertionError(f"{file.name} has no content and is to be quest {quest_id}")
    shape = file.content.contract.shape
    key = content_key(file.content.digest, shape)
    return Dropped(quest=_quest(quest_id, file.name), source_key=key, shape=shape, is_here=True)


def _quest(quest_id: str, name: str) -> Quest:
    return Quest(id=quest_id, file=f"{INBOX}/{name}")


def where_of(desired: Desired, quests: Sequence[Quest], place: int) -> str:
    """Return file and line of a quest, by its place in the queue; of a dropped one its place in the inbox."""
    if place < len(desired.quests):
        return desired.quest_where(place)
    return str(quests[place].file)
