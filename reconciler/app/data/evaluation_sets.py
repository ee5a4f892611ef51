"""The problems that a skill is examined with: what nothing should be learnt from.

They are what the skill's source makes for each level with the seed of its `evaluation`.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from reconciler.app.surroundings.environment import Environment
from reconciler.desired.desired import Desired
from reconciler.desired.queue import Quest
from reconciler.desired.skill import Skill, examination_command
from state.canonical import sha256_of
from state.contract.inspection import CHECKER_VERSION, Guard, Inspection, InspectRequest
from state.contract.orders import RowShape
from state.kept_answers import KeptAnswers

_KIND = "evaluation-set-3"
_MAX_SECONDS, _MAX_BYTES = 60.0, 64 * 1024 * 1024


class EvaluationSets:
    """What skills are examined with, level by level; made once for each version of the checkers."""

    def __init__(self, environment: Environment, *, is_to_make: bool = True) -> None:
        """`is_to_make`: run the sources of skills for what is not known; else only what is known counts."""
        self._kept = KeptAnswers(environment.cache_folder / "facts")
        self._is_to_make = is_to_make
        self.notes: dict[str, str] = {}
        """Skill → why its problems could not be looked for."""

    def all(self, desired: Desired) -> tuple[Guard, ...]:
        """Return the problems of every skill that says how it is examined."""
        examined = (name for name, source in sorted(desired.skills.items()) if source.spec.evaluation)
        return tuple(guard for name in examined for guard in self._of(desired.skills[name].spec))

    def of_quest(self, desired: Desired, quest: Quest) -> tuple[Guard, ...]:
        """Return what a quest is compared with: of rows that a skill makes, its examination of that level."""
        if quest.skill is None:
            return self.all(desired)
        source = desired.skills.get(quest.skill)
        return tuple(self._of(source.spec, (quest.level,))) if source is not None and quest.level else ()

    def _of(self, skill: Skill, levels: Sequence[int] = ()) -> Iterator[Guard]:
        from reconciler.act.errors import ActionFailed
        from state.contract.quest_rows import QuestFileError

        try:
            asked = skill.evaluation.levels if skill.evaluation else ()
            for level in levels or asked or range(1, skill.max_level + 1):
                command = examination_command(skill, level)
                questions = self._questions(command) if command else None
                if questions is not None:
                    name = f"the evaluation of skill {skill.id}, level {level}"
                    yield Guard(name=name, key=f"{skill.id}-level-{level}", questions=questions)
        except (ActionFailed, QuestFileError, OSError) as error:
            why = f"skill/{skill.id}: its evaluation problems could not be looked for: {error}"
            self.notes[skill.id] = why

    def _questions(self, command: Sequence[str]) -> tuple[str, ...] | None:
        """Return what the problems ask that a command makes; None when that is not known."""
        # A plan asks, too, and must not ask git which software this is: the checkers' version stands for it.
        key = f"{_KIND}\0{sha256_of({'command': list(command), 'checker': CHECKER_VERSION})}"
        if (known := self._kept.get(key)) is not None:
            return msgspec.json.decode(known, type=tuple[str, ...])
        if not self._is_to_make:
            return None
        made = _made(command)
        self._kept.put(key, msgspec.json.encode(made))
        return made


def examined(request: InspectRequest, guards: tuple[Guard, ...]) -> InspectRequest:
    """Return the question whether a file holds what skills are examined with.

    It is one of its own, so that what else is found in the file does not depend on which skills there are.
    """
    return msgspec.structs.replace(request, depth="quick", trained_as=None, guards=guards)


def with_leaks(found: Inspection, examined: Inspection) -> Inspection:
    """Return what was found in a file with the leaks that a look for other guarded rows has met."""
    leaks = tuple(one for one in examined.findings if one.check == "leakage")
    if not leaks:
        return found
    number = found.counts.get("leakage", 0) + examined.counts["leakage"]
    return msgspec.structs.replace(
        found, findings=(*found.findings, *leaks), counts={**found.counts, "leakage": number}
    )


def _made(command: Sequence[str]) -> tuple[str, ...]:
    """Return what the problems ask that a skill's source makes.

    Raises:
        ActionFailed: it could not be run.
        QuestFileError: what it wrote are no rows.
    """
    import tempfile  # a plan remembers, and loads nothing to run commands with

    from reconciler.act.commands import Bounds, run_command
    from state.contract.quest_rows import read_quest_bytes, rows

    bounds = Bounds(seconds=_MAX_SECONDS, file_bytes=_MAX_BYTES)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "problems.jsonl"
        asked = [*command, "--out", str(out)]
        run_command(asked, cwd=Path(os.sep), bounds=bounds, interrupted=lambda: False)
        read = rows(read_quest_bytes(out), "the problems", RowShape())
        return tuple(" ".join(m.content for m in row.messages if m.role == "user") for row in read)
