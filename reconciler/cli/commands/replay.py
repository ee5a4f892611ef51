"""`replay`: make a checkpoint again."""

import click

from reconciler.cli.session import Session, Verb

DIFFERS = 1
CANNOT = 3


@click.command(
    cls=Verb,
    examples=[
        ("reconcile replay tiny-adamw/campaign-001@latest", "Train it again from its parent; compare."),
        ("reconcile replay tiny-adamw/campaign-001@500 --restore", "Get back what was deleted for good."),
    ],
)
@click.argument("checkpoint")
@click.option(
    "--restore", is_flag=True, help="Put it back where it lay, if it was deleted and came out the same."
)
@click.option("--device", metavar="NAME", help="cpu or cuda:<index> (default: what it was made on).")
@click.option(
    "--lock-timeout",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="Wait so long for another reconciler; exit code 3 after that.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(
    session: Session, checkpoint: str, restore: bool, device: str | None, lock_timeout: float, as_json: bool
) -> int:
    """Make CHECKPOINT (<hero>/<campaign>@<step>, @latest or @best) again; compare it with the record.

    It is trained again from its parent or, where that was deleted too, from the nearest ancestor that is
    there, or the first weights: the same rows, settings and changes at the same updates. On the CPU it comes
    out the same to the bit. That takes as long as the training took, in a scratch folder, and never while
    `apply` or a trainer runs. The exit code is 1 when it differs, 3 when it cannot be made.
    """
    from reconciler.app.replaying.replay import replay
    from reconciler.cli.text_replay import replay_text

    told = replay(
        session.environment(),
        session.options(),
        checkpoint,
        device=device,
        restore=restore,
        lock_timeout_seconds=lock_timeout,
    )
    session.say_json(told) if as_json else session.say(replay_text(told, session.paint))
    return {"same": 0, "differs": DIFFERS, "cannot": CANNOT}[told.verdict]
