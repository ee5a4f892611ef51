"""What every row of a dataset must be: its shape, the keys it may have, what is said about them. Pure.

Deny by default: a contract that names its keys refuses a row with any other. The reconciler judges a file by
contracts before it takes it in; the trainer reads what was taken in by its shape alone.
"""

from collections.abc import Collection
from typing import Any

import msgspec

from state.contract.orders import RowShape


class RowContract(msgspec.Struct, frozen=True, kw_only=True):
    """What a row must be."""

    name: str
    """For people: the id of a dataset, or a built-in shape."""
    shape: RowShape = RowShape()
    keys: tuple[str, ...] | None = None
    """All keys that a row may have; None: any."""
    is_built_in: bool = False
    """No spec says what its rows are: those with a key that would change what is trained are refused."""
    required: tuple[str, ...] = ()
    """Keys that it must have beyond those of its shape."""
    types: dict[str, str] = {}
    """Key → what its value is, where it is there: a word of KNOWN_TYPES."""
    invariants: tuple[str, ...] = ()
    """Sentences of `invariants`; those that it does not understand check nothing."""
    max_invalid_fraction: float = 0.0
    """At most this share of all rows of a file, those taken in before too, may be left out as invalid."""


MESSAGES = RowContract(name="messages", is_built_in=True)
PROMPT_COMPLETION = RowContract(
    name="prompt/completion",
    shape=RowShape(kind="fields", prompt="prompt", completion="completion"),
    is_built_in=True,
)
BUILT_IN = (MESSAGES, PROMPT_COMPLETION)
"""Shapes that need no dataset."""

_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "string": str,
    "int": int,
    "float": (int, float),
    "number": (int, float),
    "bool": bool,
    "list": list,
    "dict": dict,
    "object": dict,
}
KNOWN_TYPES = tuple(_TYPES)


def shape_keys(shape: RowShape) -> tuple[str, ...]:
    """Return the keys without which a row has not this shape."""
    match shape.kind:
        case "messages":
            return ("messages",)
        case "text":
            return (shape.text or "text",)
        case "fields":
            return (shape.prompt or "", shape.completion or "")


def fits(contract: RowContract, keys: Collection[str]) -> bool:
    """Are these the keys of a row of this contract? What the values are is another question."""
    needed = {*shape_keys(contract.shape), *contract.required}
    return needed <= set(keys) and (contract.keys is None or set(keys) <= set(contract.keys))


def is_of_type(value: Any, name: str) -> bool:
    """Is the value what a type word says? `list[str]` looks into the list; an unknown word fits all."""
    outer, _, inner = name.removesuffix("]").partition("[")
    known = _TYPES.get(outer.strip())
    if known is None:
        return True
    if isinstance(value, bool) and known is not bool:
        return False
    if not isinstance(value, known):
        return False
    return not (inner and isinstance(value, list)) or all(is_of_type(one, inner) for one in value)


def is_known_type(name: str) -> bool:
    """Does `is_of_type` understand this word?"""
    outer, _, inner = name.removesuffix("]").partition("[")
    return outer.strip() in _TYPES and (not inner or is_known_type(inner))
