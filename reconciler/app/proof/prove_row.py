"""`prove CHECKPOINT --row FILE:N`: whether and when the row that stands there today was learnt."""

import os
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from reconciler.app.environment import Environment
from reconciler.app.errors import Failed, Misused
from reconciler.app.ground import not_found
from reconciler.app.in_force import look_in_force
from reconciler.app.place import Options
from reconciler.app.planning import View
from reconciler.app.proof.contents import Content, NoContent
from reconciler.app.proof.counting import training_positions
from reconciler.app.proof.lessons import Lesson
from reconciler.app.proof.prove import studied_checkpoint
from reconciler.app.proof.records import Occasion, RowProof
from reconciler.app.proof.study import Studied, Study
from reconciler.app.proof.today import Today, file_of, known_rows, learnt_in_all, look_at, taken_in
from reconciler.desired.queue import Quest
from reconciler.plan.inbox import contracts_of_inbox
from state.contract.quest_rows import QuestFileError, read_quest_bytes
from state.contract.row_contracts import RowContract
from state.contract.sieve import sieve


class _File(NamedTuple):
    """The file that a person means."""

    path: Path
    contract: RowContract
    quest: Quest | None
    """Whose it is."""


def prove_row(environment: Environment, options: Options, checkpoint: str, row: str) -> RowProof:
    """Return when a checkpoint has learnt the row `<file>:<number>`; the file may be a quest's id.

    Raises:
        Misused: this is no name of a checkpoint or of a row.
        NotFound: there is no such checkpoint, file or row.
        Failed: the file cannot be read.
    """
    view = look_in_force(environment, options)
    name, study = studied_checkpoint(view, checkpoint)
    file, number = _asked(environment, view, row)
    today = _today(study, file)
    if not 1 <= number <= len(today.rows):
        raise Misused(f"{file.path} has rows 1 to {len(today.rows):,}, not {number:,}")
    digest, state = today.rows[number - 1], today.states[number - 1]
    if digest is None or state == "invalid":
        raise Failed(f"{file.path}: row {number:,} is none that dataset {file.contract.name} takes")
    before = today.instead_of.get(number - 1)
    return RowProof(
        checkpoint=name,
        digest=digest,
        row=row,
        path=str(file.path),
        state=state,
        occasions=tuple(occasion for one in study.orders for occasion in _occasions(one, digest)),
        num_before_edit=learnt_in_all(study.orders)[before] if before is not None else 0,
        problems=(*study.gaps, *(f"{one.name}: {one.problem}" for one in study.orders if one.problem)),
    )


def _today(study: Study, file: _File) -> Today:
    known = known_rows(study, file.quest.id) if file.quest is not None else ()
    try:
        return look_at(file.path, file.contract, known, learnt_in_all(study.orders), taken_in(study))
    except NoContent as error:
        raise Failed(str(error)) from error


def _asked(environment: Environment, view: View, row: str) -> tuple[_File, int]:
    name, colon, number = row.rpartition(":")
    if not colon or not number.isdecimal() or not name:
        raise Misused(
            f'"{row}" is no row; expected <file>:<number>, counted from 1, such as data/sums.jsonl:20'
        )
    quest = _quest_named(environment, view, name)
    if quest is not None:
        try:
            return _File(*file_of(view, quest), quest), int(number)
        except NoContent as error:
            raise Failed(f"quest {quest.id}: {error}") from error
    path = environment.cwd / name
    if not path.exists():
        raise not_found(
            "file or quest", name, [one.id for one in view.desired.quests if one.file is not None]
        )
    return _File(path, _contract_of(view, path), None), int(number)


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
