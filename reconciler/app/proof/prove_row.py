"""`prove CHECKPOINT --row FILE:N`: whether and when the row that stands there today was learnt."""

import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from reconciler.app.planning.in_force import look_in_force
from reconciler.app.planning.look import View
from reconciler.app.proof.contents import Content, NoContent, rows_of_file
from reconciler.app.proof.counting import training_positions
from reconciler.app.proof.lessons import Lesson
from reconciler.app.proof.prove import studied_checkpoint
from reconciler.app.proof.records import Occasion, RowProof
from reconciler.app.proof.study import Studied, Study, learnt_in_all
from reconciler.app.proof.today import Rows, compared, known_rows, rows_now, taken_in
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed, Misused
from reconciler.app.surroundings.ground import not_found
from reconciler.app.surroundings.place import Options
from reconciler.desired.queue import Quest
from reconciler.plan.queue.quest_sources import contracts_of_inbox
from state.contract.quest_rows import QuestFileError, read_quest_bytes
from state.contract.row_contracts import RowContract
from state.contract.sieve import sieve


class _Asked(NamedTuple):
    """The rows that a person means one of."""

    path: Path
    rows: Rows
    quest_id: str | None
    """Whose they are."""


def prove_row(environment: Environment, options: Options, checkpoint: str, row: str) -> RowProof:
    """Return when a checkpoint has learnt the row `<file>:<number>`; the file may be a quest's id.

    Raises:
        Misused: this is no name of a checkpoint or of a row.
        NotFound: there is no such checkpoint, file or row.
        Failed: the file cannot be read.
    """
    view = look_in_force(environment, options)
    name, study = studied_checkpoint(view, checkpoint)
    asked, number = _asked(environment, view, study, row)
    known = known_rows(study, asked.quest_id) if asked.quest_id is not None else ()
    today = compared(asked.rows, known, learnt_in_all(study.orders), taken_in(study))
    if not 1 <= number <= len(today.rows):
        raise Misused(f"{asked.path} has rows 1 to {len(today.rows):,}, not {number:,}")
    digest, state = today.rows[number - 1], today.states[number - 1]
    if digest is None or state == "invalid":
        why = "why: reconcile validate --data"
        raise Failed(f"{asked.path}: row {number:,} is invalid, and is not taken in; {why}")
    before = today.instead_of.get(number - 1)
    return RowProof(
        checkpoint=name,
        digest=digest,
        row=row,
        path=str(asked.path),
        state=state,
        occasions=as_they_came(
            (occasion for one in study.orders for occasion in _occasions(one, digest)),
            [link.checkpoint for link in reversed(study.chain.links)],
        ),
        num_equal=sum(one == digest for one in today.rows),
        num_before_edit=learnt_in_all(study.orders)[before] if before is not None else 0,
        problems=(*study.gaps, *(f"{one.name}: {one.problem}" for one in study.orders if one.problem)),
    )


def as_they_came(occasions: Iterable[Occasion], checkpoints: Sequence[str]) -> tuple[Occasion, ...]:
    """Return the occasions in the order of the checkpoints, oldest first, and of the steps to each.

    Steps alone do not say it: a campaign that begins with another's checkpoint counts from 0 again.
    """
    places = {name: place for place, name in enumerate(checkpoints)}
    return tuple(
        sorted(
            occasions,
            key=lambda one: (places[one.checkpoint], one.step if one.step is not None else one.after_step),
        )
    )


def _asked(environment: Environment, view: View, study: Study, row: str) -> tuple[_Asked, int]:
    name, colon, number = row.rpartition(":")
    if not colon or not number.isdecimal() or not name:
        raise Misused(
            f'"{row}" is no row; expected <file>:<number>, counted from 1, such as data/sums.jsonl:20'
        )
    return _rows_named(environment, view, study, name), int(number)


def _rows_named(environment: Environment, view: View, study: Study, name: str) -> _Asked:
    """Return the rows of a quest's file, of a quest without one, or of any other file."""
    quest = _quest_named(environment, view, name)
    path = environment.cwd / name
    try:
        if quest is not None:
            return _Asked(*rows_now(view, study, quest), quest.id)
        if (digest := next((one.digest for one in study.orders if one.quest_id == name), None)) is not None:
            return _Asked(view.layout.snapshot(digest), known_rows(study, name), name)
        if path.exists():
            return _Asked(path, rows_of_file(path, _contract_of(view, path)), None)
    except NoContent as error:
        raise Failed(f"{name}: {error}") from error
    quests = {one.quest_id for one in study.orders} | {one.id for one in view.desired.quests if one.file}
    raise not_found("file or quest", name, quests)


def _quest_named(environment: Environment, view: View, name: str) -> Quest | None:
    """Return the quest with this id, or with this file as its spec or the person's own folder names it."""
    real = os.path.realpath(environment.cwd / name)
    for quest in view.desired.quests:
        seen = view.facts.quest_files.get(quest.id)
        if quest.file is not None and (name in (quest.id, quest.file) or (seen and seen.path == real)):
            return quest
    return None


def _contract_of(view: View, path: Path) -> RowContract:
    """Return the one declared shape that fits the rows of a file that is no quest's."""
    try:
        return sieve(read_quest_bytes(path), str(path), contracts_of_inbox(view.desired))[0].contract
    except QuestFileError as error:
        raise Failed(str(error)) from error


def _occasions(one: Studied, digest: str) -> Iterator[Occasion]:
    if one.content is None or one.counted is None:
        return
    for lesson in one.lessons:
        if lesson.is_left_out:
            continue  # taken, and not learnt
        for index in one.content.places.get(digest, ()):
            position = _position(lesson, one.content, index)
            if position is not None and lesson.learnt.start <= position < lesson.learnt.stop:
                yield _occasion(one, lesson, index, position)


def _position(lesson: Lesson, content: Content, index: int) -> int | None:
    """Return where a row stands in the order of a lesson; None when it was held out."""
    training = training_positions(lesson, content)
    place = bisect_left(training, index)
    if place == len(training) or training[place] != index:
        return None
    return lesson.order(len(training)).position_of(place)


def _occasion(one: Studied, lesson: Lesson, index: int, position: int) -> Occasion:
    manifest = lesson.link.manifest
    return Occasion(
        campaign=one.campaign,
        quest=one.quest_id,
        part=one.part,
        row=index + 1,
        epoch=lesson.learnt.epoch + 1,
        step=lesson.update_at(position),
        after_step=manifest.parent_step or 0,
        run=lesson.run.folder,
        checkpoint=lesson.link.checkpoint,
    )
