"""Where a launch trains."""

from reconciler.plan.world import World


def choose_device(world: World) -> str:
    """Return the GPU with the most free memory, or the CPU where there is no GPU."""
    gpus = world.facts.gpus.gpus
    if not gpus:
        return "cpu"
    roomiest = max(
        gpus, key=lambda gpu: ((gpu.memory_total_bytes or 0) - (gpu.memory_used_bytes or 0), -gpu.index)
    )
    return f"cuda:{roomiest.index}"
