"""Whether a row keeps the contract of its dataset, or how it breaks it. Pure."""

from typing import Any

from state.contract.invariants import objection_of
from state.contract.row_beside import objection_to_beside
from state.contract.row_contracts import RowContract, is_of_type, shape_keys
from state.contract.row_shapes import Message, messages_in
from state.contract.row_suggestion import SHAPES, matching_kinds
from state.contract.row_words import Objection, keys_of, kind_of, listed


def judge(value: dict[str, Any], contract: RowContract) -> tuple[Message, ...] | Objection:
    """Return the turns of a row that keeps the contract, or how it breaks it."""
    if objection := _objection_to_keys(value, contract):
        return objection
    found = messages_in(value, contract.shape)
    if isinstance(found, Objection):
        return found
    return _objection_to_values(value, contract) or found


def _objection_to_keys(value: dict[str, Any], contract: RowContract) -> Objection | None:
    if objection := _objection_to_shape(value, contract):
        return objection
    for key in contract.required:
        if key not in value:
            expected = f'the keys that dataset {contract.name} requires, "{key}" among them'
            return Objection(f'there is no "{key}"', expected, f"{keys_of(value)}. Correct the row.")
    allowed = contract.keys
    foreign = [key for key in value if key not in allowed] if allowed is not None else []
    if allowed is None:
        return objection_to_beside(value, contract)
    if not foreign:
        return None
    keys, them = ("the key", "it") if len(foreign) == 1 else ("the keys", "them")
    advice = f"Remove {them} from the rows, or add {them} to optional_fields of dataset {contract.name}."
    return Objection(f"{keys} {listed(foreign)}", f"only {', '.join(allowed)}", advice)


def _objection_to_shape(value: dict[str, Any], contract: RowContract) -> Objection | None:
    """Return which fields a row lacks that its dataset reads: the other keys are then the lesser mistake."""
    needed = shape_keys(contract.shape)
    absent = [key for key in needed if key not in value]
    if contract.keys is None or not absent:
        return None
    found = f"there {'is no field' if len(absent) == 1 else 'are no fields'} {listed(absent)}"
    expected = f"{listed(needed)}, as dataset {contract.name} reads its rows"
    kinds = [kind for kind in matching_kinds(value) if set(SHAPES[kind]) != set(needed)]
    fitting = f", which are those of  kind: {kinds[0]}" if len(kinds) == 1 else ""
    advice = f"{keys_of(value)}{fitting}. Correct dataset {contract.name}, or the row."
    return Objection(found, expected, advice)


def _objection_to_values(value: dict[str, Any], contract: RowContract) -> Objection | None:
    for key, name in contract.types.items():
        if key in value and not is_of_type(value[key], name):
            found = f'"{key}" is {kind_of(value[key])}'
            return Objection(found, f"{name}, as dataset {contract.name} says", "Correct the row.")
    objections = (objection_of(sentence, value) for sentence in contract.invariants)
    return next((one for one in objections if one is not None), None)
