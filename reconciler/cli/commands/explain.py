"""`explain`: what a thing is, what comes next, what is in its way."""

import click

from reconciler.cli.options import option
from reconciler.cli.session import Session, Verb, set_option, wide_option


@click.command(
    cls=Verb,
    examples=[
        ("reconcile explain quest/gsm8k", "Why this quest is not trained, and the cheapest way out."),
        ("reconcile explain tiny-adamw/campaign-001 --origin", "Each setting with the line it comes from."),
        ("reconcile explain bin-l1 --worktree", "A bare name that is clear; by the files as they are."),
        (
            "reconcile explain tiny-adamw/campaign-001@500",
            "A checkpoint: its losses, why it is kept or goes.",
        ),
        ("reconcile explain queue", "The quests in their order, and what is in the way of each."),
        ("reconcile explain realm", "Everything that would be done, and all that is in the way."),
    ],
)
@click.argument("thing")
@option("--origin", is_flag=True, help="Each resolved setting: value, file:line, what it hides.")
@option("--worktree", is_flag=True, help="By the files as they are, committed or not.")
@wide_option()
@option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@set_option()
@click.pass_obj
def command(
    session: Session,
    thing: str,
    origin: bool,
    worktree: bool,
    wide: bool,
    as_json: bool,
    settings: tuple[str, ...],
) -> None:
    """Explain THING: what it is, what apply would do about it, what is in its way.

    THING is realm, quest/<id>, hero/<id>, skill/<id>, dataset/<id>, campaign/<hero>/<id> or <hero>/<id>,
    queue, root, retention, trash, inbox/<file>, a checkpoint <hero>/<id>@<step> (or @latest, @best), or a run
    <hero>/<id>/g<n>-a<n>. A bare name that is clear will do.
    """
    from reconciler.app.explaining.explain import explain
    from reconciler.cli.text_explain import explanation_text, origins_text

    options = session.options(settings)
    found = explain(session.environment(), options, thing, origin=origin, worktree=worktree)
    session.warn(found.complaint)
    if as_json:
        session.say_json(found)
    elif origin:
        if found.thing != f"campaign/{found.settings_of}":
            session.say(f"The settings of {found.settings_of}, for {found.thing}:\n")
        session.say_as_it_is(origins_text(found.settings, session.table_width(wide=wide), session.paint))
    else:
        session.say(explanation_text(found, session.width, session.paint))
