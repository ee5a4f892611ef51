"""Adapters: their shape, which is locked along a lineage, and the frozen weights that they belong to.

A checkpoint of adapters holds only them. The weights below are named by digest and lie elsewhere: in the
hero's model folder, in the campaign's own starting checkpoint, or made again from their seed.
"""

from typing import Literal

import msgspec

from state.contract.run_config import TrainingConfig


class AdapterShape(msgspec.Struct, frozen=True, kw_only=True):
    """What makes adapters the ones they are; dropout is no part of it."""

    method: Literal["lora", "qlora"]
    rank: int
    alpha: float
    target_modules: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as people say it: `lora of rank 16, alpha 32, on q_proj, v_proj`."""
        return f"{self.method} of rank {self.rank}, alpha {self.alpha:g}, on {', '.join(self.target_modules)}"


class AdapterBase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The frozen weights below adapters."""

    kind: Literal["model", "checkpoint", "seed"]
    """The hero's model folder; a checkpoint of the same campaign; random weights."""
    digest: str
    """BLAKE3 of the folder's weight files, of the checkpoint's manifest, or of the random tensors."""
    step: int | None = None
    """Of the checkpoint."""
    seed: int | None = None
    """Of the random weights."""

    def __str__(self) -> str:
        """Return it as people say it."""
        match self.kind:
            case "checkpoint":
                return f"checkpoint-{self.step} ({self.digest})"
            case "seed":
                return f"the random weights of seed {self.seed} ({self.digest})"
        return f"the hero's pretrained weights ({self.digest})"


def adapter_shape(training: TrainingConfig) -> AdapterShape | None:
    """Return the shape of the adapters that a config trains; None where it trains every weight."""
    lora = training.lora
    if lora is None or training.method == "full":
        return None
    return AdapterShape(
        method=training.method, rank=lora.rank, alpha=lora.alpha, target_modules=lora.target_modules
    )


def opened_with_peft(base: str, adapters: str) -> str:
    """Return the Python that puts a folder's adapters on the model in the folder of their base."""
    return f'PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), "{adapters}")'


def adapter_words(shape: AdapterShape | None) -> str:
    """Return a shape in words, its absence too."""
    return "full weights" if shape is None else str(shape)
