"""`refresh`: ask the loop to look at the source now, or to take up a history that was rewritten there."""

import msgspec

from reconciler.app.asking.requests import Asked, leave_request
from reconciler.app.planning.in_force import layout_of
from reconciler.app.planning.local_history import broken_history
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked
from reconciler.app.surroundings.ground import store_of
from reconciler.app.surroundings.place import Options, followed_commit, read_following
from reconciler.observed.source import observe_source
from state.layout import Layout
from state.store.refreshes import Refresh
from state.store.rows import StoreView

_FEWEST_DIGITS = 7


def ask_refresh(
    environment: Environment, options: Options, accepts: str | None, why: str | None
) -> tuple[Layout, Asked]:
    """Leave the request and wake the loop.

    Raises:
        NotFound: nothing was applied to this root yet.
        Blocked: the source does not offer the commit that is accepted.
        Failed: the store cannot be written.
    """
    layout = layout_of(environment, options)
    store = store_of(layout)
    if accepts is not None:
        _check_offered(_offered(environment, layout, store), accepts)
    wish = msgspec.json.encode(Refresh(accepts=accepts)).decode()
    return layout, leave_request(environment, layout, "refresh", "source", why, approves_json=wish)


def is_elsewhere(layout: Layout) -> bool:
    """Are the specs fetched from elsewhere, so that only the look itself tells how they are by now?"""
    following = read_following(layout)
    return following is not None and following.url is not None


def _offered(environment: Environment, layout: Layout, store: StoreView) -> str | None:
    """Return the commit that does not go on from the one before; None: there is none."""
    source, following = observe_source(layout.fetched), read_following(layout)
    if following is not None and following.url is None:
        commit = followed_commit(following, layout)
        source = broken_history(store, following, commit, environment.now())
    return source.offered if source else None


def _check_offered(offered: str | None, accepts: str) -> None:
    if offered is None:
        raise Blocked("the source offers nothing that waits for a word; nothing to accept")
    if len(accepts) < _FEWEST_DIGITS or not offered.startswith(accepts):
        look = f"reconcile plan {offered[:12]}"
        raise Blocked(f"the source offers {offered[:12]}, not {accepts}; look at it first: {look}")
