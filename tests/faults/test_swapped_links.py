"""A link swapped in under a deletion, between its look and its act, leads nowhere: see swaps.py."""

from typing import Any

import pytest

DELETIONS = (
    *("TrashCheckpoint", "PurgeTrash", "DeleteCampaign", "PurgeTrash-campaign", "SetAsideCheckpoint"),
    *("ArchiveCampaign", "BeginSegment", "Office"),
)


@pytest.mark.parametrize("name", DELETIONS)
def test_a_link_swapped_in_under_a_deletion_takes_nothing_that_lies_behind_it(name: str, worker: Any) -> None:
    answer = worker.ask(task="swaps", name=name, follows_links=False)

    assert answer["problems"] == []
    assert answer["swaps"] > 0


def test_a_purge_that_followed_links_is_seen_by_these_tests(worker: Any) -> None:
    answer = worker.ask(task="swaps", name="PurgeTrash", follows_links=True)

    assert "what lies outside was changed" in answer["problems"][0]
