"""`explain`: what a thing is, what the plan would do about it, the smallest set of things in its way."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from reconciler.app.explaining.in_a_window import waits_for_a_window
from reconciler.app.explaining.in_the_way import in_the_way
from reconciler.app.explaining.item_facts import Fact
from reconciler.app.explaining.origins import Origin, origins_of
from reconciler.app.explaining.thing_facts import facts_of
from reconciler.app.looking.axes import concerns
from reconciler.app.looking.things import found, meant, named
from reconciler.app.planning.in_force import look_in_force
from reconciler.app.planning.look import View
from reconciler.app.planning.plan_document import PlannedChange, document_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Misused
from reconciler.app.surroundings.place import Options
from reconciler.plan.changes import Blocked
from state.ids import INBOX


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about one thing."""

    schema_version: int = 1
    thing: str
    where: str | None
    """Its spec; null when it has none."""
    complaint: str | None = None
    """The specs checked out have mistakes; this is by those of an earlier commit."""
    facts: tuple[Fact, ...]
    changes: tuple[PlannedChange, ...]
    """What apply would do about it, in its order."""
    blocked: tuple[Blocked, ...]
    """What keeps it from happening, nearest first; empty when nothing does."""
    settings: tuple[Origin, ...] = ()
    """With --origin: every resolved setting."""
    settings_of: str | None = None
    """The campaign whose settings they are: of a hero the active one, else its first."""


def explain(
    environment: Environment, options: Options, name: str, *, origin: bool = False, worktree: bool = False
) -> Explanation:
    """Return what a thing is, what would happen to it and what is in its way.

    A bare word that only one thing has as its last part means that thing.

    Raises:
        Misused: this is no name of a thing, or it has no settings to show the origin of.
        NotFound: there is no such thing.
    """
    thing = named(name)
    _check_has_settings(thing, origin=origin)
    view = look_in_force(environment, options, worktree=worktree)
    if thing is None:
        thing = meant(view, name)
        _check_has_settings(thing, origin=origin)
    return explanation_of(view, *thing, origin=origin, in_force=_in_force(environment, options, view))


def _in_force(environment: Environment, options: Options, view: View) -> View | None:
    if view.window is None:
        return None
    from reconciler.app.planning.change_windows import view_in_force  # seldom needed

    return view_in_force(environment, options, view)


def _check_has_settings(thing: tuple[str, str] | None, *, origin: bool) -> None:
    if origin and thing is not None and thing[0] not in ("campaign", "hero"):
        raise Misused(f"--origin shows the settings of a campaign, not of a {thing[0]}")


def explanation_of(
    view: View, kind: str, name: str, *, origin: bool = False, in_force: View | None = None
) -> Explanation:
    """Return all that a view knows about a thing.

    `in_force` is what goes on while the view's commit waits for a change window.

    Raises:
        NotFound: there is no such thing.
        Misused: with origin, it has no spec with settings.
    """
    name = found(view, kind, name)
    campaign = _with_settings(view, kind, name) if origin else None
    changes = tuple(one for one in document_of(view).changes if _is_about(one, kind, name))
    thing = f"{kind}/{name}" if name else kind
    return Explanation(
        thing=thing,
        where=_where(view, kind, name),
        complaint=view.complaint,
        facts=tuple(facts_of(view, kind, name)),
        changes=changes,
        blocked=(
            *waits_for_a_window(view, thing, {one.id for one in changes}, in_force),
            *in_the_way(view, kind, name),
        ),
        settings=origins_of(view, campaign) if campaign is not None else (),
        settings_of=campaign,
    )


def _where(view: View, kind: str, name: str) -> str | None:
    desired = view.desired
    if kind == "quest":
        place = next(place for place, one in enumerate(view.quests) if one.id == name)
        return view.quest_where(place)
    of_many: dict[str, Any] = {
        "campaign": desired.campaigns.get(name),
        "hero": desired.heroes.get(name),
        "skill": desired.skills.get(name),
        "dataset": desired.datasets.get(name),
        "realm": desired.realm,
        "queue": desired.queue,
        "run": desired.campaigns.get("/".join(name.split("/")[:2])),
        "checkpoint": desired.retention,
        "retention": desired.retention,
    }
    source = of_many.get(kind)
    return source.path if source is not None else None


def _is_about(change: PlannedChange, kind: str, name: str) -> bool:
    if kind == "hero":
        campaign = getattr(change.action, "campaign", None) or ""
        return change.subject == f"hero/{name}" or campaign.partition("/")[0] == name
    about: Mapping[str, Callable[[], bool]] = {
        "realm": lambda: True,
        "root": lambda: change.subject in ("root", "pointer"),
        "queue": lambda: change.subject.startswith("quest/"),
        "campaign": lambda: concerns(change.action, change.subject, name),
        "run": lambda: _is_about_run(change, name),
        "inbox": lambda: change.cause == f"{INBOX}/{name}",
    }
    return about[kind]() if kind in about else change.subject == f"{kind}/{name}"


def _is_about_run(change: PlannedChange, name: str) -> bool:
    """Is a change about this run, or about whichever is a campaign's newest?"""
    campaign, run = "/".join(name.split("/")[:2]), name.split("/")[2:]
    key = getattr(change.action, "key", None)
    return change.subject == f"run/{campaign}" and (not run or key is None or key.folder == run[0])


def _with_settings(view: View, kind: str, name: str) -> str:
    """Return the campaign whose settings are shown.

    Raises:
        Misused: it has no spec with settings.
    """
    campaign = name if kind == "campaign" else _campaign_of(view, name)
    if campaign not in view.desired.campaigns:
        raise Misused(f"{kind}/{name} has no spec whose settings could be shown")
    return campaign


def _campaign_of(view: View, hero: str) -> str:
    """Return the campaign whose settings stand for a hero's: the active one, else its first."""
    mine = [name for name in view.desired.campaigns if name.partition("/")[0] == hero]
    active = view.desired.realm.spec.active
    return active if active in mine else (mine[0] if mine else "")
