"""`install-service`: apply as a service."""

import click

from reconciler.cli.session import Session, Verb


@click.command(
    cls=Verb,
    examples=[
        ("reconcile install-service", "A unit of your own, in ~/.config/systemd/user."),
        ("reconcile --root /srv/realm install-service --system", "One of the machine, as root."),
        ("reconcile install-service --show", "Only show it."),
    ],
)
@click.option("--system", "is_system", is_flag=True, help="Below /etc/systemd/system, for the whole machine.")
@click.option("--show", "only_show", is_flag=True, help="Print the unit; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print unit and path as JSON.")
@click.pass_obj
def command(session: Session, is_system: bool, only_show: bool, as_json: bool) -> None:
    """Write a systemd unit that keeps `apply` running for this realm, restarts it when it hangs, and leaves
    training alone when it stops. Starts nothing: it says how."""
    from reconciler.app.applying.service import install_service
    from reconciler.cli.text_layout import safe

    done = install_service(session.environment(), session.options(), is_system=is_system, only_show=only_show)
    if as_json:
        session.say_json(done)
    elif done.path is None:
        session.say_as_it_is(done.text.rstrip("\n"))
    else:
        session.say(safe(done.path))
        for step in done.next_steps:
            session.note(f"  {step}")
