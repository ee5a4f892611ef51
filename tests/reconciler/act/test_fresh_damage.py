"""Damage that one action finds holds what would still go of that campaign in the same tick, and nothing else."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from kill_worlds import archived_and_exported
from tiny_realm import OTHER_UID

from reconciler.act.launcher import LocalLauncher
from reconciler.act.office import enter_office
from reconciler.act.protocol import perform
from reconciler.act.registry import EXECUTORS
from reconciler.act.tools import Tools
from reconciler.plan import actions as a
from state.contract.files import read
from state.contract.manifest import Manifest

NEXT_PLAN = "nothing more of its campaign goes before the next plan"


def archived_manifest(realm: Any, make: Any, step: int) -> Manifest:
    folder = realm.layout.campaign(make.campaign, archived=True).checkpoint(step)
    return read(folder / "manifest.json", Manifest)


def manifests(realm: Any, make: Any) -> tuple[Manifest, Manifest]:
    places = realm.layout.campaign(make.campaign)
    first, second = (read(places.checkpoint(step) / "manifest.json", Manifest) for step in (20, 40))
    return first, second


def spoil(file: Path) -> None:
    file.chmod(0o600)
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)


@pytest.fixture
def both_away(realm: Any, make: Any) -> Any:
    """Checkpoints 7 and 9 were moved out of the root, and lie in the trash."""
    archived_and_exported(realm, make)
    for step, sequence in ((7, 1), (9, 2)):
        manifest = archived_manifest(realm, make, step)
        realm.done(make.copy_out(realm, manifest, sequence, kind="archive"))
        realm.done(make.move_out(realm, manifest, sequence=sequence))
    return realm


def later(realm: Any, *actions: a.AnyAction) -> list[Any]:
    """Perform them later than the copies were read last."""
    return realm.perform(*actions, now=lambda: "2026-02-07T12:00:00Z")


def test_a_purge_that_finds_a_copy_damaged_holds_the_next_ones_of_that_campaign(
    both_away: Any, make: Any
) -> None:
    spoil(make.elsewhere(both_away) / make.campaign / "checkpoint-7" / "model.safetensors")

    first, second = later(both_away, make.purge(7, 1), make.purge(9, 2))

    assert "is not as it was: model.safetensors has" in first.text
    assert second.skipped
    assert second.text.startswith("not begun: ")
    assert second.text.endswith(NEXT_PLAN)
    assert "checkpoint-7 is damaged: model.safetensors has" in second.text
    assert [stone.state for stone in both_away.view().trash] == ["trashed", "trashed"]


def test_without_damage_one_purge_follows_the_other(both_away: Any, make: Any) -> None:
    assert [one.ok for one in later(both_away, make.purge(7, 1), make.purge(9, 2))] == [True, True]


@pytest.mark.parametrize("kind", ["drop", "demote"])
def test_damage_that_a_scrub_finds_holds_drops_and_demotions(saved: Any, make: Any, kind: str) -> None:
    _, second = manifests(saved, make)
    saved.flip_a_bit(20)
    goes = getattr(make, kind)(second, 2)

    read_again, held = saved.perform(make.read_again(saved, 20), goes)

    assert read_again.ok
    assert held.text.startswith("not begun: checkpoint 20 is damaged: model.safetensors has BLAKE3")
    assert saved.layout.campaign(make.campaign).checkpoint(40).is_dir()
    assert saved.view().trash == ()


def test_what_was_to_go_and_is_missing_holds_the_others(saved: Any, make: Any) -> None:
    first, second = manifests(saved, make)
    place = saved.layout.campaign(make.campaign).checkpoint(20)
    place.rename(place.with_name("gone"))

    missing, held = saved.perform(make.drop(first), make.drop(second, 2))

    assert "not there with digest" in missing.text
    assert held.text.startswith(f"not begun: {place}: not there with digest")
    assert saved.view().trash == ()


def test_damage_that_the_plan_knew_holds_nothing_here(saved: Any, make: Any) -> None:
    """The plan judged it: a person may have acknowledged it."""
    _, second = manifests(saved, make)
    saved.flip_a_bit(20)
    saved.done(make.read_again(saved, 20))

    saved.done(make.read_again(saved, 20), make.drop(second, 2))

    assert [stone.step for stone in saved.view().trash] == [40]


def test_damage_in_one_campaign_holds_no_other(saved: Any, make: Any) -> None:
    _, second = manifests(saved, make)
    saved.flip_a_bit(20)
    of_other = msgspec.structs.replace(make.purge(7, 3), campaign_uid=OTHER_UID)
    actions = [make.read_again(saved, 20), make.drop(second, 2), of_other]
    writer = enter_office(saved.layout, make.now)
    hands = Tools(layout=saved.layout, writer=writer, launcher=LocalLauncher(), now=lambda: make.now)
    executors = {**EXECUTORS, a.PurgeTrash: lambda *_: "deleted"}

    outcomes = list(
        perform(list(map(make.change, actions)), hands, specs_commit="d" * 40, executors=executors)
    )

    writer.close()
    assert [outcome.ok for outcome in outcomes] == [True, False, True]


def test_every_action_that_destroys_says_of_which_campaign() -> None:
    destroying = [action for action in a.AnyAction.__args__ if action.destroys]

    assert a.PurgeTrash in destroying
    assert all("campaign_uid" in action.__struct_fields__ for action in destroying)
