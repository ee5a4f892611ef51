"""What no spec explains, by name, with what it takes of disk and memory; nothing is done to it."""

from collections.abc import Iterator

from reconciler.observed.records import Gpu, GpuProcess, OrphanFolder
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import count, size

_GB = 1_000_000_000


def plan_orphans(world: World, draft: Draft) -> None:
    """Name the folders and the processes on GPUs that are of no campaign."""
    draft.warnings += orphan_lines(world)


def orphan_lines(world: World) -> tuple[str, ...]:
    """Return a line for each of them."""
    return (*map(_folder_line, world.facts.orphans), *_process_lines(world))


def _folder_line(one: OrphanFolder) -> str:
    files = f"{'at least ' if one.is_at_least else ''}{count(one.num_files, 'file')}, {size(one.size_bytes)}"
    return f"{one.path} is of no campaign ({files}); nothing of it is ever deleted here"


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
