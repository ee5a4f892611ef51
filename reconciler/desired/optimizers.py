"""Names of optimizers: those that train here, and those that older specs may hold."""

from reconciler.desired.mistakes import nearest_name

OPTIMIZERS = ("adamw", "muon")
OLDER_OPTIMIZERS = frozenset(
    {"adam", "adam_8bit", "adamw_hf", "adamw_apex_fused", "adamw_torch", "adamw_torch_fused", "adamw_fused"}
    | {"adamw_torch_xla", "adamw_torch_npu_fused", "adamw_torch_4bit", "adamw_torch_8bit", "adamw_8bit"}
    | {"adamw_bnb_8bit", "adamw_anyprecision", "adafactor", "adagrad", "ademamix", "ademamix_8bit", "sgd"}
    | {"lion", "lion_8bit", "lion_32bit", "paged_adamw", "paged_adamw_8bit", "paged_adamw_32bit"}
    | {"paged_lion", "paged_lion_8bit", "paged_lion_32bit", "paged_ademamix_8bit", "paged_ademamix_32bit"}
    | {"galore", "galore_8bit", "galore_adamw", "galore_adamw_8bit", "galore_adafactor"}
    | {"galore_adamw_layerwise", "galore_adamw_8bit_layerwise", "galore_adafactor_layerwise"}
    | {"apollo_adamw", "apollo_adamw_layerwise", "rmsprop", "rmsprop_bnb", "rmsprop_bnb_8bit"}
    | {"rmsprop_bnb_32bit", "lomo", "adalomo", "grokadamw", "stable_adamw", "schedule_free_radam"}
    | {"schedule_free_adamw", "schedule_free_sgd"}
)
"""Names of transformers and of older programs: a spec with one of them loads and is not launched."""


def is_optimizer(name: str) -> bool:
    """Is this the name of an optimizer, trained here or not?"""
    return name in OPTIMIZERS or name in OLDER_OPTIMIZERS


def nearest_optimizer(name: str) -> str | None:
    """Return the name that was probably meant, one of ours before an older one."""
    return nearest_name(name, OPTIMIZERS) or nearest_name(name, OLDER_OPTIMIZERS)
