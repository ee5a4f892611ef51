"""Campaigns: rows, pointer, link and campaign.json say the same."""

import json
from typing import Any

import msgspec

from reconciler.plan import actions as a


def record(realm: Any, campaign: str) -> dict[str, Any]:
    return json.loads(realm.layout.campaign(campaign).record.read_bytes())


def test_a_registered_campaign_has_its_folders_and_its_record(realm: Any, make: Any) -> None:
    realm.done(make.register("tiny/campaign-003"))

    places = realm.layout.campaign("tiny/campaign-003")
    assert all(p.is_dir() for p in (places.checkpoints, places.status, places.logs, places.runs))
    found = record(realm, "tiny/campaign-003")
    assert (found["id"], found["hero_id"], found["status"]) == ("campaign-003", "tiny", "paused")
    assert found["created_at"] == make.now


def test_activating_demotes_the_campaign_that_was_active(realm: Any, make: Any) -> None:
    """The wrong turn: activating never demoted the old campaign."""
    realm.done(make.activate(make.other, make.campaign))

    assert {row.name: row.status for row in realm.view().campaigns} == {
        make.campaign: "paused", make.other: "active",
    }  # fmt: skip
    assert (record(realm, make.campaign)["status"], record(realm, make.other)["status"]) == (
        "paused",
        "active",
    )


def test_pointer_link_and_store_name_the_same_campaign(realm: Any, make: Any) -> None:
    """The wrong turn: active pointer and symlink disagreed."""
    realm.done(make.activate(make.other, make.campaign))

    pointer = json.loads(realm.layout.active_pointer.read_bytes())
    assert pointer == {
        "hero_id": "tiny", "campaign_id": "campaign-002", "campaign_path": f"campaigns/{make.other}",
        "activated_at": make.now,
    }  # fmt: skip
    assert str(realm.layout.active_link.readlink()) == make.other
    assert realm.layout.active_link.resolve() == realm.layout.campaign(make.other).folder
    assert realm.view().active_uid == make.other_uid


def test_activating_again_keeps_the_moment_of_activation(realm: Any, make: Any) -> None:
    realm.done(make.activate(), now=lambda: "2030-01-01T00:00:00Z")

    assert realm.view().activated_at == make.now


def test_unknown_keys_of_pointer_and_record_survive(realm: Any, make: Any) -> None:
    pointer, path = realm.layout.active_pointer, realm.layout.campaign(make.campaign).record
    pointer.write_bytes(msgspec.json.encode(json.loads(pointer.read_bytes()) | {"_comment": "Scroll"}))
    path.write_bytes(
        msgspec.json.encode(json.loads(path.read_bytes()) | {"mood": "good", "milestones": [{"step": 1}]})
    )

    realm.done(make.activate(make.other, make.campaign))

    assert json.loads(pointer.read_bytes())["_comment"] == "Scroll"
    assert (record(realm, make.campaign)["mood"], record(realm, make.campaign)["milestones"]) == (
        "good",
        [{"step": 1}],
    )


def test_no_active_campaign_means_no_pointer_and_no_link(realm: Any, make: Any) -> None:
    realm.done(a.DeactivateCampaign(campaign=make.campaign, campaign_uid=make.uid))

    assert not realm.layout.active_pointer.exists()
    assert not realm.layout.active_link.is_symlink()
    assert realm.view().active_uid is None
    assert record(realm, make.campaign)["status"] == "paused"


def test_a_torn_record_is_written_anew_from_spec_and_store(realm: Any, make: Any) -> None:
    realm.layout.campaign(make.campaign).record.write_text('{"id": "campa')

    realm.done(a.WriteCampaignRecord(campaign=make.campaign, campaign_uid=make.uid, card=make.card))

    assert record(realm, make.campaign)["status"] == "active"


def test_a_campaign_that_is_not_registered_cannot_be_activated(realm: Any, make: Any) -> None:
    outcome = realm.fails(make.activate("tiny/ghost"))

    assert outcome.permanent
    assert "campaign tiny/ghost (uid " in outcome.text
    assert "is not in the store; the next plan registers it" in outcome.text
    assert realm.view().active_uid == make.uid
