"""A spec of which some values are wrong, as far as it can be read: for the checks between its keys. Pure.

Made by `loading`, so that a person sees all mistakes of a spec at once and not those between keys in a second
round. A value that is wrong, or required and absent, is UNSET: neither given nor absent, so that a check says
nothing about it (`is_known`). A wrong list or section counts as absent.
"""

import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

import msgspec
from msgspec import UNSET

from reconciler.desired.kinds import Kind
from reconciler.desired.places import Finding, KeyPath
from reconciler.desired.validation import record_in

Wrong = Collection[KeyPath]


def between_keys(
    kind: Kind, values: Mapping[str, Any], findings: Sequence[Finding], unreadable: Wrong
) -> Iterator[Finding]:
    """Yield what is wrong between the keys that are right by themselves; `findings` says which are not."""
    wrong = {one.at for one in findings if one.at} | set(unreadable)
    wrong |= {(*one.at[:-1], one.nearest) for one in findings if one.on_key and one.nearest}
    for finding in kind.check(_partial(kind.type, values, wrong, ())):
        if not any(finding.at[:end] in wrong for end in range(1, len(finding.at) + 1)):
            yield finding


def _partial(record: type, values: Mapping[str, Any], wrong: Wrong, at: KeyPath) -> Any:
    hints = typing.get_type_hints(record)
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(record):
        path = (*at, field.encode_name)
        if path in wrong:
            if field.required or not _counts_as_absent(hints[field.name]):
                fields[field.name] = UNSET
        elif field.encode_name in values:
            fields[field.name] = _value(hints[field.name], values[field.encode_name], wrong, path)
        elif field.required:
            fields[field.name] = UNSET
    return record(**fields)


def _value(hint: Any, value: Any, wrong: Wrong, at: KeyPath) -> Any:
    inner = record_in(hint)
    if isinstance(value, list):
        return tuple(_item(inner, one, wrong, (*at, index)) for index, one in enumerate(value))
    if not isinstance(value, dict):
        return value
    if (entry := _entry_in(hint)) is not None:
        return {name: _item(entry, one, wrong, (*at, name)) for name, one in value.items()}
    return _partial(inner, value, wrong, at) if inner is not None else value


def _item(inner: type | None, value: Any, wrong: Wrong, at: KeyPath) -> Any:
    if inner is not None:
        return _partial(inner, value if isinstance(value, dict) else {}, wrong, at)
    return UNSET if at in wrong else value


def _entry_in(hint: Any) -> type | None:
    """Return the record that a mapping from names holds; None where there is none."""
    return record_in(get_args(hint)[1]) if get_origin(hint) is dict else None


def _counts_as_absent(hint: Any) -> bool:
    return get_origin(hint) is tuple or record_in(hint) is not None or _entry_in(hint) is not None
