"""`control/fetched.json`: what the last look at a remote source found. Written by whoever fetches.

Beside it what a look at the newest specs found, where they are not in force.
"""

from typing import Literal

import msgspec

Code = Literal["unreachable", "no-access", "branch-gone", "rewritten", "commit-gone", "shallow", "no-space"]


class SourceTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why the newest state of the branch is not in force."""

    code: Code
    message: str
    since: str
    """The first of these looks in a row, in UTC."""


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    url: str
    """Without a password."""
    branch: str
    tried_at: str
    good_at: str | None = None
    """When the source answered last and its branch was taken up; None: never."""
    commit: str | None = None
    """Of the branch, as it is in force; None: nothing was ever fetched."""
    offered: str | None = None
    """The commit that the source has now, where it is not in force."""
    trouble: SourceTrouble | None = None
    is_local: bool = False
    """A branch of a repository here: `commit` is what it should go on from, `offered` what it has and is in
    force; of a branch elsewhere `commit` stays in force."""
    covers_request: int = 0
    """The newest request that was there before this look began: it answers this one and those before it."""


class NotInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The newest commit of the branch that apply follows, where those before it stay in force."""

    commit: str | None
    """None: the branch itself cannot be read."""
    why: str
    """In words."""
    is_mistaken: bool
    """Somebody has to mend it; else it only waits, for a change window."""
