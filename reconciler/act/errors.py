"""Why an action was not done. The tree is the retry policy, as in kopf.

    ActionFailed
    ├── Temporary   the next plan may try the same again
    │   └── NotAsPlanned   what was to go is not there as it was; nothing more of its campaign goes
    └── Permanent   trying again with the same inputs fails again: a person has to change something
        └── RowsRefused   what a skill made was looked at: it makes the same again, so it is not tried again

Every message says where, what was found, what was expected and what to do. Foreign exceptions become one of
these once, in `translate`.
"""

import errno

import apsw

from reconciler.plan.root import REMOUNT
from reconciler.provenance import ProvenanceUnknown
from state.contract.files import ContractError
from state.contract.quest_rows import QuestFileError
from state.inside import InTheWay
from state.store.connection import StoreDamaged
from state.store.journal_rows import REFUSED

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)


class ActionFailed(Exception):
    """An action that was not done."""


class Temporary(ActionFailed):
    """It may work when it is tried again."""


class NotAsPlanned(Temporary):
    """What was to go is not there as the plan saw it: nothing more of its campaign goes with that plan."""


class Permanent(ActionFailed):
    """It will not work until someone changes something."""


class RowsRefused(Permanent):
    """The rows that a skill made cannot be trained on: another try would make the same ones."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{REFUSED}{why}")


FOREIGN = (OSError, apsw.Error, ContractError, QuestFileError, StoreDamaged, ProvenanceUnknown)
"""What `translate` understands."""


def translate(error: Exception) -> ActionFailed:
    """Return the foreign exception in the words of this software."""
    match error:
        case InTheWay():
            return Permanent(str(error))
        case OSError():
            return _of_system(error)
        case apsw.FullError():
            return Temporary(f"no space left for the realm's store ({error}); free some space on its disk")
        case apsw.CorruptError() | apsw.NotADBError() | StoreDamaged():
            return Permanent(
                f"the realm's store is damaged ({error}); reconcile doctor --rebuild makes it again"
            )
        case apsw.Error():
            return Temporary(f"the realm's store cannot be written now: {error}")
        case _:
            return Permanent(str(error))


def _of_system(error: OSError) -> ActionFailed:
    where = f"{error.filename}: " if error.filename else ""
    what = error.strerror or str(error)
    if error.errno in _FULL:
        return Temporary(f"{where}{what}; free some space on this disk, then it goes on by itself")
    if error.errno == errno.EROFS:
        return Permanent(f"{where}{what}; {REMOUNT}")
    if error.errno in _FORBIDDEN:
        return Permanent(f"{where}{what}; give the reconciler's user write permission there")
    if error.errno == errno.EIO:
        return Temporary(f"{where}{what}: the disk or its connection is failing; look at the kernel's log")
    if error.errno in _EXHAUSTED:
        return Temporary(f"{where}{what}: this machine has no more of it now; it is tried again")
    return Temporary(f"{where}{what}")
