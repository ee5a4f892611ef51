"""Whether a row keeps the contract of its dataset, or how it breaks it. Pure."""

from typing import Any

from state.contract.invariants import objection_of
from state.contract.row_contracts import RowContract, is_of_type
from state.contract.row_shapes import Message, messages_in
from state.contract.row_words import Objection, keys_of, kind_of, quoted


def judge(value: dict[str, Any], contract: RowContract) -> tuple[Message, ...] | Objection:
    """Return the turns of a row that keeps the contract, or how it breaks it."""
    if objection := _objection_to_keys(value, contract):
        return objection
    found = messages_in(value, contract.shape)
    if isinstance(found, Objection):
        return found
    return _objection_to_values(value, contract) or found


def _objection_to_keys(value: dict[str, Any], contract: RowContract) -> Objection | None:
    for key in contract.required:
        if key not in value:
            expected = f'the keys that dataset {contract.name} requires, "{key}" among them'
            return Objection(f'there is no "{key}"', expected, f"{keys_of(value)}. Correct the row.")
    allowed = contract.keys
    foreign = next((key for key in value if key not in allowed), None) if allowed is not None else None
    if allowed is None or foreign is None:
        return None
    known = ", ".join(allowed)
    advice = f"Remove it from the rows, or add it to optional_fields of dataset {contract.name}."
    return Objection(f"the key {quoted(foreign)}", f"only {known}", advice)


def _objection_to_values(value: dict[str, Any], contract: RowContract) -> Objection | None:
    for key, name in contract.types.items():
        if key in value and not is_of_type(value[key], name):
            found = f'"{key}" is {kind_of(value[key])}'
            return Objection(found, f"{name}, as dataset {contract.name} says", "Correct the row.")
    objections = (objection_of(sentence, value) for sentence in contract.invariants)
    return next((one for one in objections if one is not None), None)
