"""`reconcile prove` where something is wrong: a trainer that took other rows, a history or a content that is gone."""

import re
from collections.abc import Callable
from contextlib import closing

import msgspec
import pytest
from lab import rows
from proving import ONE, Realm, empty_trash_of_all_that_may_go

from state.contract.files import read
from state.contract.manifest import MANIFEST_NAME, LearntRange, Manifest, with_digest
from state.store.connection import open_writer


def tampered(realm: Realm, step: int, change: Callable[[LearntRange], LearntRange]) -> None:
    """Write the manifest of a checkpoint anew, with another first range, as a wrong trainer would have."""
    folder = realm.layout.campaign(ONE).checkpoint(step)
    manifest = read(folder / MANIFEST_NAME, Manifest)
    first, *others = manifest.learnt
    changed = with_digest(msgspec.structs.replace(manifest, learnt=(change(first), *others)))
    folder.chmod(0o700)
    (folder / MANIFEST_NAME).chmod(0o600)
    (folder / MANIFEST_NAME).write_bytes(msgspec.json.encode(changed))


@pytest.mark.parametrize(
    ("shift", "said"), [(-3, "3 rows repeated, 0 skipped"), (3, "0 rows repeated, 3 skipped")], ids=str
)
def test_a_resume_that_repeats_or_skips_rows_is_not_proven(realm: Realm, shift: int, said: str) -> None:
    """Negative control: a trainer that goes on from the wrong row of the epoch."""
    realm.data(rows(range(40)))
    realm.apply()
    tampered(realm, 20, lambda one: msgspec.structs.replace(one, start=one.start + shift))

    found = realm.proof(f"{ONE}@20")

    assert not found["is_proven"]
    assert found["problems"][0] == f"quest sums of {ONE}: {said}"
    assert "20 says that 40 rows were taken of it, its ancestors have learnt" in found["problems"][1]
    done = realm.prove(f"{ONE}@20")
    assert done.exit_code == 1
    assert f"Not proven: quest sums of {ONE}: {said}." in done.stdout


def test_an_ancestor_of_which_nothing_is_known_breaks_the_chain_by_name(realm: Realm) -> None:
    realm.data(rows(range(60)))
    realm.apply()
    empty_trash_of_all_that_may_go(realm)
    in_the_store(realm, "DELETE FROM manifests")

    found = realm.proof(ONE)

    assert not found["is_proven"]
    assert f"{ONE}@28 goes on from {ONE}@21 (blake3:" in found["problems"][0]
    assert "of which there is no record here" in found["problems"][0]
    assert sum(one["num_rows"] for one in found["ancestors"]) == 2 * 9
    done = realm.prove(f"{ONE}@14")
    assert done.exit_code == 5
    assert f"nothing is known of what {ONE}@14 had learnt: it is purged" in done.stderr


def test_a_snapshot_that_is_gone_or_damaged_proves_nothing(realm: Realm) -> None:
    realm.data(rows(range(8)))
    realm.apply()
    (snapshot,) = realm.layout.data.glob("*.jsonl")
    snapshot.chmod(0o600)
    snapshot.write_text(rows(range(1, 9)))
    (problem,) = realm.proof(ONE)["problems"]
    assert f"{snapshot} is damaged: its content has sha256:" in problem
    snapshot.unlink()
    found = realm.proof(ONE)
    assert "there is no such file" in found["problems"][0]
    assert found["quests"][0]["times"] == []


def test_a_checkpoint_whose_weights_were_changed_is_not_proven(realm: Realm) -> None:
    realm.data(rows(range(8)))
    realm.apply()
    weights = realm.layout.campaign(ONE).checkpoint(4) / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[0] ^= 1
    weights.parent.chmod(0o700)
    weights.chmod(0o600)
    weights.write_bytes(bytes(content))
    (problem,) = realm.proof(ONE)["problems"]
    assert f"{ONE}@4 is damaged: model.safetensors has BLAKE3" in problem


def in_the_store(realm: Realm, statement: str) -> None:
    with closing(open_writer(realm.layout.store)) as store:
        store.execute(statement)


def test_rows_taken_by_another_seed_in_mid_epoch_are_repeated_and_skipped_by_name(realm: Realm) -> None:
    """Negative control: the plan refuses such a change; here a run is given one that it did not have."""
    realm.data(rows(range(40)))
    realm.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001", "goal": {"updates": 10}}})
    realm.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001"}})
    assert realm.proof(ONE)["is_proven"]
    in_the_store(
        realm,
        "UPDATE runs SET config_json = replace(config_json, '\"seed\":0', '\"seed\":5') WHERE attempt = 2",
    )
    (problem,) = realm.proof(ONE)["problems"]
    assert re.search(r"(\d+) rows repeated, \1 skipped; run g1-a2 has seed 5, the one before had 0", problem)


def test_a_run_that_the_store_does_not_know_is_named(realm: Realm) -> None:
    realm.data(rows(range(8)))
    realm.apply()
    in_the_store(realm, "DELETE FROM runs")
    found = realm.proof(ONE)
    assert f"{ONE}@4: the store does not know run g1-a1" in found["problems"][0]
    assert found["quests"][0]["times"] == []


def test_without_its_jobs_the_orders_of_the_runs_prove_what_was_learnt_or_what_does_is_named(
    realm: Realm,
) -> None:
    realm.data(rows(range(40)))
    realm.apply()
    before = realm.proof(f"{ONE}@20")
    in_the_store(realm, "DELETE FROM jobs")
    found = realm.proof(f"{ONE}@20")
    assert found["is_proven"]
    assert found["quests"] == before["quests"]
    (orders,) = realm.layout.root.rglob("orders.json")
    orders.chmod(0o600)
    orders.write_text("{")
    (problem,) = realm.proof(f"{ONE}@20")["problems"]
    assert "were read: the store has no job of it, as after a loss" in problem
    assert str(orders) in problem
    assert problem.endswith(
        f"{realm.layout.backups} says it: let it take the place of {realm.layout.store}, then: "
        "reconcile doctor --rebuild"
    )
