"""The locked values of a checkpoint: which model, which tokens, which chat template its weights belong to."""

from typing import Any, NamedTuple

import msgspec

from state.contract.run_config import ChatConfig, ModelConfig, RunConfig, TokenizerConfig, by_key

_MAY_CHANGE = frozenset({"model.family", "model.max_context_length", "chat.template", "chat.digest"})
"""The family is a label, the longest document is bounded by the hero and not by what was trained before, and
the chat template is part of the config's hash: none of them makes another model."""


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """What the weights of a checkpoint belong to."""

    model: ModelConfig
    tokenizer: TokenizerConfig
    chat: ChatConfig


class Unlike(NamedTuple):
    """A locked value of a checkpoint that is not the one asked for."""

    key: str
    """`model.architecture`, `tokenizer.digest`, ..."""
    found: Any
    asked: Any


def locked_values(config: RunConfig) -> Locked:
    """Return the locked part of a config."""
    return Locked(model=config.model, tokenizer=config.tokenizer, chat=config.chat)


def first_unlike(saved: Locked, wanted: Locked) -> Unlike | None:
    """Return the first locked value, by key, in which a checkpoint is not what is asked for."""
    found, asked = by_key(saved), by_key(wanted)
    for key in sorted((found.keys() | asked.keys()) - _MAY_CHANGE):
        if found.get(key) != asked.get(key):
            return Unlike(key, found.get(key), asked.get(key))
    return None
