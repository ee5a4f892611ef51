"""Where the content of a quest comes from: a file, or the source of a skill; or why it cannot be had."""

from collections.abc import Sequence

import msgspec

from reconciler.desired.queue import Quest
from reconciler.plan.actions import GenerateQuest, SnapshotFile
from reconciler.plan.world import World
from state.canonical import sha256_of
from state.contract.orders import RowShape
from state.contract.quest_rows import MAX_FINDINGS, Finding


class QuestSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the content of a quest comes from, known well enough to fetch it."""

    key: str
    """Equal keys mean equal content."""
    shape: RowShape
    dataset_path: str
    fetch: SnapshotFile | GenerateQuest
    """What brings the content into the realm."""


class NoSource(msgspec.Struct, frozen=True, kw_only=True):
    """Why the content of a quest cannot be had."""

    code: str
    message: str
    hint: str


def shape_of(quest: Quest) -> RowShape:
    """Return how the lines of a quest's file are read."""
    if quest.fields is None:
        return RowShape()
    return RowShape(kind="fields", prompt=quest.fields.prompt, completion=quest.fields.completion)


def quest_source(world: World, quest: Quest) -> QuestSource | NoSource:
    """Return where a quest's content comes from, or why it cannot be had."""
    return _skill_source(world, quest) if quest.skill is not None else _file_source(world, quest)


def said(findings: Sequence[Finding]) -> str:
    """Return the first mistake in a file in full, and the rows of the others."""
    first, *others = findings
    rows = [str(finding.row) for finding in others if finding.row is not None]
    if not rows:
        return str(first)
    more = " and perhaps later ones" if len(findings) >= MAX_FINDINGS else ""
    return f"{first} (also wrong: row{'s' if len(rows) > 1 else ''} {', '.join(rows)}{more})"


def _file_source(world: World, quest: Quest) -> QuestSource | NoSource:
    seen = world.facts.quest_files.get(quest.id)
    if seen is None:
        return NoSource(
            code="quest-unseen", message=f"{quest.file} was not looked at", hint="run the command again"
        )
    if seen.findings or seen.sha256 is None or seen.path is None or seen.num_rows is None:
        return NoSource(
            code="quest-file",
            message=f"{quest.file}: {said(seen.findings)}",
            hint="mend the file, or the quest's fields",
        )
    if quest.sha256 is not None and f"sha256:{quest.sha256}" != seen.sha256:
        message = f"{quest.file} has {seen.sha256}, the spec says sha256:{quest.sha256}"
        return NoSource(
            code="quest-sha256",
            message=message,
            hint="restore the file, or write its new digest into the quest",
        )
    shape = shape_of(quest)
    key = sha256_of({"file": seen.sha256, "shape": msgspec.to_builtins(shape)})
    fetch = SnapshotFile(
        quest_id=quest.id, source_key=key, path=seen.path, digest=seen.sha256, num_rows=seen.num_rows
    )
    return QuestSource(key=key, shape=shape, dataset_path=seen.path, fetch=fetch)


def _skill_source(world: World, quest: Quest) -> QuestSource | NoSource:
    skill = world.desired.skills[str(quest.skill)].spec
    if world.is_suspended(skill.suspend):
        return NoSource(
            code="suspended",
            message=f"skill/{skill.id} is suspended",
            hint="remove suspend from the skill",
        )
    if skill.source is None:
        return NoSource(
            code="skill-source",
            message=f"skill {skill.id} has no source to make rows with",
            hint="add source.command to the skill",
        )
    if quest.level is not None and quest.level > skill.max_level:
        return NoSource(
            code="skill-level",
            message=f"level {quest.level} is above the skill's {skill.max_level}",
            hint="choose a lower level",
        )
    command = (
        *skill.source.command,
        *("--level", str(quest.level)),
        *("--count", str(quest.count)),
        *("--seed", str(quest.seed or 0)),
    )
    key = sha256_of({"command": list(command)})
    known = world.facts.known_data(key)
    why_not = world.facts.missing_programs.get(skill.id)
    if why_not is not None and known is None:
        where = world.where(f"skill/{skill.id}", "source", "command")
        return NoSource(
            code="skill-program",
            message=f"skill {skill.id}: {why_not} ({where})",
            hint="install it, or correct source.command of the skill",
        )
    fetch = GenerateQuest(
        quest_id=quest.id,
        source_key=key,
        skill=skill.id,
        command=command,
        expected_digest=known.digest if known else None,
    )
    path = f"{quest.skill}_L{quest.level}_{quest.count}_s{quest.seed or 0}.jsonl"
    return QuestSource(key=key, shape=RowShape(), dataset_path=path, fetch=fetch)
