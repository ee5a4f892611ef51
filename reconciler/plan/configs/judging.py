"""What the rows of a quest are judged by before they are taken in, and its digest. Pure."""

from collections.abc import Iterator, Mapping

import msgspec

from reconciler.desired.queue import Quest
from reconciler.desired.skill import examination_command
from reconciler.desired.training import HeldOutFile as HeldOutSpec
from reconciler.observed.data_records import InboxFile
from reconciler.plan.configs.resolved import ResolvedRun, resolve_run
from reconciler.plan.dropped import quest_id_of
from reconciler.plan.queue.held_out import held_out_shape
from reconciler.plan.queue.quest_sources import QuestSource, quest_source
from reconciler.plan.queue.waiting import campaign_for
from reconciler.plan.world import World
from state.canonical import sha256_of
from state.contract.inspection import HELD_OUT_KEY, Depth, Guard, InspectRequest, TrainedAs, counting_key


def with_judgements(world: World) -> World:
    """Return the world with what the rows are judged by that skills are still to make."""
    found = dict(_judgements(world))
    return msgspec.structs.replace(world, judged_by=found) if found else world


def _judgements(world: World) -> Iterator[tuple[str, str]]:
    """Yield quests whose rows a skill is to make for the active campaign, each with its digest."""
    run: ResolvedRun | None = None
    is_resolved = False
    for quest in world.desired.quests:
        campaign = campaign_for(world, quest) if quest.skill is not None else None
        if campaign is None or not _is_to_make(world, quest):
            continue
        if not is_resolved:
            resolved = resolve_run(world, campaign)
            run, is_resolved = resolved if isinstance(resolved, ResolvedRun) else None, True
        yield quest.id, _judged_by(world, quest, campaign, run)


def _is_to_make(world: World, quest: Quest) -> bool:
    source = quest_source(world, quest)
    return isinstance(source, QuestSource) and world.facts.quest_data(source.key) is None


def _judged_by(world: World, quest: Quest, campaign: str, run: ResolvedRun | None) -> str:
    request = inspect_request(world, quest, campaign, run, "standard")
    command = examination_command(world.desired.skills[str(quest.skill)].spec, quest.level)
    return sha256_of({"request": counting_key(request, ""), "examination": list(command)})


def inspect_request(
    world: World, quest: Quest, campaign: str | None, run: ResolvedRun | None, depth: Depth
) -> InspectRequest:
    """Return what to look for in a quest's rows, wherever they lie; `run`: None where nobody can train it."""
    return InspectRequest(
        path="",
        contracts=(),
        depth=depth,
        trained_as=_trained_as(run) if run is not None and depth != "quick" else None,
        held_out_fraction=run.config.evaluation.held_out_fraction if run is not None else 0.0,
        guards=_guards(world, campaign, run),
        allowed_leakage=_allowed_leakage(world, quest),
    )


def in_inbox(world: World, quest: Quest) -> InboxFile | None:
    """Return the file of the inbox that becomes this quest, if it lies there still."""
    here = world.facts.inbox.files if quest.id in world.dropped else ()
    return next((file for file in here if file.sha256 and quest_id_of(file) == quest.id), None)


def _allowed_leakage(world: World, quest: Quest) -> tuple[str, ...]:
    """Return what the quest, or the dataset that its rows keep, allows to learn."""
    seen = world.facts.quest_files.get(quest.id) or in_inbox(world, quest)
    kept = seen.content.contract.name if seen is not None and seen.content is not None else None
    dataset = world.desired.datasets.get(quest.dataset or kept or "")
    of_dataset: Mapping[str, str] = dataset.spec.allow_leakage if dataset is not None else {}
    return tuple(sorted({*quest.allow_leakage, *of_dataset}))


def _trained_as(run: ResolvedRun) -> TrainedAs:
    config = run.config
    training = config.training
    return TrainedAs(
        tokenizer=config.tokenizer,
        chat=config.chat,
        model_dir=run.model_dir,
        max_length=config.model.max_context_length,
        documents_per_update=training.batch_size * training.gradient_accumulation,
        tokens_at_once=training.batch_size * config.model.max_context_length,
        seed=training.seed,
        vocab_size=config.model.vocab_size,
    )


def _guards(world: World, campaign: str | None, run: ResolvedRun | None) -> tuple[Guard, ...]:
    """Return the rows that the campaign measures with: its held-out file."""
    spec = run.settings["evaluation.held_out"].value if run is not None else None
    seen = world.facts.held_out_files.get(campaign or "")
    if not isinstance(spec, HeldOutSpec) or seen is None or seen.path is None or seen.sha256 is None:
        return ()
    name = f"the held-out file {spec.file}"
    return (
        Guard(name=name, key=HELD_OUT_KEY, path=seen.path, digest=seen.sha256, shape=held_out_shape(seen)),
    )
