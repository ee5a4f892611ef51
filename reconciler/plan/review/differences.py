"""What two commits do otherwise with the same thing: `plan BASE..HEAD` says it beside the change. Pure."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from reconciler.plan.actions import AnyAction
from reconciler.plan.changes import Change

_UNSAID = frozenset({"specs_commit", "config_hash"})
"""What differs because something else does."""
_OPAQUE = {
    "source_key": "content",
    "digest": "content",
    "expected_digest": "content",
    "dataset_path": "content",
    "job_uids": "quests",
}
"""What no person reads by its value."""
_NAMES = {"goal_updates": "goal.updates", "goal_tokens": "goal.tokens", "goal_quests": "goal.quests"}
_MOST = 4


def same_thing(change: Change) -> tuple[str, ...]:
    """Return what two changes have in common that do something with the same thing, alike or not."""
    action = change.action
    about = (getattr(action, name, "") for name in ("campaign", "job_uid", "quest_id"))
    return type(action).__name__, change.subject, *map(str, about)


def differences(now: AnyAction, before: AnyAction) -> tuple[str, ...]:
    """Return what `now` does otherwise than `before`, each as in `epochs 2 instead of 1`."""
    fields, others = dict(_fields(msgspec.to_builtins(now))), dict(_fields(msgspec.to_builtins(before)))
    differing = [key for key in fields | others if fields.get(key) != others.get(key)]
    said = [text for key in differing if (text := _said(key, fields.get(key), others.get(key)))]
    found = [text for text in dict.fromkeys(said) if not text.startswith("other ")]
    found = found or list(dict.fromkeys(said))
    more = len(found) - _MOST
    return (*found[:_MOST], *([f"{more} more"] if more > 0 else ()))


def _fields(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value with its path; the options of a command by their names."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _fields(inner, f"{key}.{name}" if key else name)
    elif key == "command":
        yield from _options(value)
    else:
        yield key, value


def _options(command: Sequence[str]) -> Iterator[tuple[str, Any]]:
    options = {name: word for name, word in pairwise(command) if name.startswith("--")}
    yield from ((name.removeprefix("--"), word) for name, word in options.items())
    said = {*options, *options.values()}
    yield "command", " ".join(word for word in command if word not in said)


def _said(key: str, value: Any, before: Any) -> str:
    """Return one difference in words; nothing where it only follows from another."""
    name = key.removeprefix("config.").removeprefix("training.").removeprefix("card.")
    if name in _UNSAID:
        return ""
    if name in _OPAQUE or isinstance(value, list | dict) or isinstance(before, list | dict):
        return f"other {_OPAQUE.get(name, name)}"
    return f"{_NAMES.get(name, name)} {_shown(value)} instead of {_shown(before)}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
