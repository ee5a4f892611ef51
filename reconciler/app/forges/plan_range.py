"""What one commit adds to the plan of another: `plan BASE..HEAD`, as a reviewer wants to see it.

Both are planned against the same world. What the base would do anyway is left out, what only the base would
do is named. With three dots the base is the commit where the two histories parted.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from reconciler.app.planning.look import View
from reconciler.app.planning.plan_document import (
    PlanBase,
    PlanDocument,
    PlannedChange,
    document_of,
    planned,
    training_of,
)
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed, Misused
from reconciler.app.surroundings.place import Options, head_of, repository_of
from reconciler.desired.git_process import run
from reconciler.plan.changes import Blocked, Change, Plan, effect_of
from reconciler.plan.costs.releases import ReleaseCost
from reconciler.plan.costs.training import TrainingCost
from reconciler.plan.review.differences import differences, same_thing

See = Callable[[str], View]


def document_between(environment: Environment, options: Options, ref: str, see: See) -> PlanDocument:
    """Return the plan of HEAD without what the plan of BASE has, too; `ref` is BASE..HEAD or BASE...HEAD.

    `see` looks at the world and plans for one ref.

    Raises:
        Misused: one of the two is missing.
        Failed: with three dots: they have no commit in common.
        SourceError: no such commit.
    """
    base_ref, _, tip_ref = ref.partition("..")
    since_parting, tip_ref = tip_ref.startswith("."), tip_ref.removeprefix(".")
    if not base_ref or not tip_ref or tip_ref.startswith(".") or ".." in tip_ref:
        raise Misused(f'"{ref}" is no BASE..HEAD; as in  main..switch-to-muon')
    base_commit = _parting(environment, options, base_ref, tip_ref) if since_parting else base_ref
    base, tip = see(base_commit), see(tip_ref)
    return document_beyond(base, tip, ref, base_ref)


def document_beyond(base: View, tip: View, ref: str, base_ref: str) -> PlanDocument:
    """Return what the plan of `tip` has and that of `base` has not, with what only the base has beside it."""
    already = {effect_of(change) for change in base.plan.changes}
    still = {effect_of(change) for change in tip.plan.changes}
    plan = _beyond(tip.plan, base.plan, already)
    anyway = tuple(change for change in tip.plan.changes if effect_of(change) in already)
    only_base = tuple(change for change in base.plan.changes if effect_of(change) not in still)
    training, without = training_of(tip), training_of(base)
    otherwise_released = training if _releases(training) != _releases(without) else None
    document = document_of(msgspec.structs.replace(tip, plan=plan), ref, anyway, otherwise_released)
    otherwise = dict(_otherwise(plan.changes, only_base))
    about = PlanBase(
        ref=base_ref,
        commit=base.commit.id,
        commit_name=base.commit.name,
        num_planned_anyway=len(tip.plan.changes) - len(plan.changes),
        no_longer=tuple(planned(one) for one in only_base if same_thing(one) not in otherwise),
        training=without,
    )
    changes = zip(plan.changes, document.changes, strict=True)
    shown = tuple(_beside(one, otherwise.get(same_thing(change), ())) for change, one in changes)
    return msgspec.structs.replace(document, base=about, changes=shown)


def _releases(training: TrainingCost | None) -> tuple[ReleaseCost, ...]:
    """Return the releases that are still to be made: no change of a plan says so before each has its turn."""
    return training.releases if training is not None else ()


def _beside(shown: PlannedChange, otherwise: tuple[str, ...]) -> PlannedChange:
    return msgspec.structs.replace(shown, otherwise=otherwise) if otherwise else shown


def _otherwise(
    tip: Sequence[Change], base: Sequence[Change]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield each thing that both do something with, one change each, and what is different in it."""
    here, there = (Counter(map(same_thing, changes)) for changes in (tip, base))
    before = {same_thing(change): change for change in base}
    for change in tip:
        thing = same_thing(change)
        if here[thing] == there[thing] == 1:
            yield thing, differences(change.action, before[thing].action)


def _beyond(tip: Plan, base: Plan, already: set[str]) -> Plan:
    changes = tuple(change for change in tip.changes if effect_of(change) not in already)
    blocked = {_obstacle(item) for item in base.blocked}
    waits_anyway = base.awaiting.digest if base.awaiting is not None else None
    awaiting = tip.awaiting if tip.awaiting is not None and tip.awaiting.digest != waits_anyway else None
    return msgspec.structs.replace(
        tip,
        changes=changes,
        awaiting=awaiting,
        blocked=tuple(item for item in tip.blocked if _obstacle(item) not in blocked),
        warnings=tuple(text for text in tip.warnings if text not in base.warnings),
    )


def _obstacle(item: Blocked) -> tuple[str, str, str]:
    return item.subject, item.code, item.message


def _parting(environment: Environment, options: Options, base_ref: str, tip_ref: str) -> str:
    repository = repository_of(environment, options)
    base, tip = (head_of(environment, options, ref).id for ref in (base_ref, tip_ref))
    said = run(repository, "merge-base", base, tip).stdout.decode().strip()
    if not said:
        raise Failed(f"{repository}: {base_ref} and {tip_ref} have no commit in common")
    return said
