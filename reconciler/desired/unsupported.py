"""What a loaded spec asks for that this version cannot do: launch blockers, and notes that stop nothing.

Pure. Older heroes load unchanged; `plan` turns each blocker into a named reason why nothing is launched.
"""

from collections.abc import Iterator, Mapping

import msgspec

from reconciler.desired.dataset import Dataset
from reconciler.desired.foreign_names import meant_value
from reconciler.desired.hero import Hero
from reconciler.desired.layers import LAYERS, Resolved
from reconciler.desired.optimizers import OPTIMIZERS
from reconciler.desired.places import KeyPath
from reconciler.desired.schedulers import FALLING, SCHEDULERS, STEADY
from state.contract.chat import is_built_in, is_model_own
from state.contract.row_words import quoted

PRECISIONS = ("auto", "fp32", "bf16")
_IDLE_BESIDE = {
    "schedule_updates": ("lr_scheduler", STEADY),
    "final_rate_ratio": ("lr_scheduler", STEADY),
    "lora": ("method", ("full",)),
    "muon_learning_rate": ("optimizer", ("adamw",)),
    "muon_momentum": ("optimizer", ("adamw",)),
}
"""Setting, or section of settings → the setting, and its values, beside which it has no effect."""
_FALLS = ', whose rate stays; it falls with cosine or linear, and of wsd in a release ("releases")'
_ELSEWHERE = {
    "schedule_updates": _FALLS,
    "final_rate_ratio": _FALLS,
    "lora": "; adapters go with method: lora or qlora",
}
_CHATML = {
    "system_token": "<|im_start|>system",
    "user_token": "<|im_start|>user",
    "assistant_token": "<|im_start|>assistant",
    "end_token": "<|im_end|>",
}
"""What the built-in template writes, by the keys that older heroes have for it."""


class Unsupported(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a spec says and this version does not do."""

    path: KeyPath
    """Where the hero, skill or dataset says it; for a setting, the setting's key path."""
    reason: str
    blocks: bool
    """Is launching refused? Otherwise it changes nothing that is learnt."""
    origin: str | None = None
    """File and line, where known here."""
    hint: str = "remove it, or choose another value"
    """What to do about it."""


def unsupported_settings(settings: Mapping[str, Resolved]) -> tuple[Unsupported, ...]:
    """Return the resolved settings of a campaign that the trainer cannot honour; all of them block."""
    allowed = {"optimizer": OPTIMIZERS, "lr_scheduler": SCHEDULERS, "precision": PRECISIONS}
    found = []
    for key, known in allowed.items():
        setting = settings[key]
        if setting.value not in known:
            near = meant_value(str(setting.value), known)
            meant = f'; did you mean "{near}"?' if near else ""
            reason = f'{key} "{setting.value}" is not supported; known: {", ".join(known)}{meant}'
            path: KeyPath = tuple(key.split("."))
            found.append(Unsupported(path=path, reason=reason, blocks=True, origin=setting.origin))
    return (*found, *_schedule_problems(settings), *_guard_problems(settings))


def idle_settings(settings: Mapping[str, Resolved]) -> Iterator[Unsupported]:
    """Yield what is said and has no effect beside what the same layer says, or a weaker one.

    What a stronger one makes idle was meant so: a constant rate of a campaign whose hero has a falling one.
    """
    for key, (disabled_by, values) in _IDLE_BESIDE.items():
        chosen = settings[disabled_by]
        said = [one for one in _of(settings, key) if _is_said_beside(one, chosen)]
        if said and chosen.value in values:
            reason = f"{key} has no effect: {disabled_by} is {chosen.value}{_ELSEWHERE.get(key, '')}"
            path: KeyPath = tuple(key.split("."))
            yield Unsupported(path=path, reason=reason, blocks=False, origin=said[0].origin)


def _of(settings: Mapping[str, Resolved], key: str) -> list[Resolved]:
    """Return a setting, or those of a section, by key path."""
    return [one for name, one in settings.items() if name == key or name.startswith(f"{key}.")]


def _is_said_beside(one: Resolved, other: Resolved) -> bool:
    return one.layer != LAYERS[0] and LAYERS.index(one.layer) >= LAYERS.index(other.layer)


def _guard_problems(settings: Mapping[str, Resolved]) -> Iterator[Unsupported]:
    """Yield that the loss guard is to wait for more updates than it remembers."""
    warm_up, window = settings["loss_guard.warm_up"], settings["loss_guard.window"]
    if (
        warm_up.layer == LAYERS[0]
        or warm_up.value <= window.value
        or not settings["loss_guard.enabled"].value
    ):
        return  # the built-in one is as long as the window at most
    reason = f"loss_guard.warm_up {warm_up.value} is more than loss_guard.window {window.value} remembers"
    hint = f"make loss_guard.warm_up at most {window.value}, or loss_guard.window at least {warm_up.value}"
    path: KeyPath = ("loss_guard", "warm_up")
    yield Unsupported(path=path, reason=reason, blocks=True, origin=warm_up.origin, hint=hint)


def _schedule_problems(settings: Mapping[str, Resolved]) -> Iterator[Unsupported]:
    """Yield why a rate that is to fall cannot: nobody says until when, or the warm-up is not over by then."""
    scheduler, until, warmup = (settings[key] for key in ("lr_scheduler", "schedule_updates", "warmup_steps"))
    if scheduler.value not in FALLING:
        return
    if until.value is None:
        reason = (
            f'lr_scheduler "{scheduler.value}" needs schedule_updates: a campaign has no last update towards '
            "which its rate could fall"
        )
        path: KeyPath = ("lr_scheduler",)
        hint = (
            "say beside it when the rate has come down, in updates of the campaign: schedule_updates; or "
            "lr_scheduler: constant"
        )
        yield Unsupported(path=path, reason=reason, blocks=True, origin=scheduler.origin, hint=hint)
    elif until.value <= warmup.value:
        reason = f"schedule_updates {until.value} is not after the warm-up of {warmup.value} updates"
        hint = f"make schedule_updates more than {warmup.value}, or warmup_steps less than {until.value}"
        yield Unsupported(
            path=("schedule_updates",), reason=reason, blocks=True, origin=until.origin, hint=hint
        )


def unsupported_hero(hero: Hero) -> tuple[Unsupported, ...]:
    """Return what a hero asks for beyond its settings."""
    return (*_blockers(hero), *_notes(hero))


def unsupported_dataset(dataset: Dataset) -> tuple[Unsupported, ...]:
    """Return what an older contract promises of its rows and nothing looks after; the rest of it is honoured.

    `skill_id` and `task_tags` promise nothing: they are words to find a dataset by.
    """
    found = []
    if dataset.eval_leakage_guard is not None:
        reason = (
            "has no effect: the problems of every skill that says how it is examined are looked for in all "
            "rows, and refused; allow_leakage names what may be learnt"
        )
        found.append(_note(("eval_leakage_guard",), f"eval_leakage_guard {reason}"))
    if dataset.safety_profile is not None:
        reason = "has no effect: rows are judged by keys, types and invariants alone"
        found.append(_note(("safety_profile",), f"safety_profile {reason}"))
    return tuple(found)


def _blockers(hero: Hero) -> Iterator[Unsupported]:
    defaults = hero.training_defaults
    if defaults is not None and defaults.load_in_4bit and hero.qlora is not None and not hero.qlora.enabled:
        reason = "load_in_4bit: true asks for adapters on 4-bit weights, and qlora.enabled is false"
        yield _block(("training_defaults", "load_in_4bit"), reason)
    if hero.trainer is not None and hero.trainer.type == "deepspeed":
        yield _block(("trainer", "type"), "deepspeed is not supported")
    if hero.memory_profile is not None:
        reason = f'the memory profile "{hero.memory_profile}" is a preset of another program'
        yield _block(("memory_profile",), reason)
    yield from _chat_blockers(hero)


def _chat_blockers(hero: Hero) -> Iterator[Unsupported]:
    template = hero.chat.template
    if hero.model.init is not None and not is_built_in(template):
        reason = f'the chat template "{template}" needs a model that brings it; with init: scratch use chatml'
        yield _block(("chat", "template"), reason)
    elif not is_built_in(template) and not is_model_own(template):
        yield _block(("chat", "template"), f'the chat template "{template}" is not known')


def _notes(hero: Hero) -> Iterator[Unsupported]:
    defaults = hero.training_defaults
    if defaults is not None and defaults.save_total_limit is not None:
        reason = "save_total_limit deletes nothing: specs/retention.yaml decides, without it all are kept"
        yield _note(("training_defaults", "save_total_limit"), reason)
    if defaults is not None and defaults.liger_kernel is not None and defaults.liger_kernel.enabled:
        yield _note(
            ("training_defaults", "liger_kernel"), "liger kernels are not used; the result is the same"
        )
    yield from _chat_notes(hero)
    if hero.idle_behavior is not None and hero.idle_behavior.enabled:
        yield _note(("idle_behavior",), "nothing is generated while the queue is empty")


def _chat_notes(hero: Hero) -> Iterator[Unsupported]:
    """Yield the tokens of a chat that are not those of the built-in template, which alone decides."""
    template = hero.chat.template
    if not is_built_in(template):
        return
    for key, written in _CHATML.items():
        said = getattr(hero.chat, key)
        if said is not None and said.strip() != written:
            told = (
                f"{key} {quoted(said)} has no effect: the chat template {template} writes {quoted(written)}"
            )
            yield _note(("chat", key), told)
    if hero.chat.supports_system is False:
        told = f"supports_system: false has no effect: the chat template {template} writes system messages"
        yield _note(("chat", "supports_system"), told)


def _block(path: KeyPath, reason: str) -> Unsupported:
    return Unsupported(path=path, reason=reason, blocks=True)


def _note(path: KeyPath, reason: str) -> Unsupported:
    return Unsupported(path=path, reason=reason, blocks=False)
