"""The problems that a skill is examined with: what nothing should be learnt from.

They are what the skill's source makes for each level with the seed of its `evaluation`.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from reconciler.act.commands import Bounds, run_command
from reconciler.act.errors import ActionFailed
from reconciler.app.environment import Environment
from reconciler.desired.desired import Desired
from reconciler.desired.skill import Skill
from reconciler.provenance import ProvenanceUnknown, code_version
from state.canonical import sha256_of
from state.contract.inspection import Guard, Inspection
from state.contract.orders import RowShape
from state.contract.quest_rows import QuestFileError, read_quest_bytes, rows
from state.kept_answers import KeptAnswers

_KIND = "evaluation-set-1"
_SAMPLES_PER_LEVEL = 5
_BOUNDS = Bounds(seconds=60.0, file_bytes=64 * 1024 * 1024)


def evaluation_guards(
    environment: Environment, desired: Desired
) -> tuple[tuple[Guard, ...], tuple[str, ...]]:
    """Return the problems of every skill that says how it is examined, and why some are missing."""
    guards: list[Guard] = []
    notes: list[str] = []
    kept = KeptAnswers(environment.cache_folder / "facts")
    for name, source in sorted(desired.skills.items()):
        if source.spec.evaluation is None or source.spec.source is None:
            continue
        try:
            guards += _guards_of(source.spec, kept)
        except (ActionFailed, QuestFileError, ProvenanceUnknown, OSError) as error:
            notes.append(f"skill/{name}: its evaluation problems could not be looked for: {error}")
    return tuple(guards), tuple(notes)


def with_leaks(found: Inspection, examined: Inspection) -> Inspection:
    """Return what was found in a file with the leaks that a look for other guarded rows has met."""
    leaks = tuple(one for one in examined.findings if one.check == "leakage")
    if not leaks:
        return found
    number = found.counts.get("leakage", 0) + examined.counts["leakage"]
    return msgspec.structs.replace(
        found, findings=(*found.findings, *leaks), counts={**found.counts, "leakage": number}
    )


def _guards_of(skill: Skill, kept: KeptAnswers) -> Iterator[Guard]:
    """Yield the problems of each level, made once for each version of this software."""
    commands = list(_commands(skill))
    key = f"{_KIND}\0{sha256_of({'commands': commands, 'software': str(code_version())})}"
    known = kept.get(key)
    made = (
        msgspec.json.decode(known, type=list[list[str]]) if known else [_questions(one) for one in commands]
    )
    if known is None:
        kept.put(key, msgspec.json.encode(made))
    for level, questions in enumerate(made, start=1):
        name = f"the evaluation of skill {skill.id}, level {level}"
        yield Guard(name=name, questions=tuple(questions))


def _commands(skill: Skill) -> Iterator[list[str]]:
    evaluation = skill.evaluation
    count = (evaluation.samples_per_level if evaluation else None) or _SAMPLES_PER_LEVEL
    seed = (evaluation.seed if evaluation else None) or 0
    for level in range(1, skill.max_level + 1):
        command = skill.source.command if skill.source else ()
        yield [*command, "--level", str(level), "--count", str(count), "--seed", str(seed)]


def _questions(command: list[str]) -> list[str]:
    """Return what the problems ask that a skill's source makes.

    Raises:
        ActionFailed: it could not be run.
        QuestFileError: what it wrote are no rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "problems.jsonl"
        asked = [*command, "--out", str(out)]
        run_command(asked, cwd=Path(os.sep), bounds=_BOUNDS, interrupted=lambda: False)
        read = rows(read_quest_bytes(out), "the problems", RowShape())
        return [" ".join(m.content for m in row.messages if m.role == "user") for row in read]
