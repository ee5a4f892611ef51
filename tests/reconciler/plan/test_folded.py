"""What is in the way is told one by one up to a bound for each kind, and the rest counted."""

from reconciler.plan.changes import MOST_OF_A_KIND, Blocked, folded


def blocked(subject: str, code: str) -> Blocked:
    return Blocked(subject=subject, code=code, message=f"{subject} is amiss", cause="here", hint="mend it")


def test_as_many_as_the_bound_are_all_told() -> None:
    items = [blocked(f"inbox/{n}.jsonl", "inbox-torn") for n in range(MOST_OF_A_KIND)]
    assert folded(items) == tuple(items)


def test_more_than_the_bound_are_counted_behind_the_last_that_is_told() -> None:
    torn = [blocked(f"inbox/{n:05}.jsonl", "inbox-torn") for n in range(10_000)]
    quest = blocked("quest/q1", "inbox-torn")
    other = blocked("inbox/00019.jsonl", "inbox-name")
    told = folded([*torn[:30], other, *torn[30:], quest])

    assert list(told[:MOST_OF_A_KIND]) == torn[:MOST_OF_A_KIND]
    rest = told[MOST_OF_A_KIND]
    assert (rest.subject, rest.cause) == ("inbox", "10,000 in all")
    assert rest.message == "9,980 more like these (inbox-torn); all of them: reconcile plan --json"
    assert list(told[MOST_OF_A_KIND + 1 :]) == [other, quest]


def test_checkpoints_that_a_suspension_keeps_in_the_trash_are_told_by_the_first_and_their_number() -> None:
    """Nobody has to mend anything there; suspended quests and campaigns are told one by one."""
    kept = [blocked(f"checkpoint/pip/c@{step}", "suspended") for step in (10, 20, 30)]
    quests = [blocked(f"quest/q{number}", "suspended") for number in (1, 2)]
    first, rest, *others = folded([*kept, *quests])
    assert (first, others) == (kept[0], quests)
    assert (rest.cause, rest.message.split(" (")[0]) == ("3 in all", "2 more like these")
