"""Remember which derived files said what they should, from one plan to the next.

A print counts only for the code that made it, and is kept only of a plan with nothing to do. What is lost,
damaged or of another version costs time and nothing else: then the files are composed and compared.
"""

from pathlib import Path

import msgspec

import state
from reconciler import plan
from reconciler.desired.desired import Desired
from reconciler.observed.fact_cache import FactCache
from reconciler.observed.facts import Facts
from reconciler.plan.campaigns.right_files import prints_of
from reconciler.plan.changes import Plan
from reconciler.plan.planner import make_plan
from state.code_stamp import code_stamp

_Prints = dict[str, bytes]


class RightMemory:
    """The prints of one root's campaigns."""

    def __init__(self, kept: FactCache, root: Path) -> None:
        self._kept = kept
        self._key = f"right\0{code_stamp(state, plan)}\0{str(root)!a}"
        self._known: _Prints | None = None
        self._last: tuple[Desired, Facts, _Prints] | None = None

    def plan(self, desired: Desired, facts: Facts, *, specs_commit: str, now: str) -> Plan:
        """Return the plan that `make_plan` gives, in less time where files were found right before."""
        prints, known = self._prints(desired, facts), self._recalled()
        right = frozenset(name for name, one in prints.items() if known.get(name) == one)
        found = make_plan(desired, facts, specs_commit=specs_commit, now=now, right=right)
        if not found.changes and prints != known:
            self._known = prints
            self._kept.put(self._key, msgspec.msgpack.encode(prints))
        return found

    def _prints(self, desired: Desired, facts: Facts) -> _Prints:
        """Return the prints; those of the last plan where specs, store and files are what they were then."""
        if self._last is None or not _are_the_same(self._last[0], self._last[1], desired, facts):
            self._last = desired, facts, prints_of(desired, facts)
        return self._last[2]

    def _recalled(self) -> _Prints:
        if self._known is None:
            self._known = _decoded(self._kept.get(self._key))
        return self._known


def _are_the_same(desired: Desired, facts: Facts, desired_now: Desired, facts_now: Facts) -> bool:
    """Are specs and store the very same records, and the files equal?"""
    before, now = facts.derived, facts_now.derived
    return (
        desired_now is desired
        and facts_now.store is facts.store
        and now.campaign_records == before.campaign_records
        and now.status_files == before.status_files
    )


def _decoded(entry: bytes | None) -> _Prints:
    try:
        return msgspec.msgpack.decode(entry, type=_Prints) if entry is not None else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
