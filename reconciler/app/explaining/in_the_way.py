"""What keeps a thing from happening: its own blockers, then those of what it waits for."""

from collections.abc import Iterator

from reconciler.app.looking.status import hold_of
from reconciler.app.planning.look import View, world_of
from reconciler.plan.changes import Blocked
from reconciler.plan.runs.blockers import held_text
from state.ids import is_campaign_name


def in_the_way(view: View, kind: str, name: str) -> tuple[Blocked, ...]:
    """Return the smallest set of things that keep a thing from happening, nearest first."""
    if kind == "realm":
        return view.plan.blocked
    subjects = dict.fromkeys([f"{kind}/{name}" if name else kind, *_waits_for(view, kind, name)])
    told = view.plan.blocked if kind == "campaign" else [one for one in view.plan.blocked if _counts(one)]
    found = [item for subject in subjects for item in told if _concerns(item.subject, subject)]
    if kind == "campaign" and (inactive := _not_active(view, name)) is not None:
        found.insert(0, inactive)
    if kind in ("campaign", "run") and not any(item.code == "held" for item in found):
        found[:0] = _on_hold(view, "/".join(name.split("/")[:2]))
    unique: dict[tuple[str, str], Blocked] = {}
    for item in found:
        unique.setdefault((item.code, item.message), item)
    return tuple(unique.values())


def _counts(item: Blocked) -> bool:
    """Does it keep other things waiting? What waits for its turn in a campaign, as a release, does not."""
    return not (item.is_waiting and item.subject.startswith("campaign/"))


def _concerns(subject: str, thing: str) -> bool:
    """Is a blocker with this subject about the thing? Those of its checkpoints and runs are a campaign's."""
    if subject == thing:
        return True
    if thing == "queue":
        return subject.startswith("quest/")
    name = thing.removeprefix("campaign/")
    return is_campaign_name(name) and subject.startswith((f"checkpoint/{name}@", f"run/{name}"))


def _waits_for(view: View, kind: str, name: str) -> Iterator[str]:
    """Yield the things without which this one does not happen."""
    match kind:
        case "campaign":
            yield from _campaign_waits_for(view, name)
        case "quest":
            yield from _quest_waits_for(view, name)
        case "run":
            campaign = "/".join(name.split("/")[:2])
            yield f"run/{campaign}"
            yield f"campaign/{campaign}"
        case "checkpoint":
            yield f"campaign/{name.partition('@')[0]}"
        case "dataset":
            yield from (f"quest/{quest.id}" for quest in view.quests if quest.dataset == name)


def _campaign_waits_for(view: View, name: str) -> Iterator[str]:
    yield f"hero/{name.partition('/')[0]}"
    for job in view.facts.store.jobs:
        if f"{job.hero_id}/{job.campaign_id}" == name and job.status not in ("completed", "skipped"):
            yield f"quest/{job.quest_id}"


def _quest_waits_for(view: View, name: str) -> Iterator[str]:
    quest = next(one for one in view.quests if one.id == name)
    active = view.desired.realm.spec.active
    for who in quest.for_ or ((active,) if active else ()):
        if "/" in who:
            yield f"campaign/{who}"
        yield f"hero/{who.partition('/')[0]}"


def _on_hold(view: View, name: str) -> Iterator[Blocked]:
    """Yield who holds a campaign that has nothing to do either, so that the plan says nothing of it."""
    hold = hold_of(view.facts.campaign_row(name))
    if hold is not None:
        yield Blocked(
            subject=f"campaign/{name}",
            code="held",
            message=held_text(world_of(view), name),
            cause=f"reconcile {hold.kind}",
            hint=f"reconcile resume {name}",
        )


def _not_active(view: View, name: str) -> Blocked | None:
    active, source = view.desired.realm.spec.active, view.desired.campaigns.get(name)
    if active == name or source is None or source.spec.state is not None:
        return None  # an archived or deleted one does not train because its own file says so
    said = f"realm.yaml names {active}" if active else "realm.yaml names no active campaign"
    return Blocked(
        subject=f"campaign/{name}",
        code="not-active",
        message=f"it does not train: {said}",
        cause=view.desired.realm.where("active"),
        hint=f"realm.yaml: active: {name}",
    )
