"""Models that change their logits after the head: the engine trains none, its loss calls the head alone."""

from collections.abc import Mapping
from typing import Any

_FIELDS = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")
"""Of transformers' configs."""


def scaled_logits(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of a model's config that change its logits; none: they are the head's own."""
    return tuple(name for name in _FIELDS if config.get(name) not in (None, 1))
