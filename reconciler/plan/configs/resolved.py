"""What a run of a campaign would be, or what stands in the way."""

from collections.abc import Iterator, Mapping

import msgspec

from reconciler.desired.adapter_targets import unknown_targets
from reconciler.desired.hero import Hero
from reconciler.desired.layers import Resolved, layers_of, resolve
from reconciler.desired.skill import exam_of
from reconciler.desired.training import HeldOutFile as HeldOutSpec
from reconciler.desired.unsupported import unsupported_settings
from reconciler.plan.changes import HERO_BLOCKED
from reconciler.plan.configs.hero_checks import LaunchProblem, hero_problems, model_of
from reconciler.plan.configs.locked import length_problems
from reconciler.plan.queue.held_out import held_out_shape
from reconciler.plan.segments.lowered_rates import lowered
from reconciler.plan.world import World
from state.contract.byte_tokens import byte_tokens_digest
from state.contract.chat import BUILT_IN, is_built_in, template_digest
from state.contract.examination import SkillExam
from state.contract.request import (
    ChatConfig,
    CheckpointConfig,
    EvaluationConfig,
    HeldOutFile,
    LossGuardConfig,
    ModelConfig,
    RunConfig,
    TokenizerConfig,
    TrainingConfig,
    config_hash,
)


class ResolvedRun(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a run that the specs and the model decide."""

    config: RunConfig
    config_hash: str
    settings: Mapping[str, Resolved]
    """Training settings by dotted key, each with its origin."""
    model_dir: str | None
    held_out: HeldOutFile | None


def resolve_run(world: World, campaign: str) -> ResolvedRun | tuple[LaunchProblem, ...]:
    """Return the config of a campaign's next run, or everything that keeps it from being launched."""
    hero = world.desired.hero_of(campaign).spec
    row = world.facts.campaign_row(campaign)
    segments = world.facts.segments_of(row.uid) if row is not None else ()
    settings = lowered(resolve(layers_of(world.desired, campaign)), row, segments)
    problems = (*_hero_problem(world, hero), *_setting_problems(world, campaign, settings))
    if problems:
        return problems
    config = RunConfig(
        model=_model(world, hero, settings),
        tokenizer=_tokenizer(world, hero),
        chat=_chat(world, hero),
        training=_training(settings),
        evaluation=_evaluation(world, campaign, settings),
        checkpoint=CheckpointConfig(
            every_updates=settings["checkpoint.every_updates"].value,
            every_minutes=float(settings["checkpoint.every_minutes"].value),
        ),
        loss_guard=_loss_guard(settings),
    )
    return ResolvedRun(
        config=config,
        config_hash=config_hash(config),
        settings=settings,
        model_dir=model_of(world, hero).folder if hero.model.hf_name else None,
        held_out=_held_out(world, campaign, settings),
    )


def _hero_problem(world: World, hero: Hero) -> Iterator[LaunchProblem]:
    """Point at the hero's own blockers, which are told once, under the hero."""
    for first in hero_problems(world, hero)[:1]:
        yield LaunchProblem(
            code=HERO_BLOCKED,
            message=f"waits for hero/{hero.id}: {first.code}",
            cause=first.cause,
            hint=f"reconcile explain hero/{hero.id}",
        )


def _model(world: World, hero: Hero, settings: Mapping[str, Resolved]) -> ModelConfig:
    pretrained = model_of(world, hero).config if hero.model.hf_name else None
    return ModelConfig(
        init="pretrained" if pretrained else "scratch",
        base_model=hero.model.hf_name,
        family=hero.model.family,
        architecture=hero.model.architecture,
        vocab_size=hero.model.vocab_size,
        max_context_length=settings["max_length"].value,
        config={} if pretrained else dict(hero.model.config),
        config_digest=pretrained.digest if pretrained else None,
    )


def _tokenizer(world: World, hero: Hero) -> TokenizerConfig:
    if hero.model.hf_name is None:
        return TokenizerConfig(kind="bytes", digest=byte_tokens_digest())
    return TokenizerConfig(kind="pretrained", digest=model_of(world, hero).tokenizer_digest or "")


def _chat(world: World, hero: Hero) -> ChatConfig:
    name = hero.chat.template
    if is_built_in(name):
        return ChatConfig(template=name, digest=template_digest(BUILT_IN[name]))
    return ChatConfig(template=name, digest=model_of(world, hero).chat_template_digest or "")


def _training(settings: Mapping[str, Resolved]) -> TrainingConfig:
    names = TrainingConfig.__struct_fields__
    values = {name: settings[name].value for name in names if name in settings}
    if values["method"] != "full":
        values["lora"] = _lora(settings)
    if values["lr_scheduler"] in ("constant", "wsd"):
        values |= {"schedule_updates": None, "final_rate_ratio": None}
    return msgspec.convert(values, TrainingConfig)


def _lora(settings: Mapping[str, Resolved]) -> dict[str, object]:
    targets = settings["lora.target_modules"].value
    return {
        **{key: settings[f"lora.{key}"].value for key in ("rank", "alpha", "dropout")},
        "target_modules": (targets,) if isinstance(targets, str) else tuple(sorted(targets)),
    }


def _loss_guard(settings: Mapping[str, Resolved]) -> LossGuardConfig | None:
    """Return what differs from the built-in guard: only that is part of the config's hash."""
    built_in = msgspec.structs.asdict(LossGuardConfig())
    given = {name: settings[f"loss_guard.{name}"].value for name in built_in}
    other = {name: value for name, value in given.items() if value != built_in[name]}
    return msgspec.convert(other, LossGuardConfig) if other else None


def _evaluation(world: World, campaign: str, settings: Mapping[str, Resolved]) -> EvaluationConfig:
    held_out = settings["evaluation.held_out"].value
    file = _held_out(world, campaign, settings)
    return EvaluationConfig(
        every_updates=settings["evaluation.every_updates"].value,
        held_out_fraction=0.0 if isinstance(held_out, HeldOutSpec) else float(held_out),
        max_rows=settings["evaluation.max_rows"].value,
        held_out_digest=file.digest if file else None,
        skills=tuple(_exams(world, campaign)),
    )


def _exams(world: World, campaign: str) -> Iterator[SkillExam]:
    """Yield how the campaign's focused skills are examined, those that are."""
    for name in world.desired.campaigns[campaign].spec.skills_focus:
        source = world.desired.skills.get(name)
        exam = exam_of(source.spec) if source else None
        if exam is not None:
            yield exam


def _held_out(world: World, campaign: str, settings: Mapping[str, Resolved]) -> HeldOutFile | None:
    spec = settings["evaluation.held_out"].value
    if not isinstance(spec, HeldOutSpec):
        return None
    seen = world.facts.held_out_files[campaign]
    return HeldOutFile(path=str(seen.path), digest=str(seen.sha256), shape=held_out_shape(seen))


def _setting_problems(
    world: World, campaign: str, settings: Mapping[str, Resolved]
) -> Iterator[LaunchProblem]:
    hero = world.desired.hero_of(campaign).spec
    for found in (*unsupported_settings(settings), *unknown_targets(hero, settings)):
        yield LaunchProblem(
            code="unsupported",
            message=found.reason,
            cause=found.origin or "specs",
            hint=found.hint,
        )
    yield from length_problems(world, campaign, settings)
    spec = settings["evaluation.held_out"]
    if isinstance(spec.value, HeldOutSpec):
        seen = world.facts.held_out_files.get(campaign)
        for finding in seen.findings[:1] if seen else ():
            yield LaunchProblem(
                code="held-out-file",
                message=f"{spec.value.file}: {finding}",
                cause=spec.origin,
                hint="mend the file, or its fields in the spec",
            )
