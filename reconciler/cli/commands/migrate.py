"""`migrate`: an older root becomes one of this software, and back."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        (
            "reconcile migrate ~/TRAINING",
            "Say what would be done, and what stands against it. Changes nothing.",
        ),
        (
            "reconcile migrate ~/TRAINING --active dio/campaign-001 --apply",
            "Do it; where pointer and link disagree, this campaign is the active one.",
        ),
        ("reconcile migrate ~/TRAINING --undo", "Bring the root back to what it was."),
    ],
)
@click.argument("folder", metavar="ROOT")
@click.option("--apply", "is_applied", is_flag=True, help="Do it; without this it is only shown.")
@click.option("--undo", "is_undone", is_flag=True, help="Take it back, as long as nothing was trained since.")
@click.option(
    "--active", metavar="HERO/CAMPAIGN", help="The active campaign, or `none`, where ROOT is unsure."
)
@click.option(
    "--hero", metavar="ID", help="Whose the checkpoints in current_model are, where ROOT is unsure."
)
@click.option(
    "--specs", metavar="DIR", help="Where the specs repository goes (default: ROOT-specs beside it)."
)
@click.option("--id", "realm", metavar="NAME", help="The realm's id (default: ROOT's name).")
@click.option("--json", "as_json", is_flag=True, help="Print plan or result as JSON.")
@click.pass_obj
def command(
    session: Session,
    folder: str,
    is_applied: bool,
    is_undone: bool,
    active: str | None,
    hero: str | None,
    specs: str | None,
    realm: str | None,
    as_json: bool,
) -> None:
    """Make ROOT, the folder of an older system, a root of this software.

    Checkpoints move by rename within the file system, links stay where older tools look, and each checkpoint
    that is whole is hashed and gets a manifest and a row in the ledger: what is known of it, nothing else.
    Hero files and campaigns become a specs repository. Originals of files that are written anew are kept.
    What was killed goes on with the same command; nothing is deleted.
    """
    from pathlib import Path

    from reconciler.app.migrating.migrate import apply_migration, plan_migration, undo_migration
    from reconciler.app.surroundings.errors import Blocked, Misused
    from reconciler.cli.text_migration import migration_text, step_line
    from reconciler.plan.migrating.older_root import Wish

    if is_applied and is_undone:
        raise Misused("--apply and --undo do not go together")
    environment, root, place = session.environment(), Path(folder), Path(specs) if specs else None
    wish = Wish(active=active, hero=hero)

    def tell(step: object) -> None:
        if not as_json and not session.quiet:
            session.say(step_line(step, session.width, back=is_undone))

    if is_undone:
        done = undo_migration(environment, root, tell=tell)
    elif is_applied:
        done = apply_migration(environment, root, wish, specs=place, realm=realm, tell=tell)
    else:
        done = plan_migration(environment, root, wish, specs=place, realm=realm)
    if as_json:
        session.say_json(done)
    else:
        session.say(migration_text(done, session.width))
    if done.refusals:
        raise Blocked(f"{done.root} cannot be migrated as it is; see above")
