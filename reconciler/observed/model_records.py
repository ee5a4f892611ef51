"""What was seen of pretrained models on this machine, as frozen records. Pure."""

from typing import Any

import msgspec


class WeightFile(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    size_bytes: int


class PretrainedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a model's own config.json says; None is not said."""

    digest: str
    """SHA-256 of the file."""
    architecture: str | None
    model_type: str | None
    vocab_size: int | None
    max_position_embeddings: int | None
    rope_scaling: dict[str, Any] | None
    """None when positions are not rescaled."""
    sizes: dict[str, int] = {}
    """Its sizes under their own names, those that are there."""
    scaled_logits: tuple[str, ...] = ()
    """Fields by which it changes its logits after the head."""


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Pretrained weights on this machine; usable when nothing is missing."""

    name: str
    """As the hero names it."""
    folder: str | None = None
    revision: str | None = None
    """Commit of the hub's repository, for a model in the local cache."""
    config: PretrainedConfig | None = None
    weights: tuple[WeightFile, ...] = ()
    tokenizer_digest: str | None = None
    """Over names and contents of the tokenizer's files, as state.contract.tokenizer_files has it."""
    tokenizer_problem: str | None = None
    """Why there is no digest; no matter where the hero's tokenizer is built in."""
    chat_template_digest: str | None = None
    """SHA-256 of the text of the model's own template."""
    chat_template_problem: str | None = None
    """Why there is none; no matter where the hero's template is built in."""
    looked_at: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Why it cannot be used, one sentence each."""

    @property
    def is_usable(self) -> bool:
        return self.folder is not None and not self.missing
