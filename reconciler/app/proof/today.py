"""The files of quests as they are today, row by row, against what was learnt."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from reconciler.app.planning.look import View
from reconciler.app.proof.contents import NoContent, rows_of_file
from reconciler.app.proof.records import FileProof
from reconciler.app.proof.spans import by_times, spans_of
from reconciler.app.proof.study import Study, learnt_in_all
from reconciler.desired.queue import Quest
from reconciler.plan.queue.quest_parts import current_parts
from reconciler.plan.queue.quest_sources import said

Rows = Sequence[str | None]
"""Digests of the contents of a file's rows; None: not taken by the contract."""
RowState = Literal["learnt", "held out", "edited", "waiting", "new", "invalid"]


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """A file's rows, and what each is to the checkpoint."""

    rows: Rows
    states: tuple[RowState, ...]
    instead_of: dict[int, str]
    """Index of an edited row → the digest of the row that stood there."""
    num_removed: int


def file_proofs(view: View, study: Study) -> tuple[FileProof, ...]:
    """Return, for each quest of the specs whose file was learnt from, what its rows are now."""
    learnt = learnt_in_all(study.orders)
    quests = {one.quest_id for one in study.orders}
    files = [quest for quest in view.desired.quests if quest.id in quests and quest.file is not None]
    return tuple(_file_proof(view, study, quest, learnt) for quest in files)


def _file_proof(view: View, study: Study, quest: Quest, learnt: Counter[str]) -> FileProof:
    try:
        path, rows = rows_now(view, study, quest)
    except NoContent as error:
        return FileProof(quest=quest.id, file=str(quest.file), problem=str(error))
    today = compared(rows, known_rows(study, quest.id), learnt, taken_in(study))
    return FileProof(
        quest=quest.id,
        file=str(quest.file),
        path=str(path),
        num_rows=len(today.rows),
        times=by_times({i: learnt[row] for i, row in enumerate(today.rows) if row is not None}),
        held_out=_where(today, "held out"),
        new=_where(today, "new"),
        edited=_where(today, "edited"),
        waiting=_where(today, "waiting"),
        invalid=_where(today, "invalid"),
        num_removed=today.num_removed,
    )


def _where(today: Today, state: RowState) -> tuple[tuple[int, int], ...]:
    return spans_of(index for index, one in enumerate(today.states) if one == state)


def rows_now(view: View, study: Study, quest: Quest) -> tuple[Path, Rows]:
    """Return where a quest's file lies, and its rows; None of one that its contract does not take.

    Raises:
        NoContent: it is not there, or cannot be read as a quest.
    """
    seen = view.facts.quest_files.get(quest.id)
    if seen is None or seen.path is None or seen.content is None:
        raise NoContent(said(seen.findings) if seen is not None else f"{quest.file} was not looked at")
    path, contract = Path(seen.path), seen.content.contract
    for one in study.orders:
        if one.content is not None and (one.digest, one.shape) == (seen.sha256, contract.shape):
            return path, one.content.rows  # it is what was taken in, and was read already
    return path, rows_of_file(path, contract)


def known_rows(study: Study, quest_id: str) -> tuple[str, ...]:
    """Return the rows of a quest as they were taken in, part behind part, by who learnt it last."""
    mine = [one for one in study.orders if one.quest_id == quest_id and one.job is not None]
    if not mine:
        return ()
    campaign = mine[-1].campaign
    by_uid = {one.job.uid: one for one in mine if one.job is not None and one.campaign == campaign}
    parts = current_parts(one.job for one in by_uid.values() if one.job is not None)
    contents = (by_uid[job.uid].content for job in parts)
    return tuple(row for content in contents if content is not None for row in content.rows)


def taken_in(study: Study) -> dict[str, bool]:
    """Return row digest → whether its turn comes at all, which it does unless it is held out."""
    found: dict[str, bool] = {}
    for one in study.orders:
        if one.content is None:
            continue
        training = set(one.content.training(one.lessons[-1].drawing))
        for index, row in enumerate(one.content.rows):
            found[row] = found.get(row, False) or index in training
    return found


def compared(rows: Rows, known: Sequence[str], learnt: Counter[str], taken_in: dict[str, bool]) -> Today:
    """Return what the rows of a file are to what was learnt.

    An edited row has a content that was never taken in, and stands where one stood that is nowhere in the
    file any more.
    """
    there = set(rows)
    states: list[RowState] = []
    instead_of: dict[int, str] = {}
    place = -1
    for index, row in enumerate(rows):
        if row is None:
            states.append("invalid")
            continue
        place += 1
        before = known[place] if place < len(known) else None
        is_edited = row not in taken_in and before is not None and before not in there
        if is_edited and before is not None:
            instead_of[index] = before
        states.append("edited" if is_edited else _state(row, learnt, taken_in))
    gone = sum(row not in there for row in known)
    return Today(rows=rows, states=tuple(states), instead_of=instead_of, num_removed=gone - len(instead_of))


def _state(row: str, learnt: Counter[str], taken_in: dict[str, bool]) -> RowState:
    if learnt[row]:
        return "learnt"
    if row not in taken_in:
        return "new"
    return "waiting" if taken_in[row] else "held out"
