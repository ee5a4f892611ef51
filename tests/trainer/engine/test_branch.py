"""A run that branches off for a release: from another folder, into its own, with a rate that falls."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, a_training, orders
from seen import losses, manifest, metrics, why

from state.contract.request import DecayBranch
from trainer.checkpoints.load import read_manifest
from trainer.engine.run import run

CONFIG = a_config(training=a_training(lr_scheduler="wsd"), save_every=3)
BRANCH = DecayBranch(start_step=3, updates=4, final_ratio=0.1)


def branch_off(realm: Realm, **changes: Any) -> dict[str, Any]:
    """Return what a request for a branch off step 3 says otherwise."""
    parent = realm.campaign.checkpoint(3)
    usual = {
        "segment": 2, "checkpoints_dir": str(realm.campaign.segment(2)), "resume_dir": str(parent),
        "resume_step": 3, "decay": BRANCH,
    }  # fmt: skip
    return usual | changes


def trunk(realm: Realm) -> Any:
    """Train to step 3; return the quest."""
    quest = realm.quest(epochs=2)
    run(realm.run(orders(quest, goal_updates=3), CONFIG).request)
    return quest


def test_the_rate_of_a_branch_falls_and_its_release_says_what_it_is(realm: Realm) -> None:
    quest = trunk(realm)
    files = realm.run(orders(quest, goal_updates=7), CONFIG, **branch_off(realm))

    run(files.request)

    assert (why(files).reason, why(files).message) == (
        "goal_reached",
        "made 4 of 4 updates of the release of step 3",
    )
    rates = [record.learning_rate for record in metrics(files, "update")]
    full = CONFIG.training.learning_rate
    assert rates == [
        pytest.approx(full * share) for share in (0.55, 0.36360389693210735, 0.22057713659400521, 0.1)
    ]
    release = read_manifest(realm.campaign.segment(2) / "checkpoint-7")
    assert (release.segment, release.parent_step, manifest(realm, 3).segment) == (2, 6, 1)
    first = read_manifest(realm.campaign.segment(2) / "checkpoint-6")
    assert first.parent_digest == manifest(realm, 3).digest
    assert not realm.campaign.checkpoint(7).exists()


def test_every_record_names_the_segment_whose_step_it_is_about(realm: Realm) -> None:
    """Step 5 is there twice, in the trunk and in the branch: a step alone would be ambiguous."""
    quest = trunk(realm)
    branch = realm.run(orders(quest, goal_updates=5), CONFIG, **branch_off(realm))
    run(branch.request)
    goes_on = realm.run(orders(quest, goal_updates=5), CONFIG, resume_step=3)
    run(goes_on.request)

    kinds = ("started", "update", "checkpoint", "left")
    assert {record.segment for kind in kinds for record in metrics(branch, kind)} == {2}
    assert {record.segment for kind in kinds for record in metrics(goes_on, kind)} == {1}


def test_the_trunk_goes_on_as_if_nobody_had_branched_off(realm: Realm, tmp_path: Path) -> None:
    quest, plain = trunk(realm), Realm(tmp_path / "plain")
    run(realm.run(orders(quest, goal_updates=7), CONFIG, **branch_off(realm)).request)
    run(realm.run(orders(quest), CONFIG, resume_step=3).request)
    other = trunk(plain)
    run(plain.run(orders(other), CONFIG, resume_step=3).request)

    for name in ("model.safetensors", "optimizer.safetensors"):
        both = [(one.campaign.checkpoint(9) / name).read_bytes() for one in (realm, plain)]
        assert both[0] == both[1], name
    assert manifest(realm, 9).cursor == manifest(plain, 9).cursor


def test_a_branch_that_goes_on_is_the_undisturbed_one_to_the_bit(realm: Realm, tmp_path: Path) -> None:
    whole = Realm(tmp_path / "whole")
    quest = trunk(whole)
    undisturbed = whole.run(orders(quest, goal_updates=7), CONFIG, **branch_off(whole))
    run(undisturbed.request)
    quest = trunk(realm)
    first = realm.run(orders(quest, goal_updates=5), CONFIG, **branch_off(realm))
    run(first.request)
    second = realm.run(
        orders(quest, goal_updates=7), CONFIG, **branch_off(realm, resume_dir=None, resume_step=5)
    )

    run(second.request)

    assert losses(first) | losses(second) == losses(undisturbed)
    both = [
        (one.campaign.segment(2) / "checkpoint-7/model.safetensors").read_bytes() for one in (realm, whole)
    ]
    assert both[0] == both[1]
