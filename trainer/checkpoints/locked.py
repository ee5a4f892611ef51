"""The values that must be equal along a lineage: which model, which tokens, which chat template."""

import msgspec

from state.contract.request import ChatConfig, ModelConfig, RunConfig, TokenizerConfig
from trainer.checkpoints.errors import CheckpointError


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """What the weights of a checkpoint belong to."""

    model: ModelConfig
    tokenizer: TokenizerConfig
    chat: ChatConfig


def locked_values(config: RunConfig) -> Locked:
    """Return the locked part of a config."""
    return Locked(model=config.model, tokenizer=config.tokenizer, chat=config.chat)


def check_locked(saved: Locked, wanted: Locked, name: str) -> None:
    """Compare a checkpoint's locked values with those that a run asks for; `name` says which checkpoint.

    The longest document is bounded by the hero, not by what was trained before; the chat template is part of
    the config's hash, and changing it is no new lineage.

    Raises:
        CheckpointError: names the first value that differs, on both sides.
    """
    found, expected = _flat(saved), _flat(wanted)
    for key in sorted((found.keys() | expected.keys()) - _MAY_CHANGE):
        if found.get(key) != expected.get(key):
            raise CheckpointError(
                f"{name}: {key} is {found.get(key)!r}; the run asks for {expected.get(key)!r}. "
                "It is locked along a lineage: a new campaign may change it."
            )


_MAY_CHANGE = frozenset({"model.max_context_length", "chat.template", "chat.digest"})


def _flat(locked: Locked) -> dict[str, object]:
    return {
        f"{part}.{key}": value
        for part, fields in msgspec.to_builtins(locked).items()
        for key, value in fields.items()
    }
