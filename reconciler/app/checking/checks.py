"""What `doctor` found: how each thing is, what a person does about it, and what `--fix` does."""

from typing import Literal

import msgspec


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """Something that another verb does, too, and that is safe to do, and to do twice."""

    does: Literal["rebuild", "copy", "scrub"]
    """Make the store again from its files, or these from it; copy the store; read a checkpoint again."""
    thing: str | None = None
    """Of a scrub the checkpoint, `<hero>/<campaign>@<step>`."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "warn", "fail"]
    sentence: str
    mend: str | None = None
    """What to do about it."""
    fix: Fix | None = None
    """What `doctor --fix` does about it; None: only a person can mend it."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    checks: tuple[Check, ...]

    @property
    def is_well(self) -> bool:
        """Did nothing fail?"""
        return all(check.state != "fail" for check in self.checks)


def ok(name: str, sentence: str) -> Check:
    """Return the check of what is well."""
    return Check(name=name, state="ok", sentence=sentence)


def warn(name: str, sentence: str, mend: str, fix: Fix | None = None) -> Check:
    """Return the check of what a person should look at."""
    return Check(name=name, state="warn", sentence=sentence, mend=mend, fix=fix)


def fail(name: str, sentence: str, mend: str, fix: Fix | None = None) -> Check:
    """Return the check of what is broken."""
    return Check(name=name, state="fail", sentence=sentence, mend=mend, fix=fix)
