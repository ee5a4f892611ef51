"""A hero of pretrained weights, as text: its facts are those of the model's config.json, none is guessed."""

from pathlib import Path

from reconciler.app.committing.scalars import quoted
from reconciler.app.committing.weights_fit import check_weights
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed, NotFound
from reconciler.desired.base import is_identifier
from reconciler.observed.model_records import ModelFacts, PretrainedConfig
from reconciler.observed.models import hub_cache_folder, observe_model
from state.amounts import size
from state.layout import Layout

COMMENT_AT = 38
_LONGEST = 2048
"""What training uses at first, where the model takes as much."""
_PATHS = ("/", "./", "../", "~/")


def model_hero_text(
    environment: Environment, layout: Layout, hero: str, model: str
) -> tuple[str, tuple[str, ...]]:
    """Return the spec of a hero of this model, and what a person should know of its weights.

    The model is a folder, or one in the hub's local cache.

    Raises:
        NotFound: it is not on this machine, or not whole.
        Failed: its config.json does not say what a hero must, or its weights do not fill the model.
    """
    name = _model_name(environment, model)
    hub = hub_cache_folder(environment.variables, environment.home)
    facts = observe_model(name, (layout.models,), layout.root, hub)
    if facts.missing or facts.config is None:
        why = "; ".join(facts.missing) or "it has no config.json"
        raise NotFound(f"{model}: {why}; nothing was written (weights are never downloaded)")
    if facts.tokenizer_digest is None:
        raise NotFound(
            f"{model}: it has no tokenizer that can be used: {facts.tokenizer_problem}; nothing was written. "
            "Put tokenizer.json of the same model beside its weights"
        )
    text = _text(hero, name, facts, _checked(model, facts.config))
    return text, check_weights(environment, str(facts.folder), "base")


def _model_name(environment: Environment, model: str) -> str:
    """Return what the spec calls it: an absolute path where a person gave a path, else the name as it is."""
    if model == "." or model.startswith(_PATHS):
        given = Path(model.replace("~", str(environment.home), 1) if model[0] == "~" else model)
        return str((environment.cwd / given).resolve())
    return model


def _checked(model: str, config: PretrainedConfig) -> PretrainedConfig:
    needed = {
        "model_type": config.model_type,
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.max_position_embeddings,
    }
    if config.architecture is None:
        raise Failed(
            f"{model}: its config.json does not say architectures, so that nobody can tell what its weights "
            "are of; bring the config.json that was saved with them; nothing was written"
        )
    if silent := [key for key, value in needed.items() if value is None]:
        raise Failed(
            f"{model}: its config.json does not say {', '.join(silent)}, and nothing is guessed here; write "
            "the spec by hand: specs/heroes/_template.yaml has every field"
        )
    if not is_identifier(str(config.architecture)):
        raise Failed(
            f"{model}: its config.json names the architecture {config.architecture!r}, which is no class"
        )
    return config


def _text(hero: str, name: str, facts: ModelFacts, config: PretrainedConfig) -> str:
    context = config.max_position_embeddings or 0
    num_bytes = sum(weights.size_bytes for weights in facts.weights)
    lines = [
        "# yaml-language-server: $schema=../../schemas/hero.schema.json",
        _line(f"id: {hero}", "equals the file's name"),
        _line(f"name: {hero}", "for people"),
        _line("model:", "locked: no campaign changes it; from the model's own config.json"),
        _line(f"  hf_name: {quoted(name)}", f"its weights: {size(num_bytes)}"),
        _line(f"  family: {quoted(str(config.model_type))}", "model_type there"),
        _line(f"  architecture: {config.architecture}", "the transformers class"),
        _line(f"  vocab_size: {config.vocab_size}", "tokens that it knows"),
        _line(f"  context_length: {context}", "its limit in tokens; max_length is what training uses"),
        _line("training_defaults:", "a campaign's config_overrides may change each of these"),
        _line("  precision: auto", "bf16 where the device computes it well, else fp32"),
        _line("  batch_size: 1", "documents in a micro-batch"),
        _line("  gradient_accumulation: 16", "micro-batches in an update: 16 documents"),
        _line("  optimizer: adamw", "or muon: matrices by Muon, the rest by AdamW"),
        _line("  learning_rate: 1.0e-4", "after the warm-up"),
        _line("  warmup_steps: 100", "updates"),
        _line(f"  max_length: {min(_LONGEST, context)}", "tokens; a longer document is refused, by its row"),
        _chat(facts),
    ]
    return "\n".join(lines) + "\n"


def _chat(facts: ModelFacts) -> str:
    if facts.chat_template_digest is None:
        return _line("chat: {template: chatml}", "built in: the model brings no template")
    return _line("chat: {template: default}", "the one that comes with the model; or chatml")


def _line(text: str, comment: str) -> str:
    return f"{text.ljust(COMMENT_AT)} # {comment}"
