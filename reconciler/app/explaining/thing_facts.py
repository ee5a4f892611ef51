"""What is known about a thing, one line each, in words of people: for `explain`."""

from collections.abc import Callable, Iterator, Mapping

from reconciler.app.explaining.campaign_facts import campaign_facts, run_facts
from reconciler.app.explaining.checkpoint_facts import checkpoint_facts
from reconciler.app.explaining.item_facts import Fact, listed_facts_of
from reconciler.app.explaining.quest_facts import dataset_facts, inbox_facts, quest_facts
from reconciler.app.explaining.realm_facts import queue_facts, realm_facts, retention_facts, root_facts
from reconciler.app.explaining.trash_facts import trash_facts
from reconciler.app.planning.look import View


def facts_of(view: View, kind: str, name: str) -> Iterator[Fact]:
    """Yield what is known about a thing that is there.

    Raises:
        NotFound: a run of a campaign that has none.
    """
    yield from _FACTS[kind](view, name)


_FACTS: Mapping[str, Callable[[View, str], Iterator[Fact]]] = {
    "realm": realm_facts,
    "root": root_facts,
    "queue": queue_facts,
    "quest": quest_facts,
    "inbox": inbox_facts,
    "retention": retention_facts,
    "trash": trash_facts,
    "run": run_facts,
    "checkpoint": checkpoint_facts,
    "campaign": campaign_facts,
    "hero": listed_facts_of("heroes"),
    "skill": listed_facts_of("skills"),
    "dataset": dataset_facts,
}
"""Kind → what yields its facts."""
