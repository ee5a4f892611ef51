"""`import`: a commit on the specs."""

import click

from reconciler.cli.committing import commit_options, tell, wanted
from reconciler.cli.session import Session, Verb


@click.command(
    "import",
    cls=Verb,
    examples=[
        (
            "reconcile import ~/runs/llama-sums --hero tiny-adamw",
            "Begin a new campaign with the newest whole checkpoint-<step> of a finished run.",
        ),
        (
            "reconcile import ./checkpoint-500 --hero dio --dry-run",
            "Say what would be taken of this one, and what not.",
        ),
        ('reconcile import ./weights --name "From the paper" --branch paper', "For a pull request."),
    ],
)
@click.argument("folder", metavar="DIR")
@click.option("--hero", metavar="ID", help="Whose weights they are (default: the only hero).")
@click.option("--name", "title", metavar="TEXT", help="A name for people for the new campaign.")
@commit_options()
@click.pass_obj
def command(
    session: Session,
    folder: str,
    hero: str | None,
    title: str | None,
    branch: str | None,
    dry_run: bool,
    why: str | None,
    as_json: bool,
) -> None:
    """Commit a new campaign that begins with DIR: a checkpoint, or a run with checkpoints.

    DIR may come from the Hugging Face Trainer, hold plain safetensors (in shards, too), or be a checkpoint of
    another realm. It must be whole by its own headers and indexes, and of the hero's model; nothing of it is
    unpickled, and it is never changed. `reconcile apply` copies it, reads the copy back and hashes it. The
    state of a foreign optimizer is not used.
    """
    from reconciler.app.committing.importing import import_folder

    made = import_folder(
        session.environment(),
        session.options(),
        folder,
        wanted(branch, why, dry_run=dry_run),
        hero=hero,
        title=title,
    )
    tell(session, made, as_json=as_json)
