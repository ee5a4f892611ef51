"""Where the content of a quest comes from: a file, or the source of a skill; or why it cannot be had."""

from collections.abc import Sequence

import msgspec

from reconciler.desired.base import Suspend, suspended_until
from reconciler.desired.dataset import contract_of
from reconciler.desired.desired import Desired
from reconciler.desired.queue import Quest
from reconciler.desired.skill import Skill
from reconciler.plan.actions import GenerateQuest, SnapshotFile
from reconciler.plan.dropped import content_key, untrainable
from reconciler.plan.suspensions import how_to_lift
from reconciler.plan.world import World
from state.canonical import sha256_of
from state.contract.contents import MAX_FINDINGS, Finding
from state.contract.orders import RowShape
from state.contract.row_contracts import BUILT_IN, RowContract
from state.ids import INBOX


class QuestSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the content of a quest comes from, known well enough to fetch it."""

    key: str
    """Equal keys mean equal content."""
    shape: RowShape
    dataset_path: str
    fetch: SnapshotFile | GenerateQuest | None
    """What brings the content into the realm; None of a dropped file, whose content came with it."""
    left_out: str = ""
    """In words, which rows of the file are not part of it."""


class NoSource(msgspec.Struct, frozen=True, kw_only=True):
    """Why the content of a quest cannot be had."""

    code: str
    message: str
    hint: str
    until: str | None = None
    """When it can be had by itself, in UTC; None: time alone does not bring it."""

    @property
    def is_gone(self) -> bool:
        """Is the content itself not there, so that waiting does not bring it back?"""
        return self.code in ("quest-file", "quest-sha256", "dropped-gone")

    @property
    def comes_later(self) -> bool:
        """Does nobody have to mend it now: it is held by a line of the specs, or was not looked at yet?"""
        return self.code in ("suspended", "quest-unseen")


def contracts_of(desired: Desired, quest: Quest) -> tuple[RowContract, ...]:
    """Return what the rows of a quest's file must be: one contract, or several of which exactly one must fit.

    Those of the realm's datasets come first; of the built-in shapes, each that no dataset describes.
    """
    if quest.dataset is not None:
        return (contract_of(quest.dataset, desired.datasets[quest.dataset].spec),)
    if quest.fields is not None:
        prompt, completion = quest.fields.prompt, quest.fields.completion
        shape = RowShape(kind="fields", prompt=prompt, completion=completion)
        return (RowContract(name="the quest's fields", shape=shape),)
    declared = tuple(
        msgspec.structs.replace(contract_of(name, source.spec), max_invalid_fraction=0.0)
        for name, source in sorted(desired.datasets.items())
    )
    shapes = {one.shape for one in declared}
    return (*declared, *(one for one in BUILT_IN if one.shape not in shapes))


def named_dataset(desired: Desired, quest: Quest) -> str | None:
    """Return `dataset sums (specs/datasets/sums.yaml:3)`, where it says what its rows are."""
    source = desired.datasets.get(quest.dataset) if quest.dataset is not None else None
    if source is None:
        return None
    key = "kind" if source.spec.fields is None else "fields"
    return f"dataset {quest.dataset} ({source.where(key)})"


def contracts_of_inbox(desired: Desired) -> tuple[RowContract, ...]:
    """Return what the rows of a dropped file may be: exactly one of the shapes that are known must fit."""
    return contracts_of(desired, Quest(id=INBOX, file=INBOX))


def quest_source(world: World, quest: Quest) -> QuestSource | NoSource:
    """Return where a quest's content comes from, or why it cannot be had."""
    if quest.id in world.dropped:
        return _dropped_source(world, quest)
    return _skill_source(world, quest) if quest.skill is not None else _file_source(world, quest)


def why_gone(source: QuestSource | NoSource) -> str:
    """Return why a job's content is nowhere, for a job whose snapshot is gone."""
    if isinstance(source, NoSource) and source.code == "dropped-gone":
        return f"{source.message}; {source.hint}"
    return "its snapshot is gone and its source no longer has the same content"


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
    if (suspended := _suspended_dataset(world, quest)) is not None:
        return suspended
    content = seen.content
    if seen.findings or content is None or seen.path is None:
        return NoSource(
            code="quest-file",
            message=f"{quest.file}: {said(seen.findings)}",
            hint=f"mend the file, or {named_dataset(world.desired, quest) or 'say what its rows are'}",
        )
    if quest.sha256 is not None and f"sha256:{quest.sha256}" != seen.sha256:
        message = f"{quest.file} has {seen.sha256}, the spec says sha256:{quest.sha256}"
        return NoSource(
            code="quest-sha256",
            message=message,
            hint="restore the file, or write its new digest into the quest",
        )
    if (untrainable := _untrainable(world, quest)) is not None:
        return untrainable
    shape = content.contract.shape
    key = content_key(content.digest, shape)
    fetch = SnapshotFile(
        quest_id=quest.id,
        source_key=key,
        path=seen.path,
        digest=content.digest,
        num_rows=content.num_rows,
        contract=content.contract if content.num_left_out else None,
    )
    return QuestSource(
        key=key, shape=shape, dataset_path=seen.path, fetch=fetch, left_out=content.text_of_left_out
    )


def _untrainable(world: World, quest: Quest) -> NoSource | None:
    """Return what keeps rows from being trained on that the gate lets pass, where somebody has looked."""
    errors = untrainable(world.facts, quest.id)
    if not errors:
        return None
    message = f"{quest.file}: {said(errors)}"
    return NoSource(code="quest-file", message=message, hint="mend the rows; all: reconcile validate --data")


def _suspended_dataset(world: World, quest: Quest) -> NoSource | None:
    suspend = world.desired.datasets[quest.dataset].spec.suspend if quest.dataset is not None else None
    return _suspended(world, f"dataset/{quest.dataset}", suspend)


def _suspended(world: World, thing: str, suspend: Suspend | None) -> NoSource | None:
    """Return that what the rows come from is suspended, by whom, why and until when; None: it is not."""
    if suspend is None or not world.is_suspended(suspend):
        return None
    return NoSource(
        code="suspended",
        message=f"{thing} is {suspend.words}",
        hint=how_to_lift(world, thing),
        until=suspended_until(suspend),
    )


def _dropped_source(world: World, quest: Quest) -> QuestSource | NoSource:
    """Return the content of a dropped file: it lies in the realm, or this plan takes it in."""
    dropped = world.dropped[quest.id]
    if not dropped.is_here and world.facts.quest_data(dropped.source_key) is None:
        message = f"{quest.file} was taken in, and its content lies in the realm no more"
        return NoSource(code="dropped-gone", message=message, hint="drop the same file again")
    return QuestSource(key=dropped.source_key, shape=dropped.shape, dataset_path=str(quest.file), fetch=None)


def _skill_source(world: World, quest: Quest) -> QuestSource | NoSource:
    skill = world.desired.skills[str(quest.skill)].spec
    if (suspended := _suspended(world, f"skill/{skill.id}", skill.suspend)) is not None:
        return suspended
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
    numbers = (("--level", quest.level), ("--count", quest.count), ("--seed", quest.seed or 0))
    command = (*skill.source.command, *(word for name, number in numbers for word in (name, str(number))))
    return _generated(world, quest, skill, command)


def _generated(world: World, quest: Quest, skill: Skill, command: tuple[str, ...]) -> QuestSource | NoSource:
    """Return the rows that this command makes; known ones need no program any more."""
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
    if errors := untrainable(world.facts, quest.id):
        return NoSource(
            code="quest-rows",
            message=f"what skill {skill.id} made cannot be trained on: {said(errors)}",
            hint="change what it names, and it goes on by itself; all: reconcile validate --data",
        )
    fetch = GenerateQuest(
        quest_id=quest.id,
        source_key=key,
        skill=skill.id,
        command=command,
        expected_digest=known.digest if known else None,
        version=skill.version,
        judged_by=world.judged_by.get(quest.id),
    )
    path = f"{quest.skill}_L{quest.level}_{quest.count}_s{quest.seed or 0}.jsonl"
    return QuestSource(key=key, shape=RowShape(), dataset_path=path, fetch=fetch)
