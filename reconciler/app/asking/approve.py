"""`approve`: let the plan destroy exactly what a digest stands for; left in the store with who and why."""

import re

import msgspec

from reconciler.app.asking.requests import Asked, leave_request
from reconciler.app.planning.look import View, look
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Misused, NotFound
from reconciler.app.surroundings.ground import store_of
from reconciler.app.surroundings.place import Options, about_the_root
from reconciler.desired.git_process import SourceError
from reconciler.plan.changes import Awaiting
from reconciler.plan.review.guard import drops_of, short
from state.layout import Layout

LEAST_DIGITS = 8
_DIGEST = re.compile(f"(?:sha256:)?([0-9a-f]{{{LEAST_DIGITS},64}})", re.ASCII)


def approve(
    environment: Environment, options: Options, digest: str, why: str | None
) -> tuple[Layout, Awaiting, Asked]:
    """Leave an approval of what waits for one, if it is what the digest says, and wake the loop.

    Raises:
        Misused: this is no digest.
        NotFound: nothing was applied, or nothing waits for an approval.
        Blocked: something else waits: the plan has changed since.
    """
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise Misused(
            f'"{digest}" is no digest; expected {LEAST_DIGITS} to 64 hex digits, as plan shows them'
        )
    view = _followed(environment, options)
    store_of(view.layout)
    awaiting = view.plan.awaiting
    if awaiting is None:
        raise NotFound(f"nothing waits for an approval at {view.commit.name}; see reconcile plan")
    if not awaiting.digest.removeprefix("sha256:").startswith(match[1]):
        raise Blocked(
            f"the plan at {view.commit.name} waits for an approval of {short(awaiting.digest)}, not of "
            f"{match[1]}: it has changed; look at it again: reconcile plan"
        )
    approves = msgspec.json.encode(drops_of(awaiting)).decode()
    asked = leave_request(environment, view.layout, "approve", awaiting.digest, why, approves_json=approves)
    return view.layout, awaiting, asked


def _followed(environment: Environment, options: Options) -> View:
    """Return the plan at the commit that apply follows; before it follows any, at the one checked out."""
    options = about_the_root(environment, options)
    view = look(environment, options)
    following = view.following
    if following is None or view.commit.branch == following.branch:
        return view
    try:
        return look(environment, options, ref=f"refs/heads/{following.branch}")
    except SourceError as error:
        raise Blocked(f"{error}; an approval is of what apply would do") from error
