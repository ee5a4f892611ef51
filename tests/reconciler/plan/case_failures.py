"""What of a plan failed when it was tried, by its verb: the journal has its id, a case need not."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from reconciler.observed.facts import Facts
from reconciler.plan.changes import Plan
from reconciler.plan.sentences import sentence_of
from state.store.journal_rows import LastFailure


def with_failures(facts: Facts, words: Mapping[str, Any], plan: Callable[[Facts], Plan]) -> Facts:
    """Return the facts after each change with one of these verbs failed, `at` these moments with an `outcome`.

    `before`: so many of the failures are from before the reconciler took office that is at work now;
    `left`: none is at work.
    """
    if not words:
        return facts
    rows = tuple(
        _failure(change.id, words[verb], facts.store.epoch)
        for change in plan(facts).changes
        if (verb := sentence_of(change.action).verb) in words
    )
    assert {sentence_of(change.action).verb for change in plan(facts).changes} >= set(words)
    store = msgspec.structs.replace(facts.store, last_failures=rows)
    is_in_office = not any(one.get("left") for one in words.values())
    return msgspec.structs.replace(facts, store=store, is_in_office=is_in_office)


def _failure(id_: str, words: Mapping[str, Any], epoch: int) -> LastFailure:
    num_before = words.get("before", 0)
    return LastFailure(
        id=id_,
        failed_at=tuple(words["at"]),
        outcome=words["outcome"],
        permanent=words.get("permanent", False),
        epoch=epoch if num_before < len(words["at"]) else epoch - 1,
        num_in_office=max(1, len(words["at"]) - num_before),
    )
