"""`init`: a specs repository that works as it is."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile init my-lab", "Make my-lab/ with two tiny heroes and one commit; the realm is my-lab."),
        ("reconcile init . --id home-lab", "The same in this (empty) folder, under another name."),
    ],
)
@click.argument("folder", metavar="DIR")
@click.option("--id", "realm", metavar="NAME", help="The realm's id (default: the folder's name).")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
@click.pass_obj
def command(session: Session, folder: str, realm: str | None, as_json: bool) -> None:
    """Make DIR a specs repository that works as it is: two tiny heroes, a queue, one commit. Asks nothing."""
    from pathlib import Path

    from reconciler.app.committing.init import init
    from reconciler.cli.text_layout import safe

    made = init(session.environment(), Path(folder), realm)
    if made.is_identity_made_up:
        session.note(
            f"git does not know your name, so this commit is by {safe(made.committed_as)}\n"
            'Before your own commits:  git config --global user.name "..."; '
            'git config --global user.email "..."'
        )
    if as_json:
        session.say_json(made)
        return
    session.say(f"Made realm {safe(made.realm)} in {safe(made.folder)} (commit {made.commit[:7]}).")
    if not session.quiet:
        session.say(f"See what it would do:  cd {safe(folder)} && reconcile plan")
        session.say("Do it:                 reconcile apply --until-converged")
