"""What no spec explains, by name, with what it takes of disk and memory; nothing is done to it."""

from collections.abc import Iterator

from reconciler.observed.machine_records import Gpu, GpuProcess
from reconciler.observed.records import ForeignFolder, OrphanFolder
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import count, size
from state.ids import checkpoint_folder
from state.store.rows import CampaignRow

_GB = 1_000_000_000
_MOST_NAMED = 3


def plan_orphans(world: World, draft: Draft) -> None:
    """Name the folders and the processes on GPUs that are of no campaign."""
    draft.warnings += orphan_lines(world)


def orphan_lines(world: World) -> tuple[str, ...]:
    """Return a line for each of them."""
    folders = map(_folder_line, world.facts.orphans)
    return (*folders, *_lines_among_checkpoints(world), *_process_lines(world))


def _folder_line(one: OrphanFolder) -> str:
    return f"{one.path} is of no campaign ({_amount(one)}); nothing of it is ever deleted here"


def _amount(one: OrphanFolder) -> str:
    return f"{'at least ' if one.is_at_least else ''}{count(one.num_files, 'file')}, {size(one.size_bytes)}"


def _lines_among_checkpoints(world: World) -> Iterator[str]:
    """Yield a line for what lies among checkpoints and is none, for the first ones of each campaign."""
    if not world.facts.among_checkpoints:
        return
    for row in world.facts.store.campaigns:
        found = list(_unexplained(world, row))
        for one, measured in found[:_MOST_NAMED]:
            yield (
                f"{world.below_root(one.path)} counts as no checkpoint of {row.name} ({_amount(measured)}): "
                f"{one.reason}; it is never used, and never deleted here"
            )
        if more := found[_MOST_NAMED:]:
            taken = size(sum(measured.size_bytes for _, measured in more))
            yield f"campaign/{row.name}: {len(more):,} more like this ({taken}): reconcile get checkpoints"


def _unexplained(world: World, row: CampaignRow) -> Iterator[tuple[ForeignFolder, OrphanFolder]]:
    """Yield what the ledger does not know and no known software saved: the rest is told elsewhere."""
    seen = world.seen(row.name)
    recorded = {checkpoint_folder(one.step) for one in world.facts.ledger_of(row.uid)}
    for there in (seen.checkpoints, *seen.segments.values()):
        for one in there.foreign:
            measured = world.facts.among_checkpoints.get(one.path)
            if measured is not None and one.producer is None and one.name not in recorded:
                yield one, measured


def _process_lines(world: World) -> Iterator[str]:
    ours = {
        run.process.pid
        for seen in world.facts.campaigns.values()
        for run in seen.runs
        if run.alive and run.process is not None
    }
    for gpu in world.facts.gpus.gpus:
        for process in gpu.processes:
            if process.pid not in ours and not (ours and process.name is None):
                yield _process_line(gpu, process)


def _process_line(gpu: Gpu, process: GpuProcess) -> str:
    """Return the line of a process; its memory in whole GB, so that a little more is no news.

    From inside of a container a trainer of ours has another number on the GPU: while one lives, what cannot
    be seen is not told to be a stranger.
    """
    who = process.name or "a process that cannot be seen from here"
    held = process.memory_bytes
    memory = "memory not told" if held is None else f"about {max(1, round(held / _GB)):,} GB"
    return f"cuda:{gpu.index}: {who} (pid {process.pid}, {memory}) is of no campaign; it is left alone"
