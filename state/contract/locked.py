"""The locked values of a checkpoint: which model, which tokens, which chat template its weights belong to."""

from typing import Any

import msgspec

from state.contract.adapters import AdapterShape, adapter_shape, adapter_words
from state.contract.run_config import ChatConfig, ModelConfig, RunConfig, TokenizerConfig, by_key

_MAY_CHANGE = frozenset({"model.family", "model.max_context_length", "chat.template", "chat.digest"})
"""The family is a label, the longest document is bounded by the hero and not by what was trained before, and
the chat template is part of the config's hash: none of them makes another model."""

ADAPTER = "training.method"
"""The key under which adapters that differ are told, whatever differs in them."""


class Locked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the weights of a checkpoint belong to."""

    model: ModelConfig
    tokenizer: TokenizerConfig
    chat: ChatConfig
    adapter: AdapterShape | None = None
    """None: the checkpoint holds every weight."""


class Unlike(msgspec.Struct, frozen=True):
    """A locked value of a checkpoint that is not the one asked for."""

    key: str
    """`model.architecture`, `tokenizer.digest`, ..."""
    found: Any
    asked: Any


def locked_values(config: RunConfig) -> Locked:
    """Return the locked part of a config."""
    return Locked(
        model=config.model,
        tokenizer=config.tokenizer,
        chat=config.chat,
        adapter=adapter_shape(config.training),
    )


def first_unlike(saved: Locked, wanted: Locked, *, is_start: bool = False) -> Unlike | None:
    """Return the first locked value, by key, in which a checkpoint is not what is asked for.

    A campaign that only begins with the checkpoint may put adapters on its full weights, or train all of them
    with its adapters merged in.
    """
    found, asked = by_key(_without_adapter(saved)), by_key(_without_adapter(wanted))
    for key in sorted((found.keys() | asked.keys()) - _MAY_CHANGE):
        if found.get(key) != asked.get(key):
            return Unlike(key, found.get(key), asked.get(key))
    changes_method = is_start and None in (saved.adapter, wanted.adapter)
    if saved.adapter != wanted.adapter and not changes_method:
        return Unlike(ADAPTER, adapter_words(saved.adapter), adapter_words(wanted.adapter))
    return None


def _without_adapter(locked: Locked) -> Locked:
    return msgspec.structs.replace(locked, adapter=None)
