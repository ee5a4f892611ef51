"""Which machine of `hosts.yaml` this is and what the command line sets: the last two layers of the config."""

import msgspec

from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Misused
from reconciler.app.surroundings.place import Options
from reconciler.desired.desired import Desired, Here, Said
from reconciler.desired.hosts import host_named


def seen_from_here(environment: Environment, options: Options, desired: Desired) -> Desired:
    """Return what should be, on this machine and with what the command line sets.

    Raises:
        NotFound: the machine that was named is not in hosts.yaml.
        Misused: a setting of the command line is wrong.
    """
    here = Here(host=_host(environment, options, desired), said=_said(options))
    return desired if here == Here() else msgspec.structs.replace(desired, here=here)


def _host(environment: Environment, options: Options, desired: Desired) -> str | None:
    """Return the id of this machine: as --host or REALM_HOST says, else by its network name."""
    given = options.host or environment.variables.get("REALM_HOST")
    hosts = desired.hosts.spec.hosts if desired.hosts else {}
    if not given:
        return host_named(hosts, environment.host)
    if given not in hosts:
        from reconciler.app.surroundings.ground import not_found

        raise not_found("host", given, hosts)
    return given


def _said(options: Options) -> Said | None:
    if not options.settings:
        return None
    from reconciler.desired.command_line import BadSettingError, said_on_command_line

    try:
        return said_on_command_line(options.settings)
    except BadSettingError as error:
        raise Misused(str(error)) from error
