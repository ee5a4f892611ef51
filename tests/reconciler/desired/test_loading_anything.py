"""Whatever stands at a key of a spec is named, or right, and never a crash."""

import copy
import typing
from collections.abc import Iterator

import msgspec
import pytest

from reconciler.desired import kinds
from reconciler.desired.partial import between_keys
from reconciler.desired.rough import rough_spec
from reconciler.desired.validation import check_values, record_in

HERO = "specs/heroes/pip.yaml"
CAMPAIGN = "specs/campaigns/pip/campaign-001.yaml"
QUEUE = "specs/queue.yaml"
REALM = "specs/realm.yaml"
WRONG = (None, -1, "\u0456", [None, {}], {"a": 1})


@pytest.mark.parametrize("path", [HERO, CAMPAIGN, QUEUE, REALM, "specs/skills/bin.yaml"])
def test_whatever_stands_at_a_key_is_named_or_right_and_never_a_crash(path) -> None:
    kind = kinds.place_of(path).kind
    for keys, is_list in key_paths(kind.type):
        for value in WRONG:
            document = nested(keys, value, is_list)
            values, found = check_values(kind, document)
            assert found or msgspec.json.decode(values, type=kind.type)
            list(between_keys(kind, document, found, set()))
            rough_spec(kind.name, document)


def key_paths(record: type) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the key path of every field, and whether it is in a list of records."""
    hints = typing.get_type_hints(record)
    for field in msgspec.structs.fields(record):
        yield (field.encode_name,), False
        inner = record_in(hints[field.name])
        for path, _ in key_paths(inner) if inner is not None else ():
            yield (field.encode_name, *path), typing.get_origin(hints[field.name]) is tuple


def nested(keys: tuple[str, ...], value: object, is_list: bool) -> dict[str, object]:
    """Return {a: {b: value}}, or {a: [{b: value}, {b: value}]}."""
    for key in reversed(keys[1:]):
        value = {key: value}
    return {keys[0]: [value, copy.deepcopy(value)] if is_list else copy.deepcopy(value)}
