"""Every path under the root is below the root, and no name leads out of it."""

from pathlib import Path

import pytest

from state.ids import RunKey
from state.layout import Layout
from state.store.rows import CampaignRow

LAYOUT = Layout(Path("/realm"))


def test_the_places_of_the_documents_are_where_they_say() -> None:
    campaign = LAYOUT.campaign("dio/campaign-001")

    assert campaign.record == Path("/realm/campaigns/dio/campaign-001/campaign.json")
    assert campaign.checkpoint(100) == Path("/realm/campaigns/dio/campaign-001/checkpoints/checkpoint-100")
    assert campaign.training_log == Path("/realm/campaigns/dio/campaign-001/logs/training.log")
    assert campaign.run(RunKey("u", 1, 2)).orders == Path(
        "/realm/campaigns/dio/campaign-001/runs/g1-a2/orders.json"
    )
    assert LAYOUT.active_pointer == Path("/realm/control/active_campaign.json")
    assert LAYOUT.active_link == Path("/realm/campaigns/active")


def test_an_archived_campaign_lies_in_the_hall_of_legends() -> None:
    row = CampaignRow(uid="u", name="dio/campaign-001", status="archived", created_at="2026-01-31T12:00:00Z")

    assert LAYOUT.home_of(row).folder == Path("/realm/campaigns/archive/dio/campaign-001-archived")
    assert LAYOUT.other_home_of(row).folder == Path("/realm/campaigns/dio/campaign-001")


@pytest.mark.parametrize("name", ["../x", "a/../b", "a", "/etc/passwd", "a/b/c", "A/b", ""])
def test_a_campaign_that_is_no_hero_and_id_has_no_place(name: str) -> None:
    with pytest.raises(ValueError, match="is not <hero>/<campaign>"):
        LAYOUT.campaign(name)


@pytest.mark.parametrize(
    ("hero", "what"),
    [("archive", "is the Hall of Legends"), ("active", "is the link to the active campaign")],
)
@pytest.mark.parametrize("archived", [False, True])
def test_no_home_is_built_in_the_archive_or_behind_the_active_link(
    hero: str, what: str, archived: bool
) -> None:
    with pytest.raises(ValueError, match=f"'{hero}/one' can have no folder: campaigns/{hero} {what}"):
        LAYOUT.campaign(f"{hero}/one", archived=archived)


def test_what_an_older_version_put_into_the_archive_is_still_found_there() -> None:
    row = CampaignRow(uid="u", name="archive/one", status="paused", created_at="2026-01-31T12:00:00Z")

    assert LAYOUT.home_of(row).folder == Path("/realm/campaigns/archive/one")


def test_content_lies_under_its_digest() -> None:
    assert LAYOUT.snapshot("sha256:" + "a" * 64) == Path(f"/realm/data/{'a' * 64}.jsonl")


@pytest.mark.parametrize("digest", ["sha256:../../x", "sha256:" + "A" * 64, "md5:" + "a" * 64, "a" * 64, ""])
def test_what_is_no_digest_has_no_place(digest: str) -> None:
    with pytest.raises(ValueError, match="is not a SHA-256 digest"):
        LAYOUT.snapshot(digest)
