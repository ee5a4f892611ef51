"""`reconcile prove` and rows that a campaign measures with: they are never learnt, and a proof says so."""

import hashlib
import json
from pathlib import Path

import instant
import pytest
from lab import rows
from proving import ONE, SUMS, Realm, times_of

from state.contract import quest_rows
from state.contract.files import read
from state.contract.orders import RowShape
from state.contract.request import RunRequest
from state.contract.row_order import training_rows


def test_a_share_that_changed_between_two_epochs_keeps_the_proof(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    realm.data(rows(range(12)))
    content = quest_rows.rows(rows(range(12)).encode(), "sums.jsonl", RowShape())
    learnt, real = (
        training_rows((quest_rows.row_digest(row.messages) for row in content), 0.5),
        instant.next_update,
    )
    assert 0 < len(learnt) < 12
    realm.apply()
    monkeypatch.setattr(instant, "next_update", lambda **asked: real(**asked | {"num_rows": len(learnt)}))
    realm.specs["realm"]["defaults"]["evaluation"]["held_out"] = 0.5
    realm.apply(queue={"quests": [SUMS | {"epochs": 2}]})

    proof = realm.proof(ONE)
    assert proof["is_proven"], proof["problems"]
    assert times_of(proof["quests"][0]) == {row: 1 + (row in learnt) for row in range(12)}
    assert "its held-out loss is too low" in proof["notes"][0]


def test_rows_of_a_held_out_file_are_never_learnt_and_its_content_is_needed_to_prove_it(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = instant.next_update  # the trainer leaves these three rows out; instant ones count all of a quest
    monkeypatch.setattr(instant, "next_update", lambda **asked: real(**asked | {"num_rows": 9}))
    realm.data(rows(range(12)))
    realm.data(rows([3, 4, 5, 99]), "measure")
    overrides = {"evaluation": {"held_out": {"file": "data/measure.jsonl"}}}
    realm.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001", "config_overrides": overrides}})

    proof = realm.proof(ONE)
    assert proof["is_proven"], proof["problems"]
    assert times_of(proof["quests"][0]) == dict.fromkeys([0, 1, 2, *range(6, 12)], 1)
    assert (proof["quests"][0]["num_held_out"], proof["files"][0]["held_out"]) == (3, [[4, 6]])
    explained = " ".join(realm.world.lab.reconcile("explain", "quest/sums").stdout.split())
    assert "learnt by one/campaign-001: 9 of 12 rows (3 held out), 1 epoch" in explained
    said = realm.prove(ONE, "--row", "sums:4").stdout
    assert "sums:4 was never learnt: it is held out, to measure with." in said

    realm.data(rows([4, 5, 99]), "measure")
    assert realm.prove(ONE).exit_code == 0  # its content lies in the realm

    measured = realm.world.lab.repository / "data/measure.jsonl"
    kept = next(realm.layout.data.glob(f"{hashlib.sha256(rows([3, 4, 5, 99]).encode()).hexdigest()}*"))
    kept.unlink()
    measured.unlink()
    done = realm.prove(ONE)
    assert done.exit_code == 1
    assert f"run g1-a1 held out the rows of {kept}, whose content then" in done.stdout


def test_a_held_out_file_of_learnt_rows_is_told_by_plan_and_validate_before_it_is_held_out(
    realm: Realm,
) -> None:
    realm.data(rows(range(12)))
    realm.apply()
    realm.data(rows([3, 4, 99]), "measure")
    overrides = {"evaluation": {"held_out": {"file": "data/measure.jsonl"}}}
    realm.specs["campaigns/one/campaign-001"] = {"id": "campaign-001", "config_overrides": overrides}
    realm.world.commit(realm.specs)

    told = "2 of the 3 rows of data/measure.jsonl: the campaign had learnt them before"
    assert told in " ".join(realm.run("plan").stdout.split())
    validated = realm.run("validate", "--data", "--depth", "quick", "--json")
    (note,) = json.loads(validated.stdout)["notes"]
    assert note.startswith(f"{ONE} has learnt 2 of the 3 rows of the held-out file data/measure.jsonl")


def test_a_held_out_file_that_is_edited_changes_no_run_and_one_that_vanishes_goes_on_measuring(
    realm: Realm,
) -> None:
    realm.data(rows(range(8)))
    realm.data(rows([90, 91, 92]), "measure")
    overrides = {"evaluation": {"held_out": {"file": "data/measure.jsonl"}}}
    realm.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001", "config_overrides": overrides}})
    held_out = read(next(realm.layout.root.rglob("request.json")), RunRequest).held_out
    assert held_out is not None
    assert Path(held_out.path) == realm.layout.snapshot(held_out.digest)

    (realm.world.lab.repository / "data/measure.jsonl").unlink()
    realm.data(rows(range(12)))
    realm.apply()

    requests = sorted(realm.layout.root.rglob("request.json"))
    assert [read(file, RunRequest).held_out for file in requests] == [held_out, held_out]
    told = " ".join(realm.run("plan").stdout.split())
    assert "there is no file data/measure.jsonl any more; measured with its 3 rows as taken in" in told
