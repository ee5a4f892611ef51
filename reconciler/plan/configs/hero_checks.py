"""Can a hero be trained at all? Its own words, its model on this machine, and whether the two agree."""

from collections.abc import Iterator

import msgspec

from reconciler.desired.hero import Hero
from reconciler.desired.unsupported import unsupported_hero
from reconciler.observed.model_records import ModelFacts, PretrainedConfig
from reconciler.plan.world import World
from state.contract.byte_tokens import VOCAB_SIZE
from state.contract.chat import BUILT_IN, is_built_in, is_model_own, template_digest


class LaunchProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why no run can be launched with what the specs say."""

    code: str
    message: str
    cause: str
    hint: str


def model_of(world: World, hero: Hero) -> ModelFacts:
    """Return what this machine has of the model that a hero names."""
    return world.facts.models[hero.id]


def hero_problems(world: World, hero: Hero) -> tuple[LaunchProblem, ...]:
    """Return everything about a hero that keeps all of its campaigns from being launched."""
    return (
        *_unsupported(world, hero),
        *(_pretrained(world, hero) if hero.model.hf_name else _scratch(world, hero)),
    )


def hero_warnings(world: World, hero: Hero) -> Iterator[str]:
    """Yield what a hero says that has no effect, or that its model's own config contradicts harmlessly."""
    for note in unsupported_hero(hero):
        if not note.blocks:
            yield f"hero/{hero.id}: {note.reason} ({world.where(f'hero/{hero.id}', *note.path)})"
    if (template := unsaid_template(world, hero)) is not None:
        yield template
    config = model_of(world, hero).config if hero.model.hf_name else None
    if config is not None:
        yield from _harmless_contradictions(world, hero, config)


def unsaid_template(world: World, hero: Hero) -> str | None:
    """Return that a hero trains in another chat template than its model brings, and never says so.

    None: they are the same text, or the spec names the template, so that it is meant.
    """
    name, thing = hero.chat.template, f"hero/{hero.id}"
    brought = model_of(world, hero).chat_template_digest if hero.model.hf_name else None
    if brought is None or not is_built_in(name) or brought == template_digest(BUILT_IN[name]):
        return None
    if "chat.template" in world.desired.heroes[hero.id].places:
        return None
    where = world.where(thing, "chat", "template")
    return (
        f"{thing}: the model brings a chat template of its own, and {name} is used, since the spec names "
        f"none ({where}); say which is meant: chat: {{template: default}}, the model's own, or chat: "
        f"{{template: {name}}}"
    )


def _harmless_contradictions(world: World, hero: Hero, config: PretrainedConfig) -> Iterator[str]:
    thing = f"hero/{hero.id}"
    limit = config.max_position_embeddings
    if limit is not None and hero.model.context_length < limit:
        where = world.where(thing, "model", "context_length")
        yield f"{thing}: context_length {hero.model.context_length}; the model allows {limit} ({where})"
    if hero.model.rope_scaling is not None and config.rope_scaling is None:
        where = world.where(thing, "model", "rope_scaling")
        yield f"{thing}: rope_scaling {hero.model.rope_scaling} is not what the model's config says ({where})"


def _unsupported(world: World, hero: Hero) -> Iterator[LaunchProblem]:
    for found in unsupported_hero(hero):
        if found.blocks:
            yield LaunchProblem(
                code="unsupported",
                message=found.reason,
                cause=world.where(f"hero/{hero.id}", *found.path),
                hint="remove it from the hero, or wait for a version that does it",
            )


def _scratch(world: World, hero: Hero) -> Iterator[LaunchProblem]:
    if hero.model.vocab_size < VOCAB_SIZE:
        yield LaunchProblem(
            code="vocabulary",
            message=f"vocab_size {hero.model.vocab_size} is below the tokenizer's {VOCAB_SIZE}",
            cause=world.where(f"hero/{hero.id}", "model", "vocab_size"),
            hint=f"at least {VOCAB_SIZE}",
        )


def _pretrained(world: World, hero: Hero) -> Iterator[LaunchProblem]:
    seen = model_of(world, hero)
    if not seen.is_usable:
        yield LaunchProblem(
            code="model-missing",
            message="; ".join(seen.missing),
            cause=world.where(f"hero/{hero.id}", "model", "hf_name"),
            hint="once its files are there, apply goes on by itself; reconcile downloads nothing",
        )
        return
    if seen.config is not None:
        yield from _contradictions(world, hero, seen.config)
        yield from _untrainable(world, hero, seen.config)
    yield from _tokenizer(world, hero, seen)
    yield from _unfit(world, hero)
    is_from_model = is_model_own(hero.chat.template) and not is_built_in(hero.chat.template)
    if is_from_model and not seen.chat_template_digest:
        yield LaunchProblem(
            code="chat-template",
            message=f"the model brings no chat template, which {hero.chat.template} stands for",
            cause=world.where(f"hero/{hero.id}", "chat", "template"),
            hint="chat: {template: chatml}",
        )


def _tokenizer(world: World, hero: Hero, seen: ModelFacts) -> Iterator[LaunchProblem]:
    if seen.tokenizer_digest is None:
        why = seen.tokenizer_problem or "none was found"
        yield LaunchProblem(
            code="tokenizer-missing",
            message=f"the model has no tokenizer that can be used: {why}",
            cause=world.where(f"hero/{hero.id}", "model", "hf_name"),
            hint="put tokenizer.json of the same model into its folder; apply goes on by itself",
        )
    if (unusable := world.facts.unusable_tokenizers.get(hero.id)) is not None:
        yield LaunchProblem(
            code="tokenizer-unusable",
            message=unusable,
            cause=world.where(f"hero/{hero.id}", "model", "hf_name"),
            hint="put the file of the same model there; apply goes on by itself",
        )


def _unfit(world: World, hero: Hero) -> Iterator[LaunchProblem]:
    if (why := world.facts.unfit_weights.get(hero.id)) is not None:
        yield LaunchProblem(
            code="weights-unfit",
            message=why,
            cause=world.where(f"hero/{hero.id}", "model", "hf_name"),
            hint="bring the weights and the config.json of one model; reconcile validate --data looks again",
        )


def _untrainable(world: World, hero: Hero, config: PretrainedConfig) -> Iterator[LaunchProblem]:
    if config.scaled_logits:
        fields = ", ".join(config.scaled_logits)
        yield LaunchProblem(
            code="model-untrainable",
            message=f"{config.architecture} changes its logits after the head ({fields} in its config.json), "
            "which this engine does not train yet",
            cause=world.where(f"hero/{hero.id}", "model", "hf_name"),
            hint="name another model",
        )


def _contradictions(world: World, hero: Hero, config: PretrainedConfig) -> Iterator[LaunchProblem]:
    """Locked facts of the spec that the model's own config contradicts."""
    limit = config.max_position_embeddings
    pairs = (
        ("architecture", hero.model.architecture, config.architecture),
        ("vocab_size", hero.model.vocab_size, config.vocab_size),
        (
            "context_length",
            hero.model.context_length,
            min(hero.model.context_length, limit) if limit else None,
        ),
    )
    for key, said, found in pairs:
        if found is not None and said != found:
            yield LaunchProblem(
                code="model-contradicts",
                message=f"{key} is {said} in the spec and {found} in the model's config.json",
                cause=world.where(f"hero/{hero.id}", "model", key),
                hint=f"{key}: {found}",
            )
