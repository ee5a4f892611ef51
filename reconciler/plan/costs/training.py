"""What a plan costs in training: updates, tokens, time, energy and saves of all that there is to train then,
and of each content. Never a guess: what nobody counted or measured is null.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from reconciler.desired.layers import layers_of, resolve
from reconciler.plan import actions as a
from reconciler.plan.changes import Change
from reconciler.plan.costs.pace import Energy, Expected, expected, expected_energy, key_of, runs_alike
from reconciler.plan.costs.releases import BranchAhead, ReleaseCost, Trunk, branches_ahead
from reconciler.plan.costs.saves import SaveSize, num_saves, size_of_saves, updates_by_clock
from reconciler.plan.segments.floors import floor_of
from reconciler.plan.world import World
from state.contract.run_config import RunConfig
from state.store.in_force import in_force
from state.store.rows import RunRow


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to train of one content."""

    rows: int | None
    """Learnt in one epoch; what is held out is not among them."""
    updates: float | None
    """Of one epoch, counted by the tokenizer's own look at it; None: nobody counted."""
    tokens: float | None
    epochs_left: float
    is_about: bool = False
    """The rows are those without the share that is held out: nobody has counted which they are."""
    job_uid: str = ""
    """Of the job that trains it."""


class AtFloor(msgspec.Struct, frozen=True, kw_only=True):
    """Updates that are trained at the floor of a falling rate."""

    updates: int
    since: int
    """The update at which the rate has come down."""
    rate: float
    cause: str
    """The line that says so."""


class TrainingCost(msgspec.Struct, frozen=True, kw_only=True):
    """What the active campaign has to train once the plan is carried out: all of it, or one content.

    All of it counts the releases too.
    """

    campaign: str
    device: str | None
    """Null while nothing is launched."""
    updates: int | None
    """Null where the rows of a quest are not known."""
    tokens: int | None
    """Null where those of a quest are not counted."""
    is_about: bool = False
    """The updates follow from a share of the rows, not from a count."""
    time: Expected | None
    """Null where no run of the same model, settings and kind of device is over."""
    energy: Energy | None = None
    """Null where no such run has measured it: on a CPU, or on a GPU without a counter."""
    num_saves: int | None = None
    """At their interval of updates, at the end of each quest, and by the clock if training is that slow."""
    saves_bytes: int | None = None
    """When all are as large as the newest, none being dropped meanwhile; null where none was saved alike."""
    saves_like: str | None = None
    """The checkpoint of another campaign whose size they are taken to have; null: the campaign's newest."""
    releases: tuple[ReleaseCost, ...] = ()
    """What each release takes of that; none in the cost of one content."""
    at_floor: AtFloor | None = None
    """What of it comes when a rate that falls has come down; null where it does not come down meanwhile."""


class _Basis(msgspec.Struct, frozen=True):
    """What training is measured by: the run that does it, runs like it, the size of a save, how often."""

    campaign: str
    config: RunConfig | None
    device: str | None
    alike: tuple[RunRow, ...]
    save: SaveSize | None
    every_updates: int | None
    every_minutes: float
    begin: int
    """The step that training goes on from."""


def training_cost(world: World, changes: Iterable[Change], works: Sequence[Work]) -> TrainingCost | None:
    """Return the cost of what is left to train; None without an active campaign or anything to train."""
    basis = _basis(world, changes)
    if basis is None:
        return None
    all_updates, all_tokens = updates_of(works, basis.config), tokens_of(works)
    releases = tuple(_releases(world, basis, works, all_updates, all_tokens))
    if not works and not releases:
        return None
    updates, tokens = _within_goal(world, basis, all_updates, all_tokens)
    is_about = updates == all_updates and any(work.is_about for work in works)
    saves = _sum(one.num_saves for one in _one_by_one(world, basis, works))
    saves = _sum([saves, *(one.num_saves for one in releases)])
    floor = _at_floor(world, basis, updates)
    if updates is not None:
        updates += sum(one.updates for one in releases)
    tokens = _sum([tokens, *(one.tokens for one in releases if one.updates)])
    whole = _cost(basis, updates, tokens, saves, is_about=is_about)
    return msgspec.structs.replace(whole, releases=releases, at_floor=floor)


def _at_floor(world: World, basis: _Basis, updates: int | None) -> AtFloor | None:
    """Return what of so many updates comes once the rate has come down; None where none or all of them do."""
    floor = floor_of(world, basis.campaign) if basis.campaign in world.desired.campaigns else None
    if floor is None or updates is None or not basis.begin < floor.since < basis.begin + updates:
        return None
    late = basis.begin + updates - floor.since
    return AtFloor(updates=late, since=floor.since, rate=floor.rate, cause=floor.origin)


def _releases(
    world: World, basis: _Basis, works: Sequence[Work], updates: int | None, tokens: int | None
) -> Iterator[ReleaseCost]:
    """Yield what each release costs, with as many tokens an update as the queue has on average."""
    for branch in branches_ahead(world, basis.campaign, _trunk(world, basis, works, updates)):
        share = branch.updates / updates if updates else None
        tokens_of_it = round(tokens * share) if tokens is not None and share is not None else None
        yield _release(basis, branch, tokens_of_it)


def _trunk(world: World, basis: _Basis, works: Sequence[Work], updates: int | None) -> Trunk | None:
    if updates is None:
        return None
    ends, end = [], basis.begin
    for work in works:
        end += updates_of([work], basis.config) or 0
        within, _ = _within_goal(world, basis, end - basis.begin, None)
        ends.append(basis.begin + (within or 0))
    return Trunk(basis.begin, ends, basis.begin + updates, basis.every_updates or 1)


def _release(basis: _Basis, branch: BranchAhead, tokens: int | None) -> ReleaseCost:
    begin = max(0, (branch.stand or basis.begin) - basis.begin)
    cost = _cost(basis, branch.updates, tokens, _saves(basis, begin, branch.updates, tokens), is_about=True)
    return ReleaseCost(
        at=branch.at,
        branches_at=branch.stand,
        updates=branch.updates,
        waiting=branch.wanted - branch.updates if branch.stand is not None else 0,
        tokens=tokens,
        time=cost.time,
        energy=cost.energy,
        num_saves=cost.num_saves,
        saves_bytes=cost.saves_bytes,
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Return the sum; None where one of them is not known."""
    found = list(numbers)
    known = [one for one in found if one is not None]
    return sum(known) if len(known) == len(found) else None


def training_of_each(
    world: World, changes: Iterable[Change], works: Sequence[Work]
) -> tuple[TrainingCost, ...]:
    """Return the cost of each content in its turn: together they are the cost of all."""
    basis = _basis(world, changes) if works else None
    return tuple(_one_by_one(world, basis, works)) if basis is not None else ()


def _one_by_one(world: World, basis: _Basis, works: Sequence[Work]) -> Iterator[TrainingCost]:
    begin: int | None = 0
    so_far: int | None = 0
    for work in works:
        whole, tokens = updates_of([work], basis.config), tokens_of([work])
        so_far = so_far + whole if so_far is not None and whole is not None else None
        end, _ = _within_goal(world, basis, so_far, None)
        updates = end - begin if begin is not None and end is not None else whole
        if updates is not None and whole and tokens is not None and updates < whole:
            tokens = round(tokens * updates / whole)  # the goal ends it before
        is_about = work.is_about and updates == whole
        yield _cost(basis, updates, tokens, _saves(basis, begin, updates, tokens), is_about=is_about)
        begin = end


def _basis(world: World, changes: Iterable[Change]) -> _Basis | None:
    campaign = world.active
    if campaign is None:
        return None
    made = [change.action for change in changes]
    found = config_of(world, made, campaign) or _config_before(world, made, campaign)
    config, device = found if found is not None else (None, None)
    every, minutes = None, 0.0
    if campaign in world.desired.campaigns:
        settings = resolve(layers_of(world.desired, campaign))
        every = int(settings["checkpoint.every_updates"].value)
        minutes = float(settings["checkpoint.every_minutes"].value)
    return _Basis(
        campaign,
        config,
        device,
        alike=runs_alike(world.facts.store.runs, key_of(*found)) if found is not None else (),
        save=size_of_saves(world, campaign, config, device),
        every_updates=every,
        every_minutes=minutes,
        begin=_begin_of(world, made, campaign),
    )


def _begin_of(world: World, made: Iterable[a.AnyAction], campaign: str) -> int:
    """Return the step of the newest checkpoint, else that of the one which the campaign begins with."""
    newest, row = world.newest_checkpoint(campaign), world.facts.campaign_row(campaign)
    if newest is not None:
        return newest.step
    taken = (one for one in made if isinstance(one, a.TakeOverCheckpoint | a.ImportCheckpoint))
    began = row.starting_step if row is not None else 0
    return next((one.step for one in taken if one.campaign == campaign), began)


def _cost(
    basis: _Basis, updates: int | None, tokens: int | None, saves: int | None, *, is_about: bool
) -> TrainingCost:
    time, energy = None, None
    if updates is not None:
        time = expected(basis.alike, updates, tokens)
        energy = expected_energy(basis.alike, updates, tokens)
    save = basis.save
    return TrainingCost(
        campaign=basis.campaign,
        device=basis.device,
        updates=updates,
        tokens=tokens,
        is_about=is_about,
        time=time,
        energy=energy,
        num_saves=saves,
        saves_bytes=saves * save.size_bytes if saves is not None and save is not None else None,
        saves_like=save.like if save is not None else None,
    )


def config_of(world: World, actions: Sequence[a.AnyAction], campaign: str) -> tuple[RunConfig, str] | None:
    """Return config and device of the run that is launched, or of the one that lives."""
    for action in actions:
        if isinstance(action, a.LaunchRun):
            return action.config, action.device
    for live in world.live_runs():
        if live.campaign == campaign:
            text = in_force(live.row).config_json
            return msgspec.json.decode(text, type=RunConfig), live.row.device
    return None


def _config_before(
    world: World, actions: Sequence[a.AnyAction], campaign: str
) -> tuple[RunConfig, str] | None:
    """Return config and device of the last run where a branch is begun, which a later tick launches."""
    runs = world.facts.runs_of(world.uid(campaign))
    if not runs or not any(isinstance(one, a.BeginSegment) and one.campaign == campaign for one in actions):
        return None
    return msgspec.json.decode(in_force(runs[-1]).config_json, type=RunConfig), runs[-1].device


def updates_of(works: Sequence[Work], config: RunConfig | None) -> int | None:
    """Return the updates that all of this takes; None where its rows are not known.

    Only the last update of a quest is short: an update may take rows of two epochs.
    """
    total = 0
    for work in works:
        if work.rows is not None and config is not None:
            training = config.training
            rows_left = round(work.rows * work.epochs_left)
            total += math.ceil(rows_left / (training.batch_size * training.gradient_accumulation))
        elif work.updates is not None:
            total += math.ceil(work.updates * work.epochs_left)
        else:
            return None
    return total


def tokens_of(works: Sequence[Work]) -> int | None:
    """Return the tokens of all of this; None where some are not counted."""
    known = [work.tokens * work.epochs_left for work in works if work.tokens is not None]
    return round(sum(known)) if len(known) == len(works) else None


def _within_goal(
    world: World, basis: _Basis, updates: int | None, tokens: int | None
) -> tuple[int | None, int | None]:
    """Return both as far as the campaign's goal of updates lets them go."""
    goal = world.goals(basis.campaign).updates
    if goal is None or updates is None:
        return updates, tokens
    left = max(0, goal - basis.begin)
    if left >= updates:
        return updates, tokens
    return left, None if tokens is None else round(tokens * left / updates)


def _saves(basis: _Basis, before: int | None, updates: int | None, tokens: int | None) -> int | None:
    """Return the saves of a content that takes so many updates after `before` others of this run.

    How often the clock asks follows from the longest time that is expected: so many saves at most.
    """
    if before is None or updates is None or basis.every_updates is None:
        return None
    time, begin = expected(basis.alike, updates, tokens), basis.begin + before
    clock = updates_by_clock(basis.every_minutes, time.high_seconds, updates) if time is not None else None
    return num_saves(begin, begin + updates, basis.every_updates, clock)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """How good the expectations were that could be held against a run that is over."""

    num_runs: int
    num_inside: int
    """Whose time lay between the two bounds; four of five should."""


def expectations_kept(world: World) -> Kept:
    """Return how often a run took the time that its plan expected."""
    told = [
        run.expected_low_seconds <= run.busy_seconds <= run.expected_high_seconds
        for run in world.facts.store.runs
        if run.busy_seconds is not None
        and run.expected_low_seconds is not None
        and run.expected_high_seconds is not None
    ]
    return Kept(num_runs=len(told), num_inside=sum(told))
