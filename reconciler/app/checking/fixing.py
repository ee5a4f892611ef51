"""`doctor --fix`: do what the checks name and what is safe to do, say what came of each, and look again.

Each fix is something that another verb does, in the same way and with the same refusals. None touches specs
or git, and none deletes, but that of the daily copies of the store only the newest stay, as ever.
"""

from collections.abc import Iterator
from typing import Literal, assert_never

import apsw
import msgspec

from reconciler.app.asking.scrubbing import scrub
from reconciler.app.checking.checks import Check, Diagnosis, Fix
from reconciler.app.checking.doctor import doctor
from reconciler.app.planning.in_force import layout_of
from reconciler.app.rebuilding.doctor import Rebuilt, rebuild
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, VerbError
from reconciler.app.surroundings.place import Options
from reconciler.desired.git_process import SourceError
from reconciler.desired.mistakes import SpecMistakesError
from state.inside import stay_inside
from state.lock import LockHeld, hold_lock
from state.store.backups import back_up
from state.store.connection import StoreDamaged, open_reader
from state.store.schema import StoreTooNew
from state.store.troubles import in_words
from state.store.writer import LostLock


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A fix that was tried, and what came of it."""

    check: str
    """The name of the check that was not well."""
    fix: Fix
    outcome: Literal["done", "asked", "blocked", "failed"]
    """`asked`: the loop does it; `blocked`: a reconciler is at work, or a rebuild refuses this root."""
    sentence: str
    rebuilt: Rebuilt | None = None
    """Of a rebuild that was done."""


class Fixed(Diagnosis, frozen=True, kw_only=True):
    """What was tried, and how everything is afterwards."""

    fixes: tuple[Attempt, ...]

    @property
    def is_blocked(self) -> bool:
        """Was something refused that can be done later?"""
        return any(one.outcome == "blocked" for one in self.fixes)

    @property
    def has_failed(self) -> bool:
        """Did a fix fail?"""
        return any(one.outcome == "failed" for one in self.fixes)


def fix(environment: Environment, options: Options) -> Fixed:
    """Do once each fix that a check names; what only then can be seen waits for the next call."""
    found = doctor(environment, options)
    tried = tuple(_try(environment, options, check.name, one) for check, one in _fixes(found))
    left = doctor(environment, options) if tried else found
    return Fixed(checks=left.checks, fixes=tried)


def _fixes(found: Diagnosis) -> Iterator[tuple[Check, Fix]]:
    """Yield each fix once; none in a root that is another's, or lies where none may."""
    if any(check.name == "root" and check.state == "fail" for check in found.checks):
        return
    known = set()
    for check in found.checks:
        if check.fix is not None and check.fix not in known:
            known.add(check.fix)
            yield check, check.fix


def _try(environment: Environment, options: Options, check: str, fix: Fix) -> Attempt:
    try:
        return _do(environment, options, check, fix)
    except (LockHeld, LostLock, Blocked) as error:
        return Attempt(check=check, fix=fix, outcome="blocked", sentence=str(error))
    except apsw.Error as error:
        sentence = in_words(error, layout_of(environment, options).store)
        return Attempt(check=check, fix=fix, outcome="failed", sentence=sentence)
    except (VerbError, StoreDamaged, StoreTooNew, SourceError, SpecMistakesError, OSError) as error:
        return Attempt(check=check, fix=fix, outcome="failed", sentence=str(error))


def _do(environment: Environment, options: Options, check: str, fix: Fix) -> Attempt:
    match fix.does:
        case "rebuild":
            made = rebuild(environment, options)
            outcome: Literal["done", "failed"] = "failed" if made.problems else "done"
            return Attempt(check=check, fix=fix, outcome=outcome, sentence=made.why, rebuilt=made)
        case "copy":
            return Attempt(check=check, fix=fix, outcome="done", sentence=_copy(environment, options))
        case "scrub":
            return Attempt(check=check, fix=fix, outcome="asked", sentence=_ask(environment, options, fix))
        case _:
            assert_never(fix.does)


def _copy(environment: Environment, options: Options) -> str:
    """Make the copy of the store that the loop makes once a day."""
    layout, now = layout_of(environment, options), environment.now()
    stay_inside(layout.root)
    with (
        hold_lock(layout.lock, command="reconcile doctor --fix", since=now),
        open_reader(layout.store) as store,
    ):
        made = back_up(store, layout.backups, now.partition("T")[0])
    return f"the store was copied: {made}" if made else f"a copy of today lies in {layout.backups} already"


def _ask(environment: Environment, options: Options, fix: Fix) -> str:
    """Ask the loop to read a checkpoint again, which mends it where another copy is whole."""
    things = (fix.thing,) if fix.thing is not None else ()
    _, asked = scrub(environment, options, things, None, "reconcile doctor --fix", again=True)
    who = "the apply at work does it" if asked.is_reconciler_running else "the next reconcile apply does it"
    return f"asked to read {asked.campaign} again (request {asked.id}): {who}"
