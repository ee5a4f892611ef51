"""`proposals`: the branches that wait to be merged."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile proposals", "Every branch ahead of the followed one, with what it would do."),
        ("git fetch && reconcile proposals", "Those of a remote, too."),
        ("reconcile proposals --json", "For programs, with the whole plan of each."),
    ],
)
@click.option("--json", "as_json", is_flag=True, help="Print the branches and their plans as JSON.")
@click.pass_obj
def command(session: Session, as_json: bool) -> None:
    """List the branches that are ahead of the one that apply follows: what each adds to its plan, and whether
    its specs are right, can be merged, and nothing is in the way. Fetches and merges nothing."""
    from reconciler.app.forges.proposals import proposals
    from reconciler.cli.text_proposals import proposals_text

    found = proposals(session.environment(), session.options())
    if as_json:
        session.say_json(found)
    else:
        session.say(proposals_text(found, session.width, session.paint))
