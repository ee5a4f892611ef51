"""Errors in a person's words on stderr, and the exit code of each. Imported only when something failed."""

import traceback
from typing import TYPE_CHECKING

import click

from reconciler.cli.session import Session
from reconciler.cli.text_layout import escaped, theirs

if TYPE_CHECKING:
    from pathlib import Path

FAILED, BLOCKED, NOT_FOUND, USAGE, INTERRUPTED = 1, 3, 5, 64, 130


def report(error: Exception, session: Session) -> int:
    """Say what went wrong and return the exit code."""
    if isinstance(error, click.Abort):
        _say("interrupted")
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        return _report_usage(error)
    known = _known(error, session)
    if known is None:
        _report_unexpected(error, session)
        return FAILED
    text, code = known
    _say(session.about_the_same(text))
    return code


def _report_usage(error: click.ClickException) -> int:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            click.echo(escaped(error.ctx.get_help()), err=True)
            return USAGE
        message = escaped(_plain(" ".join(error.format_message().split())))
        _say(f"{message}\nsee {error.ctx.command_path} --help")
        return USAGE
    _say(error.format_message())
    return USAGE if isinstance(error, click.UsageError) else FAILED


def _plain(message: str) -> str:
    """Return what click says of a number in words that people use."""
    words = {"float range": "number", "integer range": "whole number", "x>=0": "from 0 up"}
    for technical, plain in words.items():
        message = message.replace(technical, plain)
    return message


def _known(error: Exception, session: Session) -> tuple[str, int] | None:
    """Return text and exit code of an expected error; None for one that nobody expected."""
    from reconciler.app.surroundings.errors import VerbError
    from reconciler.desired.git_process import SourceError, UnknownRefError
    from reconciler.desired.mistakes import SpecMistakesError, render
    from state.lock import LockHeld

    match error:
        case SpecMistakesError():
            return (
                f"{theirs(render(error.mistakes, session.width))}\n{error.summary} Nothing was changed.",
                FAILED,
            )
        case VerbError():
            return str(error), error.exit_code
        case LockHeld():
            return str(error), BLOCKED
        case SourceError():
            return str(error), NOT_FOUND if isinstance(error, UnknownRefError) else FAILED
        case OSError():
            return _of_system(error), FAILED
        case _:
            return _of_the_store(error, session)


def _of_the_store(error: Exception, session: Session) -> tuple[str, int] | None:
    import apsw

    from reconciler.act.errors import ActionFailed
    from state.contract.files import ContractError
    from state.store.connection import StoreDamaged
    from state.store.schema import StoreTooNew
    from state.store.troubles import in_words
    from state.store.writer import LostLock

    match error:
        case StoreDamaged() | StoreTooNew() | ContractError() | ActionFailed():
            return str(error), FAILED
        case LostLock():
            return str(error), BLOCKED
        case apsw.Error():
            return in_words(error, _store_of(session)), FAILED
        case _:
            return None


def _store_of(session: Session) -> "Path | None":
    """Return the file of the store that the command was about; None when that cannot be told either."""
    from reconciler.app.planning.in_force import layout_of

    try:
        return layout_of(session.environment(), session.options()).store
    except Exception:  # noqa: BLE001 - an error is being told already; this one adds nothing
        return None


def _of_system(error: OSError) -> str:
    import errno

    where = f"{error.filename}: " if error.filename else ""
    what = f"{where}{error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{what}; free some space there, then run this again: it goes on where it was"
    if error.errno == errno.EROFS:
        from reconciler.plan.root import REMOUNT

        return f"{what}; {REMOUNT}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{what}; ask whom it belongs to"
    return what


def _report_unexpected(error: Exception, session: Session) -> None:
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" (at {where[0].filename}:{where[0].lineno})" if where else ""
    _say(f"this should not happen: {type(error).__name__}: {error}{place}")
    if session.verbose:
        click.echo(escaped("".join(traceback.format_exception(error))), err=True)
    else:
        click.echo(
            "nothing of it is your mistake; please report it with what -v prints and `reconcile version`",
            err=True,
        )


def _say(text: str) -> None:
    click.echo(escaped(f"reconcile: {text}"), err=True)
