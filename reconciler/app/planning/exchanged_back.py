"""Campaigns that keep an exchanged name though the `was:` that gave it to them is gone again.

A line whose work is done may be removed; taking back the commit that brought it reads just the same. Asked
only on the way from one commit to another, and only of campaigns that have a name which another one had.
"""

import re

import msgspec

from reconciler.desired.desired import Desired
from reconciler.desired.git_process import output
from reconciler.desired.git_source import Commit
from reconciler.desired.tree import MAX_BYTES
from reconciler.observed.facts import Facts
from state.renames import KeptName

_WAS = re.compile(rb"^was:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)


def with_kept_names(facts: Facts, desired: Desired, commit: Commit, known: str) -> Facts:
    """Return the facts with the campaigns whose specs said `was:` at the commit `known`, and no longer do."""
    rows = {row.name: row for row in facts.store.campaigns if row.status != "deleted"}
    found = []
    for name, source in desired.campaigns.items():
        row = rows.get(name)
        if row is None or source.spec.was is not None or not rows.keys() & {*row.former}:
            continue
        was = _said(commit, known, name)
        if was in row.former and was in rows:
            found.append(KeptName(name=name, was=was))
    return msgspec.structs.replace(facts, kept_names=tuple(found)) if found else facts


def _said(commit: Commit, known: str, name: str) -> str | None:
    """Return what the spec of a campaign said at a commit that it was; None: nothing."""
    path = f"specs/campaigns/{name}.yaml"
    text = output(commit.git_dir, "show", f"{known}:{path}", limit=MAX_BYTES)
    line = _WAS.search(text) if text is not None else None
    return line[1].decode(errors="replace") if line is not None else None
