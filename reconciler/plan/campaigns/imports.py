"""A campaign that begins with a folder of other software, or of another realm: taken in once, as a copy.

What is there must be whole by its producer's test, and of the hero's model as far as it says. The state of a
foreign optimizer is not used: training begins with a fresh one.
"""

from reconciler.observed.records import FoundCheckpoint
from reconciler.observed.start_records import StartFolder
from reconciler.plan.actions import ImportCheckpoint
from reconciler.plan.campaigns.methods import adapters_in_a_folder, adapters_misfit
from reconciler.plan.campaigns.said_models import known_sizes, said_of, unsaid_model
from reconciler.plan.campaigns.starting_checkpoints import NoStart, block_start, resolved_to_begin
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.contract.locked import first_unlike, locked_values
from state.contract.request import RunConfig


def plan_import(world: World, draft: Draft, name: str, wanted: str, needs: tuple[str, ...]) -> None:
    """Take in what the campaign begins with, or say by name why not."""
    cause = world.where(f"campaign/{name}", "starting_checkpoint")
    published = _published(world, name)
    if published is not None:
        _finish(world, draft, name, wanted, published, cause, needs)
        return
    seen = world.facts.start_folders[wanted]
    problem = _problem(world, name, seen)
    if problem is not None:
        block_start(world, draft, name, wanted, problem)
        return
    draft.warnings.extend(f"campaign/{name}: {text}" for text in _beside(seen))
    draft.add(
        ImportCheckpoint(
            campaign=name,
            campaign_uid=world.uid(name),
            wanted=wanted,
            source=str(seen.folder),
            producer=str(seen.producer),
            step=seen.step,
            files=seen.files,
            size_bytes=seen.size_bytes,
        ),
        subject=f"campaign/{name}",
        reason="it begins with a folder",
        cause=cause,
        source="edit",
        needs=needs,
    )


def _published(world: World, name: str) -> FoundCheckpoint | None:
    """Return the copy that lies there already; a kill may have come before it was written down."""
    complete = world.seen(name).checkpoints.complete
    return next((one for one in complete if one.manifest.imported is not None), None)


def _finish(
    world: World,
    draft: Draft,
    name: str,
    wanted: str,
    found: FoundCheckpoint,
    cause: str,
    needs: tuple[str, ...],
) -> None:
    imported = found.manifest.imported
    assert imported is not None  # noqa: S101 - by it the copy was found
    draft.add(
        ImportCheckpoint(
            campaign=name,
            campaign_uid=world.uid(name),
            wanted=wanted,
            source=imported.source,
            producer=imported.producer,
            step=found.step,
            files=tuple(entry.path for entry in found.manifest.files),
            size_bytes=sum(entry.size_bytes for entry in found.manifest.files),
        ),
        subject=f"campaign/{name}",
        reason="it was copied, and is to be written down",
        cause=cause,
        source="drift",
        needs=needs,
    )


def _beside(seen: StartFolder) -> list[str]:
    """Return what a person should know beside the change: what is newer, and what is not used."""
    told = [f"{seen.folder} is taken; newer and passed over: {text}" for text in seen.passed_over]
    if seen.unused:
        told.append(f"of {seen.folder} nobody here uses {', '.join(seen.unused)}: a fresh optimizer begins")
    return told


def _problem(world: World, name: str, seen: StartFolder) -> NoStart | None:
    if seen.problem is not None:
        return NoStart("incomplete", seen.problem, seen.hint or "name another folder")
    resolved = resolved_to_begin(world, name)
    if isinstance(resolved, NoStart):
        return resolved
    if problem := _wrong_adapters(seen, resolved.config):
        return problem
    if (silent := unsaid_model(seen)) is not None:
        return silent
    unlike = _unlike(world, name, seen, resolved.config)
    if unlike is None:
        return None
    hero = name.partition("/")[0]
    other = "make a hero of it: reconcile new hero NAME"
    hint = f"begin with a checkpoint whose model is that of {hero}, or {other}"
    return NoStart("other-architecture", f"its {unlike}", hint)


def _wrong_adapters(seen: StartFolder, config: RunConfig) -> NoStart | None:
    misfit = adapters_misfit(seen.manifest, config) if seen.manifest is not None else None
    return adapters_in_a_folder(seen) or misfit


def _unlike(world: World, name: str, seen: StartFolder, config: RunConfig) -> str | None:
    """Return the first value in which the weights are not the hero's, in words, of those that are said."""
    if seen.manifest is not None:
        locked = seen.manifest.locked
        found = first_unlike(locked, locked_values(config), is_start=True) if locked is not None else None
        return f"{found.key} is {found.found}, that of the hero is {found.asked}" if found else None
    base = world.facts.models.get(name.partition("/")[0])
    sizes = known_sizes(config.model.config, base.config if base is not None else None)
    asked = {"architecture": config.model.architecture, "vocab_size": config.model.vocab_size, **sizes}
    for key, one in said_of(seen).items():
        if one is not None and asked.get(key, one) != one:
            return f"{key} is {one}, that of the hero is {asked[key]}"
    return None
