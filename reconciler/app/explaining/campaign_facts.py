"""What is known of a campaign and of its runs."""

from collections.abc import Iterator

from reconciler.app.explaining.item_facts import Fact, item_facts, listed_facts_of
from reconciler.app.explaining.trash_facts import way_back_facts
from reconciler.app.looking.get import listing_of
from reconciler.app.planning.look import View, world_of
from reconciler.app.surroundings.errors import NotFound
from reconciler.plan.retries.reactions import reaction_to
from reconciler.plan.retries.retry import policy_of
from reconciler.plan.segments.floors import floor_of
from reconciler.plan.segments.rollbacks import NoRollback, rollback_of
from reconciler.plan.segments.words import told
from reconciler.plan.sentences import sentence_of
from state.store.rows import CampaignRow

_MOST_FOREIGN = 10


def run_facts(view: View, name: str) -> Iterator[Fact]:
    """Yield the facts of a run, or of a campaign's newest one."""
    campaign = "/".join(name.split("/")[:2])
    found = [item for item in listing_of(view, "runs").items if item.id.startswith(f"{campaign}/")]
    chosen = found[-1:] if name == campaign else [item for item in found if item.id == name]
    if not chosen:
        raise NotFound(f"campaign {campaign} has not been launched yet")
    yield Fact(name="run", text=chosen[0].id)
    yield from item_facts(chosen[0])
    if chosen[0].message:
        yield Fact(name="said", text=chosen[0].message)
    yield from _reaction(view, campaign, chosen[0].id)


def _reaction(view: View, campaign: str, run: str | None = None) -> Iterator[Fact]:
    """Yield why a campaign's run failed, the newest or the one named, and what follows from that."""
    row = view.facts.campaign_row(campaign)
    runs = view.facts.runs_of(row.uid) if row is not None else ()
    chosen = [one for one in runs if run in (None, f"{campaign}/g{one.generation}-a{one.attempt}")][-1:]
    for one in chosen:
        if one.failure_class is not None:
            policy = policy_of(view.desired.realm.spec)
            yield Fact(name="ended as", text=one.failure_class)
            yield Fact(name="then", text=_no_rollback(view, row) or reaction_to(one.failure_class, policy))


def _no_rollback(view: View, row: CampaignRow | None) -> str | None:
    """Return why a campaign does not go back, where it would have to; None: nothing keeps it from that."""
    found = rollback_of(world_of(view), row) if row is not None else None
    return found.message if isinstance(found, NoRollback) else None


def campaign_facts(view: View, name: str) -> Iterator[Fact]:
    yield from listed_facts_of("campaigns")(view, name)
    yield from _of_its_spec(view, name)
    yield from _without_a_spec(view, name)
    yield from _reaction(view, name)
    yield from _not_ours(view, name)
    yield from _awaiting(view, name)
    yield from _segments(view, name)
    yield from way_back_facts(view, name)


def _of_its_spec(view: View, name: str) -> Iterator[Fact]:
    """Yield what its spec says of it to people, which steps it marks, and how its rate falls."""
    source = view.desired.campaigns.get(name)
    if source is None:
        return
    spec = source.spec
    marked = [f"{one.step:,}{f' ({one.note})' if one.note else ''}" for one in spec.milestones or ()]
    told = {
        "called": spec.name,
        "described": spec.description,
        "skills focus": ", ".join(spec.skills_focus),
        "begins with": spec.starting_checkpoint,
        "milestones": ", ".join(marked),
    }
    yield from (Fact(name=what, text=text) for what, text in told.items() if text)
    floor = floor_of(world_of(view), name)
    if floor is not None:
        yield Fact(name="rate falls", text=f"{floor.text} ({floor.origin})")


def _without_a_spec(view: View, name: str) -> Iterator[Fact]:
    """Yield what a person can do about a campaign whose spec is gone; apply leaves it as it is."""
    row = view.facts.campaign_row(name)
    if row is not None and row.status != "deleted" and name not in view.desired.campaigns:
        file = f"specs/campaigns/{name}.yaml"
        yield Fact(
            name="ways out",
            text=f"bring {file} back; or write it with  state: deleted, to delete the campaign",
        )


def _segments(view: View, name: str) -> Iterator[Fact]:
    """Yield the segments of the campaign's history after its first one."""
    row = view.facts.campaign_row(name)
    for one in view.facts.segments_of(row.uid) if row is not None else ():
        living = " (living)" if row is not None and one.number == row.segment else ""
        yield Fact(name=f"segment {one.number}{living}", text=told(one))
        made = (each for each in view.facts.ledger_of(one.campaign_uid) if each.segment == one.number)
        if one.kind == "decay" and any(each.step == one.last_step for each in made):
            release = f"{name}@{one.number}:{one.last_step}"
            yield Fact(name="release", text=f"{release}; reconcile export {release} --to DIR")


def _not_ours(view: View, name: str) -> Iterator[Fact]:
    """Yield what lies among a campaign's checkpoints and is none of ours."""
    seen = view.facts.campaigns.get(name)
    foreign = seen.checkpoints.foreign if seen is not None else ()
    for one in foreign[:_MOST_FOREIGN]:
        yield Fact(name="not ours", text=f"{one.name}: {one.reason}")
    if (more := len(foreign) - _MOST_FOREIGN) > 0:
        yield Fact(name="...", text=f"and {more:,} more: reconcile get checkpoints {name}")


def _awaiting(view: View, campaign: str) -> Iterator[Fact]:
    """Yield each drop of the campaign that waits for an approval."""
    for change in view.plan.awaiting.changes if view.plan.awaiting else ():
        if getattr(change.action, "campaign", None) == campaign:
            said = sentence_of(change.action)
            text = f"{said.verb} {said.subject.partition(' ')[2]}: {change.reason}"
            yield Fact(name="for approval", text=text)
