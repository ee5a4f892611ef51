"""What is said of the model that weights from elsewhere belong to: by config.json, or by their manifest."""

from collections.abc import Mapping
from typing import Any

from reconciler.observed.model_records import PretrainedConfig
from reconciler.observed.start_records import StartFolder
from reconciler.plan.campaigns.starting_checkpoints import NoStart


def said_of(found: StartFolder) -> Mapping[str, Any]:
    """Return the architecture, the vocabulary and the sizes that are said of weights, by their names."""
    if found.manifest is not None and found.manifest.locked is not None:
        model = found.manifest.locked.model
        return {"architecture": model.architecture, "vocab_size": model.vocab_size, **model.config}
    if found.model is None:
        return {}
    said = found.model
    return {"architecture": said.architecture, "vocab_size": said.vocab_size, **said.sizes}


def unsaid_model(found: StartFolder) -> NoStart | None:
    """Return that the config.json of other software does not say of what model its weights are."""
    if found.model is None or found.model.architecture is not None:
        return None
    return NoStart(
        "unsaid-model",
        "its config.json names no architecture, or several (architectures: [ONE])",
        "bring the config.json that was saved with these weights",
    )


def known_sizes(config: Mapping[str, Any], base: PretrainedConfig | None) -> Mapping[str, Any]:
    """Return the sizes of a hero's model: those of its spec, and those of its base's own config.json."""
    return {**(base.sizes if base is not None else {}), **config}
