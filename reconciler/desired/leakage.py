"""`allow_leakage`: by name and with a reason, what may be learnt although something is measured with it."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from reconciler.desired.base import Line, Words, is_known
from reconciler.desired.places import Finding, Step
from state.contract.inspection import HELD_OUT_KEY

_LEVEL = r"([a-z0-9]+(?:[-.][a-z0-9]+)*)-level-([1-9][0-9]{0,3})"


def _is_name(text: str) -> bool:
    return text == HELD_OUT_KEY or re.fullmatch(_LEVEL, text) is not None


GuardName = Annotated[
    str,
    Words(
        "held-out, or <skill>-level-<n>",
        _is_name,
        "^(held-out|[a-z0-9]+([-.][a-z0-9]+)*-level-[1-9][0-9]{0,3})$",
    ),
]
AllowedLeakage = dict[GuardName, Line]
"""What is measured with (`held-out`, `bin-level-1`) → why it may be learnt all the same."""


def level_in(name: str) -> tuple[str, int] | None:
    """Return the skill and the level whose examination a name means; None of the held-out file."""
    match = re.fullmatch(_LEVEL, name)
    return (match[1], int(match[2])) if match else None


def check_reasons(allowed: Mapping[str, str], *at: Step) -> Iterator[Finding]:
    """Yield each name that is allowed without a reason."""
    for name, why in allowed.items() if is_known(allowed) else ():
        if is_known(why) and why is not None and not why.strip():
            yield Finding(at=(*at, name), message="gives no reason", hint="say why it may be learnt")
