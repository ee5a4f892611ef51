"""`validate`: every mistake in the specs; with --data, what is in the files of the quests."""

import click

from reconciler.cli.session import Session, Verb
from state.contract.contents import MOST_FINDINGS


@click.command(
    cls=Verb,
    examples=[
        ("reconcile validate", "Check the files as they lie in the work tree."),
        ("reconcile validate --ref switch-to-muon", "Check what a branch says."),
        ("reconcile validate --data", "Check the rows of every quest, too: tokens, lengths, duplicates."),
        ("reconcile validate --data --depth deep", "Look for rows that are nearly the same, too."),
    ],
)
@click.option("--ref", metavar="REF", help="Check the specs at a commit instead of the files.")
@click.option("--worktree", is_flag=True, help="Check the files as they are (the default).")
@click.option("--data", is_flag=True, help="Look through the rows of every quest, too.")
@click.option(
    "--depth",
    type=click.Choice(["quick", "standard", "deep"]),
    help="With --data: rows alone; their tokens, too (the default); near duplicates, too.",
)
@click.option(
    "--findings",
    type=click.IntRange(1, MOST_FINDINGS),
    metavar="N",
    help="With --data: name so many findings of each check and quest (default: 10).",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.pass_obj
def command(
    session: Session,
    ref: str | None,
    worktree: bool,
    data: bool,
    depth: str | None,
    findings: int | None,
    as_json: bool,
) -> int:
    """Find every mistake in the specs, each with its place, what was expected and what to do.

    Where there is none, also what no launch can honour, such as an optimizer of another program.
    """
    if worktree and ref is not None:
        raise click.UsageError("--worktree checks the files that are there; it goes without --ref")
    if depth is not None and not data:
        raise click.UsageError("--depth says how deep to look through data; it goes with --data")
    if findings is not None and not data:
        raise click.UsageError("--findings says how many findings of data to name; it goes with --data")
    failed = _specs(session, ref, as_json=as_json, is_all=not data)
    return failed if failed or not data else _data(session, ref, depth or "standard", findings, as_json)


def _specs(session: Session, ref: str | None, *, as_json: bool, is_all: bool) -> int:
    """Show the mistakes in the specs; with `is_all` also that there are none."""
    from reconciler.app.checking.validate import validate
    from reconciler.cli.text_validate import validation_text

    found = validate(session.environment(), session.options(), ref)
    if as_json and (found.mistakes or is_all):
        session.say_json(found)
    elif not as_json:
        session.say(validation_text(found, session.paint, session.width))
    if not found.mistakes and is_all and not as_json:
        session.note("Only the specs were read. What is in the files of quests: reconcile validate --data")
    return 1 if found.mistakes else 0


def _data(session: Session, ref: str | None, depth: str, findings: int | None, as_json: bool) -> int:
    from typing import cast

    from reconciler.app.checking.validate_data import validate_data
    from reconciler.cli.text_data import data_text, how_to_see_all
    from state.contract.contents import MAX_FINDINGS
    from state.contract.inspection import Depth

    environment, options, most = session.environment(), session.options(), findings or MAX_FINDINGS
    found = validate_data(environment, options, ref, cast("Depth", depth), session.note, most)
    if as_json:
        session.say_json(found)
    else:
        session.say(f"\n{data_text(found, session.width, session.paint)}")
        if (hint := how_to_see_all(found)) is not None:
            session.note(hint)
    return 1 if found.num_errors else 0
