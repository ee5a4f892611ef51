"""`chaos`: hurt a toy realm on this machine, and say which promises held."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        (
            "reconcile chaos",
            "A minute of kills, full disks, torn files; what held on this machine.",
        ),
        ("reconcile chaos --seconds 600 --seed 7 --keep", "Ten minutes of certain blows; the folder stays."),
    ],
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 86_400),
    metavar="SECONDS",
    default=60.0,
    show_default=True,
    help="How long blows fall, in all.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="N",
    default=0,
    show_default=True,
    help="Decides which blows fall, and when.",
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, writable=True),
    metavar="DIR",
    help="Make the toy realm in this folder, to judge its disk.",
)
@click.option("--keep", is_flag=True, help="Leave the folder there when everything held.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def command(
    session: Session, seconds: float, seed: int, folder: str | None, keep: bool, as_json: bool
) -> int:
    """Hurt a toy realm in a folder of its own; yours is not touched. Exit code 1 when a promise broke."""
    from pathlib import Path

    from reconciler.app.chaos.run import run_chaos
    from reconciler.cli.text_chaos import report_text

    parent = Path(folder).resolve() if folder else None
    report = run_chaos(seconds=seconds, seed=seed, parent=parent, keep=keep, tell=session.note)
    if as_json:
        session.say_json(report)
    else:
        session.say(report_text(report, session.width, session.paint))
    return 0 if report.all_held else 1
