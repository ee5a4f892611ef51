"""`undelete`: ask the loop to take a dropped checkpoint back out of the trash."""

from reconciler.app.environment import Environment
from reconciler.app.errors import Misused
from reconciler.app.ground import not_found, store_of
from reconciler.app.in_force import layout_of
from reconciler.app.place import Options
from reconciler.app.requests import Asked, leave_request
from reconciler.desired.retention import is_checkpoint_name
from state.layout import Layout


def undelete(
    environment: Environment, options: Options, checkpoint: str, why: str | None
) -> tuple[Layout, Asked]:
    """Leave a request to take the checkpoint `<hero>/<campaign>@<step>` back, and wake the loop.

    Raises:
        Misused: this is no name of a checkpoint.
        NotFound: nothing was applied, or the trash has no such checkpoint.
    """
    name = checkpoint.removeprefix("checkpoint/")
    if not is_checkpoint_name(name):
        raise Misused(f'"{checkpoint}" is no checkpoint; expected <hero>/<campaign>@<step>')
    layout = layout_of(environment, options)
    there = [f"{one.campaign}@{one.step}" for one in store_of(layout).trash if one.state == "trashed"]
    if name not in there:
        raise not_found("checkpoint in the trash", name, there)
    return layout, leave_request(environment, layout, "undelete", name, why)
