"""Layers that are to get adapters and that the hero's architecture does not have. Pure."""

from collections.abc import Iterator, Mapping

from reconciler.desired.hero import Hero
from reconciler.desired.layers import Resolved
from reconciler.desired.mistakes import nearest_name
from reconciler.desired.unsupported import Unsupported
from state.contract.linear_layers import LINEAR_LAYERS
from state.contract.run_config import ALL_LINEAR


def unknown_targets(hero: Hero, settings: Mapping[str, Resolved]) -> Iterator[Unsupported]:
    """Yield each target of a campaign's adapters that is no linear layer of its model; all of them block.

    Of an architecture whose layers are not known here, the trainer alone can tell.
    """
    targets, method = settings["lora.target_modules"], settings["method"]
    known = LINEAR_LAYERS.get(hero.model.architecture)
    if known is None or method.value == "full" or targets.value == ALL_LINEAR:
        return
    for target in targets.value:
        last = target.rpartition(".")[2]
        if last not in known:
            near = nearest_name(last, known)
            meant = f'; did you mean "{near}"?' if near else ""
            reason = (
                f'lora.target_modules "{target}" is no linear layer of {hero.model.architecture}; '
                f"known: {', '.join(known)}{meant}"
            )
            hint = f"one or more of {', '.join(known)}; or target_modules: {ALL_LINEAR}"
            path = ("lora", "target_modules")
            yield Unsupported(path=path, reason=reason, blocks=True, origin=targets.origin, hint=hint)
