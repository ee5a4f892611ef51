"""What a spec with mistakes still says about other specs, so that its names are checked all the same. Pure.

Made by `loading` for `references` from the raw values; what is absent or of a wrong type is None there, and
empty where a list is expected: that is a mistake already, and not one of references.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

Values = Mapping[str, Any]


def rough_spec(kind: str, values: Values) -> SimpleNamespace:
    """Return the fields that references look at, as far as they can be read."""
    return SimpleNamespace(id=_text(values.get("id")), **_FIELDS[kind](values))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _section(value: Any) -> Values:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _length_of(section: Any) -> SimpleNamespace:
    return SimpleNamespace(max_length=_number(_section(section).get("max_length")))


def _realm(values: Values) -> dict[str, Any]:
    return {"active": _text(values.get("active"))}


def _hero(values: Values) -> dict[str, Any]:
    length = _number(_section(values.get("model")).get("context_length"))
    defaults = _length_of(values.get("training_defaults"))
    return {"model": SimpleNamespace(context_length=length), "training_defaults": defaults}


def _campaign(values: Values) -> dict[str, Any]:
    names = [_text(one) for one in _list(values.get("skills_focus"))]
    return {
        "skills_focus": names,
        "config_overrides": _length_of(values.get("config_overrides")),
        "state": _text(values.get("state")),
        "was": _text(values.get("was")),
        "starting_checkpoint": _text(values.get("starting_checkpoint")),
    }


def _queue(values: Values) -> dict[str, Any]:
    return {"quests": [_quest(_section(one)) for one in _list(values.get("quests"))]}


def _quest(values: Values) -> SimpleNamespace:
    who = [_text(one) for one in _list(values.get("for"))]
    return SimpleNamespace(
        skill=_text(values.get("skill")),
        level=_number(values.get("level")),
        dataset=_text(values.get("dataset")),
        for_=who,
        allow_leakage=_section(values.get("allow_leakage")),
    )


def _skill(values: Values) -> dict[str, Any]:
    return {"max_level": _number(values.get("max_level"))}


def _retention(values: Values) -> dict[str, Any]:
    sets = _section(values.get("campaigns"))
    return {"campaigns": SimpleNamespace(**{name: _kept(sets.get(name)) for name in ("active", "archived")})}


def _kept(values: Any) -> SimpleNamespace:
    best = [_section(one) for one in _list(_section(values).get("keep_best"))]
    return SimpleNamespace(keep_best=[SimpleNamespace(metric=_text(one.get("metric"))) for one in best])


def _hosts(_values: Values) -> dict[str, Any]:
    return {}


def _dataset(values: Values) -> dict[str, Any]:
    return {
        "version": _text(values.get("version")),
        "allow_leakage": _section(values.get("allow_leakage")),
    }


_FIELDS: Mapping[str, Callable[[Values], dict[str, Any]]] = {
    "realm": _realm,
    "hero": _hero,
    "campaign": _campaign,
    "queue": _queue,
    "retention": _retention,
    "hosts": _hosts,
    "skill": _skill,
    "dataset": _dataset,
}
