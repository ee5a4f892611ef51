"""`try`: a few answers from a checkpoint."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    "try",
    cls=Verb,
    examples=[
        ('reconcile try tiny-adamw/campaign-001@latest "Compute: and(①, ⓪)"', "One answer of the newest."),
        ('reconcile try tiny-adamw/campaign-001@500 "..." "..." --json', "Two answers of step 500."),
    ],
)
@click.argument("checkpoint")
@click.argument("prompts", nargs=-1, required=True, metavar="PROMPT...")
@click.option(
    "--max-new-tokens",
    type=click.IntRange(1, 4096),
    metavar="N",
    default=256,
    show_default=True,
    help="End an answer after so many tokens.",
)
@click.option("--device", metavar="NAME", default="cpu", show_default=True, help="cpu or cuda:<index>.")
@click.option("--json", "as_json", is_flag=True, help="Print the answers as JSON.")
@click.pass_obj
def command(
    session: Session,
    checkpoint: str,
    prompts: tuple[str, ...],
    max_new_tokens: int,
    device: str,
    as_json: bool,
) -> None:
    """Ask CHECKPOINT, <hero>/<campaign>@latest or @<step>, a few questions; its most likely answers."""
    from reconciler.app.asking.answers import answers
    from reconciler.cli.text_layout import safe

    told = answers(
        session.environment(),
        session.options(),
        checkpoint,
        prompts,
        max_new_tokens=max_new_tokens,
        device=device,
    )
    if as_json:
        session.say_json(told)
        return
    session.note(f"{safe(told.checkpoint)}, greedily")
    for one in told.answers:
        session.say_as_it_is(f"{safe(one.prompt)}\n  → {safe(one.answer)}")
