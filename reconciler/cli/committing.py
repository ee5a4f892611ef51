"""What the commands that make commits share: their options, and how the commit is told."""

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.app.committing.spec_edits import Committing, SpecCommit


def commit_options() -> "Callable[[Any], Any]":
    """Return the options of every command that makes a commit."""
    options = [
        click.option("--branch", metavar="NAME", help="Commit on a new branch, for a pull request."),
        click.option("--dry-run", is_flag=True, help="Only show the diff; commit nothing."),
        click.option("--why", metavar="TEXT", help="The reason, as the commit's text."),
        click.option("--json", "as_json", is_flag=True, help="Print commit and diff as JSON."),
    ]

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def wanted(branch: str | None, why: str | None, *, dry_run: bool) -> "Committing":
    """Return how it is to be committed."""
    from reconciler.app.committing.spec_edits import Committing

    return Committing(branch=branch, dry_run=dry_run, why=why)


def tell(session: Session, made: "SpecCommit", *, as_json: bool) -> None:
    """Print the diff and the commit, and what comes next."""
    from reconciler.cli.text_commit import commit_text, next_steps

    if as_json:
        session.say_json(made)
        return
    session.say_as_it_is(commit_text(made, session.paint))
    for line in next_steps(made):
        session.note(line)
