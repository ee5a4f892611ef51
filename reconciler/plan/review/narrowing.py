"""A plan made smaller: `--only` and `--exclude`, and what a saved plan holds. Never half of a thing.

Chosen are subjects, never single changes. What a chosen change needs comes along; where `--exclude` forbids
that, the chosen change is left out, too. Both are named. A plan that leaves something out keeps it in
`Plan.left_out`, so that nobody takes the rest for all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from reconciler.plan import actions as a
from reconciler.plan.changes import Change, Plan

_MOST_SUBJECTS = 8


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What `--only` and `--exclude` say: patterns of subjects, such as `quest/*` or `tiny-muon/*`."""

    only: tuple[str, ...] = ()
    """Empty: everything."""
    exclude: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.only or self.exclude)

    @property
    def options(self) -> tuple[str, ...]:
        """Return the words that say the same on a command line."""
        named = (("--only", self.only), ("--exclude", self.exclude))
        return tuple(word for option, patterns in named for one in patterns for word in (option, one))

    def wants(self, subject: str) -> bool:
        """Is this subject chosen?"""
        return (not self.only or fits(subject, self.only)) and not fits(subject, self.exclude)


def fits(subject: str, patterns: Iterable[str]) -> bool:
    """Does one of the patterns name this subject, with its kind (`quest/x`) or without (`x`)?"""
    name = subject.partition("/")[2]
    return any(fnmatchcase(subject, one) or bool(name and fnmatchcase(name, one)) for one in patterns)


def needs_of(changes: Sequence[Change]) -> dict[str, tuple[str, ...]]:
    """Return what each change needs of the same plan, by id: what it says, and what would be half without.

    Orders name jobs, so they need these jobs, and what brings their content in; an approval that is used
    up needs what it is for.
    """
    jobs = {one.action.job_uid: one.id for one in changes if isinstance(one.action, a.EnqueueJob)}
    found = {change.id: (*change.needs, *change.needs_one_of, *_ordered(change, jobs)) for change in changes}
    for change in changes:
        if isinstance(change.action, a.TakeApproval):
            drops = (other.id for other in changes if change.id in other.needs)
            found[change.id] = (*found[change.id], *drops)
    return found


def _ordered(change: Change, jobs: Mapping[str, str]) -> tuple[str, ...]:
    action = change.action
    if not isinstance(action, a.GiveOrders | a.LaunchRun):
        return ()
    return tuple(jobs[uid] for uid in action.job_uids if uid in jobs)


def narrowed(plan: Plan, choice: Choice) -> Plan:
    """Return the plan with what is chosen, in the same order; what comes along or cannot is a warning.

    Who asked for a look at the source is answered all the same: it was made, and nothing else depends on it.
    """
    if not choice:
        return plan
    needs = needs_of(plan.changes)
    forbidden = {change.id for change in plan.changes if fits(change.subject, choice.exclude)}
    impossible = _reaching(forbidden, needs)
    wanted = {change.id for change in plan.changes if choice.wants(change.subject)}
    wanted |= {change.id for change in plan.changes if isinstance(change.action, a.AnswerRefresh)} - forbidden
    kept = _closed(wanted - impossible.keys(), needs)
    by_id = {change.id: change for change in plan.changes}
    said = [_comes_along(by_id[one], by_id, wanted, needs, kept) for one in kept - wanted]
    said += [_cannot(by_id[one], by_id[impossible[one]]) for one in wanted & impossible.keys()]
    return _cut(plan, kept, choice.wants, sorted(said))


def picked(plan: Plan, ids: frozenset[str]) -> Plan:
    """Return the plan with just these changes, and what is blocked of the same subjects."""
    subjects = {change.subject for change in plan.changes if change.id in ids}
    return _cut(plan, ids, subjects.__contains__, ())


def _cut(plan: Plan, kept: Iterable[str], wants: Callable[[str], bool], said: Sequence[str]) -> Plan:
    kept = frozenset(kept)
    return msgspec.structs.replace(
        plan,
        changes=tuple(change for change in plan.changes if change.id in kept),
        left_out=tuple(change for change in plan.changes if change.id not in kept),
        blocked=tuple(item for item in plan.blocked if wants(item.subject)),
        warnings=(*plan.warnings, *said),
    )


def _closed(chosen: Iterable[str], needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return the chosen ids with all that they need, and what that needs."""
    found, open_ones = set[str](), list(chosen)
    while open_ones:
        one = open_ones.pop()
        if one in needs and one not in found:
            found.add(one)
            open_ones.extend(needs[one])
    return found


def _reaching(forbidden: Iterable[str], needs: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return which ids need a forbidden one, at whatever distance, each with that one."""
    forbidden = frozenset(forbidden)
    found = {}
    for one in needs.keys() - forbidden:
        reached = sorted(_closed([one], needs) & forbidden)
        if reached:
            found[one] = reached[0]
    return found


def _comes_along(
    change: Change,
    by_id: Mapping[str, Change],
    wanted: set[str],
    needs: Mapping[str, tuple[str, ...]],
    kept: set[str],
) -> str:
    who = min((one for one in wanted & kept if change.id in _closed([one], needs)), default=change.id)
    return f"{_words(change)} comes along: {_words(by_id[who])} needs it"


def _cannot(change: Change, missing: Change) -> str:
    return f"{_words(change)} is left out, too: it needs {_words(missing)}, which --exclude leaves out"


def _words(change: Change) -> str:
    from reconciler.plan.sentences import sentence_of

    sentence = sentence_of(change.action)
    return f"{sentence.verb} {sentence.subject}"


def unfitting(plan: Plan, choice: Choice) -> tuple[str, ...]:
    """Name the patterns that fit nothing of a plan: a slip of the pen must not look like 'nothing to do'."""
    there = sorted({*(change.subject for change in plan.changes), *(item.subject for item in plan.blocked)})
    more = len(there) - _MOST_SUBJECTS
    listed = ", ".join(there[:_MOST_SUBJECTS]) + (f" and {more} more" if more > 0 else "")
    patterns = (("--only", choice.only), ("--exclude", choice.exclude))
    return tuple(
        f'{option} "{one}" fits nothing of this plan; it is about: {listed or "nothing"}'
        for option, given in patterns
        for one in given
        if not any(fits(subject, [one]) for subject in there)
    )
