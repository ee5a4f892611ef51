"""Which keys and values of a file are wrong, all of them, in a person's words.

Called by `loading` for files that no cache knows. pydantic finds, this module words: the two meet only here.
"""

import functools
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

import msgspec

from reconciler.desired.base import ID_WORDS, Words, is_who
from reconciler.desired.foreign_names import said_here
from reconciler.desired.kinds import Kind, bad_id
from reconciler.desired.mistakes import MAX_SHOWN_NAMES, nearest_name
from reconciler.desired.places import Finding, KeyPath, Step, key_text
from reconciler.desired.queue import Quest
from reconciler.desired.training import LOCKED_KEYS, TrainingSettings
from reconciler.desired.yaml_scalars import kind_of

NULLABLE = frozenset({"model.rope_scaling"})
"""Where older files say null and mean it."""
_MAX_SHOWN = 60
_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_MISSING = " is missing"
_TOO_SHORT = frozenset({"too_short", "string_too_short"})
_TOO_LONG = frozenset({"too_long", "string_too_long"})
_THOUSAND = 1000
_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}

_MOST_SECTIONS = 2
"""In so many sections a key may stand for a person to be told of each."""


def check_values(kind: Kind, values: dict[str, Any]) -> tuple[bytes, list[Finding]]:
    """Return the values as JSON without empty sections, and everything that is wrong with them."""
    from reconciler.desired.models import model_of  # pydantic: 0.2 s, only for files that no cache knows

    findings = list(_take_empty_out(kind.type, values, ()))
    encoded = msgspec.json.encode(values)
    from pydantic import ValidationError

    try:
        model_of(kind.type).model_validate_json(encoded, strict=True)
    except ValidationError as error:
        told = {
            one.at for one in findings
        }  # a key without a value was taken out: nobody is told that it lacks
        found = _worded(kind, values, error.errors(include_url=False))
        findings += (one for one in found if one.at not in told or not one.message.endswith(_MISSING))
    return encoded, findings


def _take_empty_out(record: type, values: dict[str, Any], at: KeyPath) -> Iterator[Finding]:
    """Remove keys without a value: an empty section is fine, an empty setting is a mistake."""
    for key, hint in _fields_of(record).items():
        if key not in values:
            continue
        path = (*at, key)
        inner = record_in(hint)
        if values[key] is None and key_text(path) not in NULLABLE and hint is not Any:
            del values[key]
            if not _is_container(hint):
                hint_text = "give a value or remove the line"
                yield Finding(at=path, message=f"{key} is empty", hint=hint_text)
        elif inner is not None and isinstance(values[key], dict):
            yield from _take_empty_out(inner, values[key], path)
        elif inner is not None and isinstance(values[key], list):
            for index, item in enumerate(values[key]):
                if isinstance(item, dict):
                    yield from _take_empty_out(inner, item, (*path, index))
        elif (entry := _entry_in(hint)) is not None and isinstance(values[key], dict):
            yield from _take_empty_entries(entry, values[key], path)


def _take_empty_entries(record: type, values: dict[str, Any], at: KeyPath) -> Iterator[Finding]:
    """Do the same in a mapping from names to records; a name with nothing under it is an empty record."""
    for name, value in values.items():
        if value is None:
            values[name] = {}
        elif isinstance(value, dict):
            yield from _take_empty_out(record, value, (*at, name))


def _worded(kind: Kind, values: Any, errors: list[Any]) -> Iterator[Finding]:
    """Yield one finding for each place; of a value that may have several shapes, the deepest."""
    by_path: dict[KeyPath, list[Any]] = {}
    for error in errors:
        by_path.setdefault(_path_in(values, error["loc"]), []).append(error)
    found = []
    for path, there in by_path.items():
        is_outer = any(other[: len(path)] == path for other in by_path if len(other) > len(path))
        if not (is_outer and there[0]["type"] in _EXPECTED):
            found.append(_finding(kind, path, there))
    meant = {(*one.at[:-1], one.nearest) for one in found if one.on_key and one.nearest}
    yield from (one for one in found if one.at not in meant or not one.message.endswith(_MISSING))


def _finding(kind: Kind, path: KeyPath, errors: list[Any]) -> Finding:
    error = errors[0]
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(kind, path)
        case "literal_error":
            known = tuple(map(str, _literals(kind.type, path)))
            near = nearest_name(str(error["input"]), known)
            hint = kind.hints.get((key_text(path), str(error["input"])))
            near = None if hint else near
            return Finding(
                at=path, message=f"is {_shown(error['input'])}", known=known, nearest=near, hint=hint
            )
        case _:
            return Finding(at=path, message=_message(kind, path, errors))


def _message(kind: Kind, path: KeyPath, errors: list[Any]) -> str:
    type_, value, context = errors[0]["type"], errors[0]["input"], errors[0].get("ctx", {})
    if type_ == "missing":
        return f"{key_text(path)}{_MISSING}"
    if type_ in _LIMITS:
        word, key = _LIMITS[type_]
        return f"must be {word} {_number(context[key])} (got {_shown(value)})"
    if type_ == "words":
        return _text_message(value, context["expected"])
    if type_ in _TOO_SHORT:
        return "is empty"
    if type_ in _TOO_LONG:
        return f"is longer than {context['max_length']}"
    expected = _expected(kind, path, errors)
    example = _example_of_list(kind, path, value) if expected == "a list" else ""
    return f"is {_shown(value)} ({kind_of(value)}); expected {expected}{example}"


def _example_of_list(kind: Kind, path: KeyPath, value: Any) -> str:
    """Return how a list is written that belongs at a path: of names, or of sections with their keys."""
    entry = record_in(_hint_at(kind.type, path))
    if entry is None:
        return f", for example [{value}]" if isinstance(value, str) and is_who(value) else ""
    required = [one.encode_name for one in msgspec.structs.fields(entry) if one.required]
    return f", for example [{{{', '.join(f'{key}: ...' for key in required)}}}]" if required else ""


def _unknown_key(kind: Kind, path: KeyPath) -> Finding:
    key = str(path[-1])
    for later, purpose in kind.later.items():
        if _is_named(later, path):
            message = f'"{key}" ({purpose}) is not supported by this version'
            return Finding(at=path, on_key=True, message=message, hint="remove it")
    parent = _record_at(kind.type, path[:-1])
    if parent is TrainingSettings and key in LOCKED_KEYS:
        message = f'"{key}" is locked: it comes from the hero'
        return Finding(at=path, on_key=True, message=message, hint="another value is another hero")
    if hint := _said_by_another_trainer(kind, path):
        return Finding(at=path, on_key=True, message=f'unknown key "{key}"', hint=hint)
    known = tuple(_fields_of(parent)) if parent else ()
    near = nearest_name(key, known)
    if hint := _where_it_belongs(kind, path):
        return Finding(at=path, on_key=True, message=f'"{key}" does not belong here', hint=hint)
    if near:
        return Finding(at=path, on_key=True, message=f'misspelt key "{key}"', nearest=near)
    hint = f"all of them: reconcile schema {kind.name}" if len(known) > MAX_SHOWN_NAMES else None
    return Finding(at=path, on_key=True, message=f'unknown key "{key}"', known=known, hint=hint)


def _said_by_another_trainer(kind: Kind, path: KeyPath) -> str | None:
    """Return what to do about a key that other trainers have for what specs say otherwise."""
    sections = [at for at, record in _sections_with(kind.type, "learning_rate") if record is TrainingSettings]
    if any(path[: len(at)] == at for at in sections):
        return said_here(str(path[-1]), "")
    if _record_at(kind.type, path[:-1]) is Quest:
        return said_here(str(path[-1]), "config_overrides of the campaign")
    is_at_the_top = sections and len(path) == 1
    return said_here(str(path[-1]), key_text(sections[0])) if is_at_the_top else None


def _where_it_belongs(kind: Kind, path: KeyPath) -> str | None:
    """Return what to do about a key that one section of the file has, or two, and this place has not."""
    sections = _sections_with(kind.type, str(path[-1]))
    if not 0 < len(sections) <= _MOST_SECTIONS:
        return None
    is_setting = len(path) == 1 and all(record is TrainingSettings for _, record in sections)
    what = "it is a training setting: " if is_setting else ""
    return what + " or ".join(
        f"put it under {key_text(at)}:" if at else "put it at the top level" for at, _ in sections
    )


def _sections_with(record: type, key: str, at: KeyPath = ()) -> list[tuple[KeyPath, type]]:
    """Return each section of a file that has such a key, with its record; entries of lists are none."""
    fields = _fields_of(record)
    found = [(at, record)] if key in fields else []
    for name, hint in fields.items():
        inner = record_in(hint)
        if inner is not None and _is_section(hint):
            found += _sections_with(inner, key, (*at, name))
    return found


def _is_section(hint: Any) -> bool:
    return all(get_origin(one) not in (dict, tuple) for one in (hint, *get_args(hint)))


def _is_named(pattern: str, path: KeyPath) -> bool:
    """Is this the key path that a pattern such as `quests[].dataset` or `hosts.*.role` names?"""
    wanted = pattern.replace("[]", "").split(".")
    steps = [step for step in path if isinstance(step, str)]
    return len(wanted) == len(steps) and all(
        one in ("*", step) for one, step in zip(wanted, steps, strict=True)
    )


def _text_message(text: str, expected: str) -> str:
    if expected == ID_WORDS:
        return bad_id(text)
    odd = next((char for char in text if not char.isascii()), None)
    twin = f" (it holds U+{ord(odd):04X}, which is not ASCII)" if odd else ""
    return f"is {_shown(text)}{twin}; expected {expected}"


def _expected(kind: Kind, path: KeyPath, errors: list[Any]) -> str:
    """Return what would be right at a path; where several types are, all of them."""
    words = _words_in(_hint_at(kind.type, path))
    if words is not None:
        return words.expected
    return " or ".join(dict.fromkeys(_EXPECTED.get(one["type"], one["msg"]) for one in errors))


def _words_in(hint: Any) -> Words | None:
    limits = getattr(hint, "__metadata__", ())
    found = next((one for one in limits if isinstance(one, Words)), None)
    if found is None and get_origin(hint) not in (dict, tuple):
        return next((inner for one in get_args(hint) if (inner := _words_in(one)) is not None), None)
    return found


def _path_in(values: Any, location: tuple[Step, ...]) -> KeyPath:
    """Return an error's location without the names that pydantic puts in for the members of a union."""
    path: list[Step] = []
    here = values
    for index, step in enumerate(location):
        is_last = index == len(location) - 1
        if isinstance(here, dict) and (step in here or is_last) and not _is_member_name(here, step):
            here = here.get(str(step))
            path.append(step)
        elif isinstance(here, list) and isinstance(step, int):
            here = here[step] if step < len(here) else None
            path.append(step)
    return tuple(path)


def _is_member_name(here: Mapping[str, Any], step: Step) -> bool:
    return step not in here and isinstance(step, str) and (step[:1].isupper() or step in _UNION_MEMBERS)


_UNION_MEMBERS = frozenset({"float", "int", "str", "bool", "constrained-float", "constrained-str"})


@functools.cache
def _fields_of(record: type) -> Mapping[str, Any]:
    """Return the keys of a record, each with its type; of one kind there may be a thousand files."""
    hints = typing.get_type_hints(record, include_extras=True)
    return {one.encode_name: hints[one.name] for one in msgspec.structs.fields(record)}


def record_in(hint: Any) -> type | None:
    """Return the record that a type holds, directly or in a list; None when there is none."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    if get_origin(hint) is dict:
        return None
    return next((found for one in get_args(hint) if (found := record_in(one)) is not None), None)


def _entry_in(hint: Any) -> type | None:
    """Return the record that a mapping from names holds; None where there is none."""
    return record_in(get_args(hint)[1]) if get_origin(hint) is dict else None


def _is_container(hint: Any) -> bool:
    inner = [one for one in get_args(hint) if one is not type(None)] or [hint]
    kinds = [get_origin(one) or one for one in ([hint] if get_origin(hint) in (dict, tuple) else inner)]
    return all(
        one in (dict, tuple) or (isinstance(one, type) and issubclass(one, msgspec.Struct)) for one in kinds
    )


def _record_at(record: type, path: KeyPath) -> type | None:
    hint = _hint_at(record, path)
    return record_in(hint) if hint is not None else None


def _hint_at(record: type, path: KeyPath) -> Any:
    hint: Any = record
    for step in path:
        if isinstance(step, int):
            continue
        entry, inner = _entry_in(hint), record_in(hint)
        hint = entry or (_fields_of(inner).get(step) if inner else None)
    return hint


def _literals(record: type, path: KeyPath) -> tuple[Any, ...]:
    """Return the words that a field may have."""
    hint = _hint_at(record, path)
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    members = get_args(hint)
    for one in members:
        if get_origin(one) is typing.Literal:
            return get_args(one)
    return members


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) >= _THOUSAND else f"{value:g}"
