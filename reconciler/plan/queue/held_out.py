"""Held-out files: their content is taken in like a quest's, so that measuring outlives an edit of the file.

The config of a run names the content by its digest. The key under which a content is taken in is made of what
the spec says, so a file that vanished is measured with as it was last taken in, and the plan says so.
"""

from collections.abc import Iterator

import msgspec

from reconciler.desired.desired import Desired
from reconciler.desired.layers import held_out_of, layers_of, resolve
from reconciler.desired.queue import Quest
from reconciler.desired.training import HeldOutFile
from reconciler.observed.data_records import LearntHeldOut, QuestFileFacts
from reconciler.plan.actions import EnqueueJob, SnapshotHeldOut, UpdateJob
from reconciler.plan.draft import Draft
from reconciler.plan.queue import jobs
from reconciler.plan.queue.quest_sources import contracts_of
from reconciler.plan.world import World
from state.amounts import count
from state.canonical import sha256_of
from state.contract.inspection import TOO_FEW_HELD_OUT as TOO_FEW
from state.contract.orders import RowShape
from state.contract.row_contracts import RowContract
from state.contract.run_config import RunConfig

MOST_NAMED = 5


def contracts_of_held_out(desired: Desired, spec: HeldOutFile) -> tuple[RowContract, ...]:
    """Return what the rows of a held-out file must be: as those of a quest, unless its fields are named."""
    if spec.fields is None:
        return contracts_of(desired, Quest(id="held-out", file=spec.file))
    shape = RowShape(kind="fields", prompt=spec.fields.prompt, completion=spec.fields.completion)
    return (RowContract(name="the held-out file's fields", shape=shape),)


def held_out_shape(seen: QuestFileFacts) -> RowShape:
    """Return how the lines of a held-out file are read; while it has findings, as messages."""
    return seen.content.contract.shape if seen.content is not None else RowShape()


def held_out_key(spec: HeldOutFile) -> str:
    """Return under which key the content of a held-out file is taken in."""
    fields = [spec.fields.prompt, spec.fields.completion] if spec.fields is not None else []
    return sha256_of({"held_out": spec.file, "fields": fields})


def take_in(world: World, draft: Draft, campaign: str) -> tuple[str, ...]:
    """Plan to take in the content of a campaign's held-out file; return what a launch needs of this plan."""
    spec, seen = held_out_of(world.desired, campaign), world.facts.held_out_files.get(campaign)
    if not isinstance(spec, HeldOutFile) or seen is None or seen.content is None or seen.path is None:
        return ()
    key = held_out_key(spec)
    known = world.facts.quest_data(key)
    if known is not None and known.digest == seen.sha256:
        return ()
    made = draft.add(
        SnapshotHeldOut(
            campaign=campaign,
            name=spec.file,
            source_key=key,
            path=seen.path,
            digest=str(seen.sha256),
            num_rows=seen.content.num_rows,
        ),
        subject=f"campaign/{campaign}",
        reason=f"{count(seen.content.num_rows, 'row')} of {seen.path}, measured with and never trained on",
        cause=_where(world, campaign),
        source="edit",
    )
    return (made,)


def plan_held_out(world: World, draft: Draft) -> None:
    """Warn where the active campaign measures with what is gone, is too little, or was learnt before."""
    campaign = world.active
    if campaign is None or campaign not in world.desired.campaigns:
        return
    for text in (*_of_file(world, campaign), *_of_share(world, draft, campaign)):
        draft.warnings.append(f"{_where(world, campaign)}: {text}")


def _of_file(world: World, campaign: str) -> Iterator[str]:
    seen = world.facts.held_out_files.get(campaign)
    if seen is None or seen.content is None:
        return
    rows = count(seen.content.num_rows, "row")
    if seen.is_gone:
        yield f"there is no file {seen.name} any more; measured with its {rows} as taken in ({seen.path})"
    if seen.content.num_rows <= TOO_FEW:
        yield f"{seen.name} has {rows}: their loss says little; measure with more"
    late = world.facts.learnt_held_out.get(campaign)
    if late is not None and (late.num_learnt or not late.is_sure):
        yield (
            f"{learnt_text(late)} of {seen.name}: the campaign had learnt them before, so their loss is too "
            f"low; reconcile prove {campaign}@latest"
        )


def warn_of_learnt_rows(world: World, draft: Draft, campaign: str, last_config: str | None) -> None:
    """Warn that a launch holds out a larger share, and with it rows that the campaign has learnt.

    `last_config`: that of its last run, as JSON; None: there was none. A row is held out by its content, so
    a larger share holds out all that the smaller one did, and a smaller one nothing else.
    """
    share, before = held_out_of(world.desired, campaign), _share_in(last_config)
    if isinstance(share, HeldOutFile) or before is None or share <= before:
        return
    learnt = [job for job in world.facts.jobs_of(world.uid(campaign)) if jobs.is_begun(world, campaign, job)]
    if not learnt:
        return
    num_rows, quests = sum(job.num_examples for job in learnt), sorted({job.quest_id for job in learnt})
    num_late = max(1, round(num_rows * (share - before)))
    whose = f"quest {quests[0]}" if len(quests) == 1 else f"{len(quests):,} quests"
    draft.warnings.append(
        f"{_where(world, campaign)}: held_out {before:g} → {share:g} holds out about {num_late:,} of the "
        f"{count(num_rows, 'row')} of {whose} that {campaign} has learnt: a loss measured with them is too "
        f"low; reconcile prove {campaign}@latest counts them"
    )


def _share_in(config_json: str | None) -> float | None:
    """Return the share that a recorded config held out; None: there is none, or of another version."""
    if config_json is None:
        return None
    try:
        return msgspec.json.decode(config_json, type=RunConfig).evaluation.held_out_fraction
    except msgspec.ValidationError:
        return None


def learnt_text(late: LearntHeldOut) -> str:
    """Return `12 of the 100 rows`, or that there may be more."""
    return f"{late.num_learnt:,}{'' if late.is_sure else ' or more'} of the {count(late.num_rows, 'row')}"


def _is_learnt(world: World, draft: Draft, campaign: str, quest_id: str) -> bool:
    """Has the campaign nothing more to learn of a quest, in this plan either?"""
    mine = [job for job in world.facts.jobs_of_quest(quest_id) if job.campaign_uid == world.uid(campaign)]
    planned: list[EnqueueJob | UpdateJob] = [*draft.actions(EnqueueJob), *draft.actions(UpdateJob)]
    goes_on = any(one.quest_id == quest_id and one.campaign == campaign for one in planned)
    return bool(mine) and all(job.status == "completed" for job in mine) and not goes_on


def _of_share(world: World, draft: Draft, campaign: str) -> Iterator[str]:
    share = held_out_of(world.desired, campaign)
    if isinstance(share, HeldOutFile) or not share:
        return
    few = [
        f"{found.num_held_out:,} of the {count(found.num_rows, 'row')} of quest {quest_id}"
        for quest_id, found in sorted(world.facts.inspections.items())
        if not found.num_errors
        and found.num_held_out <= TOO_FEW
        and not _is_learnt(world, draft, campaign, quest_id)
    ]
    if few:
        more = f" and {len(few) - MOST_NAMED} more" if len(few) > MOST_NAMED else ""
        yield (
            f"held_out {share:g} leaves {', '.join(few[:MOST_NAMED])}{more} to measure with: their loss "
            "says little; raise it, or name a file"
        )


def _where(world: World, campaign: str) -> str:
    """Return file and line of what is held out."""
    origin = resolve(layers_of(world.desired, campaign))["evaluation.held_out"].origin
    return origin or f"campaign/{campaign}"
