"""Sentences of older dataset contracts that say what holds in every row: the forms that are understood. Pure.

messages contains at least one user and one assistant message · <field> is non-empty [if present] ·
<field> equals '<value>' [if present]
"""

import re
from typing import Any

from state.contract.row_words import Objection, quoted

_ROLES = r"messages contains at least one (\w+)(?: and one (\w+))? message"
_NON_EMPTY = r"(\w+) is non-empty( if present)?"
_EQUALS = r"(\w+) equals ['\"](.*)['\"]( if present)?"


def is_understood(sentence: str) -> bool:
    """Is this one of the forms that are checked?"""
    return any(re.fullmatch(form, sentence.strip()) for form in (_ROLES, _NON_EMPTY, _EQUALS))


def objection_of(sentence: str, row: dict[str, Any]) -> Objection | None:
    """Return how a row breaks an invariant; None when it keeps it, or the sentence is not understood."""
    text = sentence.strip()
    if match := re.fullmatch(_ROLES, text):
        found = _missing_role(row, [role for role in match.groups() if role])
    elif match := re.fullmatch(_NON_EMPTY, text):
        found = _empty(row, match[1], may_be_absent=bool(match[2]))
    elif match := re.fullmatch(_EQUALS, text):
        found = _other(row, match[1], match[2], may_be_absent=bool(match[3]))
    else:
        return None
    return Objection(found, f"the invariant: {text}", "Correct or remove the row.") if found else None


def _missing_role(row: dict[str, Any], roles: list[str]) -> str | None:
    turns = row.get("messages")
    there = (
        {turn.get("role") for turn in turns if isinstance(turn, dict)} if isinstance(turns, list) else set()
    )
    missing = [role for role in roles if role not in there]
    return f"no {missing[0]} message" if missing else None


def _empty(row: dict[str, Any], field: str, *, may_be_absent: bool) -> str | None:
    if field not in row:
        return None if may_be_absent else f'there is no "{field}"'
    value = row[field]
    is_empty = value in (None, [], {}) or (isinstance(value, str) and not value.strip())
    return f'"{field}" is empty' if is_empty else None


def _other(row: dict[str, Any], field: str, wanted: str, *, may_be_absent: bool) -> str | None:
    if field not in row:
        return None if may_be_absent else f'there is no "{field}"'
    return None if row[field] == wanted else f'"{field}" is {quoted(row[field])}'
