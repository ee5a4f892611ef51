"""Live changes: the config that the newest orders put in force. Pure; what needs a launch is refused."""

from msgspec.structs import replace

from state.contract.config_classes import changes_between
from state.contract.orders import Orders
from state.contract.request import RunRequest
from state.contract.run_config import config_hash
from trainer.engine.failures import EnvironmentFailure

_TAKEN_UP = ("no-op", "live")


def request_now(launched: RunRequest, orders: Orders) -> RunRequest:
    """Return what the run was launched with, but for the config that its orders put in force.

    Generation and attempt stay those of the launch: they name the run.

    Raises:
        EnvironmentFailure: the config is not the one that its hash names, or needs another launch.
    """
    given = orders.config
    if given is None:
        return launched
    if config_hash(given.config) != given.config_hash:
        raise EnvironmentFailure(f"orders {orders.sequence}: config_hash is not that of their config")
    for change in changes_between(launched.config, given.config):
        if change.class_ not in _TAKEN_UP:
            raise EnvironmentFailure(
                f"orders {orders.sequence}: {change.key} {change.old} → {change.new} cannot be taken up by a "
                f"running trainer ({change.class_}); this run goes on once it is launched with it"
            )
    return replace(
        launched, config=given.config, config_hash=given.config_hash, specs_commit=given.specs_commit
    )
