"""A link swapped in under a deletion, between its look and its act, leads nowhere: see swaps.py."""

from typing import Any

import pytest
from scenarios import SCENARIOS

from reconciler.plan import actions as a

DESTROYING = [name for name in SCENARIOS if getattr(a, name.partition("-")[0]).destroys]
MOVING = [
    *("SetAsideCheckpoint", "ArchiveCampaign", "RestoreCampaign", "BeginSegment", "TakeInboxFile"),
    *("RestoreCheckpoint", "RestoreCheckpoint-campaign", "BringBackCheckpoint", "MendCheckpoint", "Office"),
]
MAKING = [
    *(name for name in [*DESTROYING, *MOVING] if name not in ("SetAsideCheckpoint", "Office")),
    *("TakeOverCheckpoint", "ImportCheckpoint", "SnapshotFile"),
]


@pytest.mark.parametrize("name", [*DESTROYING, *MOVING])
def test_a_link_swapped_in_under_a_deletion_takes_nothing_that_lies_behind_it(name: str, worker: Any) -> None:
    answer = worker.ask(task="swaps", name=name)

    assert answer["problems"] == []
    assert answer["swaps"] > 0


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", MAKING)
def test_a_link_swapped_in_while_something_is_made_leads_nowhere(name: str, worker: Any) -> None:
    answer = worker.ask(task="swaps", name=name, while_writing=True)

    assert answer["problems"] == []
    assert answer["swaps"] > 0


def test_a_purge_that_followed_links_is_seen_by_these_tests(worker: Any) -> None:
    answer = worker.ask(task="swaps", name="PurgeTrash", follows_links=True)

    assert "what lies outside was changed" in answer["problems"][0]
