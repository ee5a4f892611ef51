"""What a changed config means for a campaign that has trained with another one, and which line did it."""

from collections.abc import Mapping

import msgspec

from reconciler.desired.places import Step
from reconciler.plan.configs.resolved import ResolvedRun
from reconciler.plan.world import World
from state.contract.config_classes import ORDER, Class, KeyChange, changes_between, strongest
from state.contract.run_config import RunConfig

_ELSEWHERE = {
    "model.max_context_length": "max_length",
    "evaluation.held_out_fraction": "evaluation.held_out",
    "evaluation.held_out_digest": "evaluation.held_out",
}
"""Key of the config → the setting that decides it, where their names differ."""
_HELD_OUT = ("evaluation.held_out_fraction", "evaluation.held_out_digest")
"""Two keys of the config for one setting."""
_REPEATED = ("model.max_context_length", "training.max_length")
"""The first of these is the second again."""

_MEANS: dict[str, str] = {
    "resume": "keeps its optimizer state",
    "restart": "with a fresh optimizer state",
}


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two configs."""

    verdict: Class
    """Of all changes together; a config that is the same differs in nothing, which is a no-op."""
    changes: tuple[KeyChange, ...]
    text: str
    """Each key, old → new; where they are of several classes, with its own, what decides first."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys that change, as a spec has them."""
        return tuple(_shown(change.key) for change in self.changes)

    @property
    def text_and_class(self) -> str:
        """Return the text with what follows from it."""
        is_said = len({change.class_ for change in self.changes}) > 1
        return self.text if is_said else f"{self.text} ({_in_words(self.verdict)})"

    @property
    def decisive(self) -> str | None:
        """Return the first key of the class that decides."""
        return next((change.key for change in self.changes if change.class_ == self.verdict), None)


def classify(old: RunConfig, new: RunConfig) -> Difference:
    """Say what going from one config to another means for what has been learnt."""
    changes = changes_between(old, new)
    return Difference(verdict=strongest(changes), changes=changes, text=_told(changes))


def change_since(config_json: str, new: RunConfig) -> Difference:
    """Return what a config means for a campaign that was last trained with the recorded one."""
    try:
        old = msgspec.json.decode(config_json, type=RunConfig)
    except msgspec.ValidationError:
        return Difference(verdict="resume", changes=(), text="the config was recorded by another version")
    return classify(old, new)


def cause_of(world: World, campaign: str, resolved: ResolvedRun, difference: Difference) -> str:
    """Return the line that made the decisive change: of a spec, or the words of the command line."""
    key = difference.decisive
    if key is None:
        return "specs"
    setting = _shown(key)
    if setting in resolved.settings:
        return resolved.settings[setting].origin
    return world.where(f"hero/{campaign.partition('/')[0]}", *place_in_hero(key))


def place_in_hero(key: str) -> tuple[Step, ...]:
    """Return where a hero says what a key of the sections model, tokenizer and chat has."""
    section, *rest = key.split(".")
    if section == "tokenizer" or rest[0] in ("base_model", "config_digest"):
        return "model", "hf_name"
    return (section, "template") if section == "chat" else (section, *rest)


def _told(changes: tuple[KeyChange, ...]) -> str:
    keys = {change.key for change in changes}
    once = [one for one in _with_one_held_out(changes) if one.key != _REPEATED[0] or _REPEATED[1] not in keys]
    once.sort(key=lambda change: -ORDER.index(change.class_))
    of_several = len({change.class_ for change in once}) > 1
    return ", ".join(_line(one) + (f" ({_in_words(one.class_)})" if of_several else "") for one in once)


def _with_one_held_out(changes: tuple[KeyChange, ...]) -> list[KeyChange]:
    """Return the changes, a share that becomes a file (or a file a share) as the one setting that it is."""
    share, file = (next((one for one in changes if one.key == key), None) for key in _HELD_OUT)
    if file is None:
        return list(changes)
    ends = zip((share.old, share.new) if share else (None, None), (file.old, file.new), strict=True)
    old, new = (f"file {digest}" if digest else share_ for share_, digest in ends)
    others = [one for one in changes if one.key not in _HELD_OUT]
    return [*others, KeyChange(_HELD_OUT[0], old, new, file.class_)]


def _in_words(verdict: Class) -> str:
    """Return the name of a class and, where the name alone does not say it, what follows."""
    return f"{verdict}: {_MEANS[verdict]}" if verdict in _MEANS else verdict


def _line(change: KeyChange) -> str:
    return f"{_shown(change.key)} {_value(change.old)} → {_value(change.new)}"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key} {_value(one)}" for key, one in value.items() if one is not None)
    if isinstance(value, list | tuple):
        is_plain = not any(isinstance(one, Mapping) for one in value)
        return (", " if is_plain else "; ").join(map(_value, value))
    return "none" if value is None else str(value)


def _shown(key: str) -> str:
    """Return the key that a spec has for a key of the config."""
    return _ELSEWHERE.get(key, key.removeprefix("training."))
