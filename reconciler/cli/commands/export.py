"""`export`: a request to the loop to copy checkpoints elsewhere."""

from pathlib import Path

import click

from reconciler.cli.requesting import Wishes, answer, request_options
from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile export tiny-adamw/campaign-001@500 --to /mnt/usb", "One checkpoint, to another disk."),
        (
            "reconcile export tiny-adamw/campaign-001 --to ~/models --wait",
            "Every one that lies there; and wait.",
        ),
    ],
)
@click.argument("thing", metavar="CHECKPOINT|CAMPAIGN")
@click.option(
    "--to",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A folder outside of the root.",
)
@request_options("Return when everything was copied and read back.")
def command(session: Session, wishes: Wishes, thing: str, to: Path) -> None:
    """Copy a checkpoint (<hero>/<campaign>@<step>, @latest, @best), or all of a campaign, elsewhere.

    DIR/<hero>/<campaign>/checkpoint-<step> is copied, synced, read back past the cache, and only then has
    that name; what lies there already is never replaced. The folder is a plain Hugging Face model folder
    (`AutoModelForCausalLM.from_pretrained`); of adapters a plain peft folder, and where they belong to a
    checkpoint, that one is copied with them, and the answer is the line that opens both with peft: a copy
    is as it was saved, so the adapters do not name it. A copy is remembered: `scrub` reads it again, and a
    checkpoint that is damaged later is mended from it.
    """
    from reconciler.app.asking.exporting import export
    from reconciler.app.looking.checkpoint_named import spelt_out

    name = spelt_out(session.environment(), session.options(), thing)
    layout, asked = export(session.environment(), session.options(), name, to, wishes.why)
    answer(session, layout, asked, wishes, f"Asked to export {asked.campaign}")
