"""Errors of the verbs, one class for each exit code that the command line gives.

VerbError
├── Failed        1    something went wrong
├── Blocked       3    a lock, an approval, a conflict stands in the way
├── NotFound      5    there is nothing of that name
├── TimedOut      6    what was waited for did not happen
└── Misused      64    the words of the command do not fit together
"""

from typing import ClassVar


class VerbError(Exception):
    """A verb cannot do what it was asked; the message is for people."""

    exit_code: ClassVar[int] = 1


class Failed(VerbError):
    exit_code = 1


class Blocked(VerbError):
    exit_code = 3


class NotFound(VerbError):
    exit_code = 5


class TimedOut(VerbError):
    exit_code = 6


class Misused(VerbError):
    exit_code = 64
