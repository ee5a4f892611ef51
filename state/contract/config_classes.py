"""What a changed config means for weights that were trained with the old one: a class for every key.

One table for two readers: the plan says what follows from a change, the running trainer refuses to take up
more than it can. A key that stands here nowhere fails a test.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from state.contract.run_config import RunConfig, by_key

Class = Literal["no-op", "live", "resume", "restart", "new lineage"]
ORDER: tuple[Class, ...] = ("no-op", "live", "resume", "restart", "new lineage")
"""From what disturbs least to what disturbs most; of several changes the last of these decides."""

CLASSES: Mapping[str, Class] = {
    # A label: nothing that is trained depends on it.
    "model.family": "no-op",
    "chat.template": "no-op",  # its name; what it says is the digest's
    # Looked at anew for every update, so the running trainer takes it up at the next one.
    "training.learning_rate": "live",
    "training.muon_learning_rate": "live",
    "training.warmup_steps": "live",
    "training.clip": "live",
    "training.schedule_updates": "live",
    "training.final_rate_ratio": "live",
    "evaluation.every_updates": "live",
    "evaluation.max_rows": "live",
    "evaluation.skills": "live",
    "checkpoint.every_updates": "live",
    "checkpoint.every_minutes": "live",
    "loss_guard.enabled": "live",
    "loss_guard.window": "live",
    "loss_guard.warm_up": "live",
    "loss_guard.deviations": "live",
    "loss_guard.least_nats": "live",
    "loss_guard.skips": "live",
    "loss_guard.per_updates": "live",
    # Decided when a trainer starts: it saves, leaves, and goes on with the optimizer's state.
    "training.precision": "resume",
    "training.batch_size": "resume",
    "training.gradient_accumulation": "resume",
    "training.lr_scheduler": "resume",
    "training.max_length": "resume",
    "training.weight_decay": "resume",
    "training.weight_decay_on": "resume",
    "training.lora.dropout": "resume",
    "training.adam_beta1": "resume",
    "training.adam_beta2": "resume",
    "training.adam_epsilon": "resume",
    "training.muon_momentum": "resume",
    "training.seed": "resume",
    "training.gradient_checkpointing": "resume",
    "training.packing": "resume",
    "training.compile": "resume",
    "evaluation.held_out_fraction": "resume",
    "evaluation.held_out_digest": "resume",
    "model.max_context_length": "resume",
    "chat.digest": "resume",
    # The state of one optimizer means nothing to another: the weights stay, the state begins anew.
    "training.optimizer": "restart",
    # Locked: adapters of another shape or weight are other weights, and a fresh start of them would forget
    # all that was learnt. A new campaign may begin with a checkpoint of this one.
    "training.method": "new lineage",
    "training.lora.rank": "new lineage",
    "training.lora.alpha": "new lineage",
    "training.lora.target_modules": "new lineage",
    # Locked: the weights are of another model, or of other tokens.
    "model.init": "new lineage",
    "model.base_model": "new lineage",
    "model.architecture": "new lineage",
    "model.vocab_size": "new lineage",
    "model.config": "new lineage",
    "model.config_digest": "new lineage",
    "tokenizer.kind": "new lineage",
    "tokenizer.digest": "new lineage",
}
"""By dotted key; every field of a model's own config counts as `model.config`."""

_USUAL: Mapping[str, Any] = {
    "training.method": "full",
    "training.weight_decay_on": "matrices",
    "training.packing": True,
    "training.compile": False,
}
"""What a config means that does not say it."""

_OF_ADAPTERS = "training.lora."
"""Where only one of two configs has adapters, their method says it."""
_OF_MUON = frozenset({"training.muon_learning_rate", "training.muon_momentum"})


class KeyChange(NamedTuple):
    """One value of a config that changes."""

    key: str
    old: Any
    new: Any
    class_: Class


def changes_between(old: RunConfig, new: RunConfig) -> tuple[KeyChange, ...]:
    """Return every value that changes, by key."""
    before, after = {**_USUAL, **by_key(old)}, {**_USUAL, **by_key(new)}
    uses_muon = "muon" in (old.training.optimizer, new.training.optimizer)
    one_is_full = None in (old.training.lora, new.training.lora)
    return tuple(
        KeyChange(key, before.get(key), after.get(key), _class_of(key, uses_muon=uses_muon))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) and not (one_is_full and key.startswith(_OF_ADAPTERS))
    )


def strongest(changes: tuple[KeyChange, ...]) -> Class:
    """Return the class of all these changes together; none of them is a no-op."""
    return max((change.class_ for change in changes), key=ORDER.index, default="no-op")


def _class_of(key: str, *, uses_muon: bool) -> Class:
    if key in _OF_MUON and not uses_muon:
        return "no-op"  # while AdamW updates everything, nobody reads them
    return CLASSES["model.config" if key.startswith("model.config.") else key]
