"""Rows of a held-out file that a campaign has learnt already: the file was declared, or changed, too late.

`prove` finds them in what checkpoints say they have learnt. Plan asks only where a run is about to hold out
another file than the one before, and remembers the answer.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from reconciler.app.surroundings.environment import Environment
from reconciler.observed.data_records import LearntHeldOut, QuestFileFacts
from reconciler.observed.facts import Facts
from reconciler.plan.world import World
from state.contract.run_config import RunConfig
from state.kept_answers import KeptAnswers
from state.layout import Layout
from state.store.in_force import in_force

_KIND = "learnt-held-out-1"


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof stands on."""

    facts: Facts
    layout: Layout


def with_late_held_out(environment: Environment, world: World, layout: Layout) -> World:
    """Return the world with how much of its new held-out file the active campaign has learnt."""
    campaign = world.active
    if campaign is None or not _is_another_file(world, campaign):
        return world
    found = late_held_out(environment, world, layout, campaign)
    if found is None:
        return world
    learnt: Mapping[str, LearntHeldOut] = {campaign: found}
    return msgspec.structs.replace(world, facts=msgspec.structs.replace(world.facts, learnt_held_out=learnt))


def late_held_out(
    environment: Environment, world: World, layout: Layout, campaign: str
) -> LearntHeldOut | None:
    """Return how many rows of its held-out file a campaign has learnt; None where there is neither."""
    file, newest = world.facts.held_out_files.get(campaign), world.newest_checkpoint(campaign)
    if file is None or file.content is None or newest is None:
        return None
    answers = KeptAnswers(environment.cache_folder / "facts")
    key = f"{_KIND}\0{newest.manifest.digest}\0{file.sha256}\0{file.content.contract.shape!r}"
    if (known := answers.get(key)) is not None:
        return msgspec.json.decode(known, type=LearntHeldOut)
    found = _count(Looked(facts=world.facts, layout=layout), newest.manifest.digest, file)
    answers.put(key, msgspec.json.encode(found))
    return found


def _is_another_file(world: World, campaign: str) -> bool:
    """Is the campaign's held-out file not the one that its newest run held out?"""
    file = world.facts.held_out_files.get(campaign)
    runs = world.facts.runs_of(world.uid(campaign))
    if file is None or file.content is None or not runs:
        return False
    last = max(runs, key=lambda run: (run.generation, run.attempt))
    config = msgspec.json.decode(in_force(last).config_json, type=RunConfig)
    return config.evaluation.held_out_digest != file.sha256


def _count(looked: Looked, digest: str, file: QuestFileFacts) -> LearntHeldOut:
    from reconciler.app.proof.contents import NoContent, rows_of_file  # reads snapshots: only where asked
    from reconciler.app.proof.study import learnt_in_all, study

    found = study(looked, digest)
    learnt, is_sure = learnt_in_all(found.orders), not found.gaps
    is_sure = is_sure and all(one.counted is not None for one in found.orders)
    try:
        rows = rows_of_file(Path(str(file.path)), file.content.contract) if file.content else ()
    except NoContent:
        return LearntHeldOut(num_learnt=0, num_rows=0, is_sure=False)
    num_learnt = sum(row is not None and learnt[row] > 0 for row in rows)
    return LearntHeldOut(num_learnt=num_learnt, num_rows=len(rows), is_sure=is_sure)
