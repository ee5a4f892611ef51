"""`reconcile prove`: what a checkpoint has learnt, against a log of every row that the trainers took.

The log is written while they take rows; nothing of the proof is used to make it.
"""

import shutil
from collections import Counter
from typing import Any

import instant
import pytest
from lab import rows
from proving import ONE, SUMS, TWO, Realm, empty_trash_of_all_that_may_go, times_of

RowLog = list[tuple[str, int]]
"""Content and row (from 0) in the order in which they were learnt."""


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> RowLog:
    """What the trainers really took, row by row."""
    taken: RowLog = []
    real = instant.next_update

    def logging(**asked: Any) -> Any:
        found = real(**asked)
        assert found is not None
        taken.extend((asked["quest_digest"], row) for row in found.rows)
        return found

    monkeypatch.setattr(instant, "next_update", logging)
    return taken


def test_a_file_that_grew_from_200_to_220_rows_is_learnt_with_none_repeated_and_none_skipped(
    realm: Realm, log: RowLog
) -> None:
    """Kills: a grown file resumed with 53 rows repeated and 53 never seen."""
    realm.data(rows(range(200)))
    realm.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001", "goal": {"updates": 61}}})
    begun = realm.proof(f"{ONE}@61")
    assert begun["is_proven"], begun["problems"]
    assert times_of(begun["quests"][0]) == Counter(row for _, row in log)

    realm.data(rows(range(220)))
    realm.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001"}})
    found = realm.proof(f"{ONE}@latest")

    assert found["is_proven"], found["problems"]
    assert [(q["quest"], q["part"], q["num_rows"]) for q in found["quests"]] == [
        ("sums", 1, 200),
        ("sums", 2, 20),
    ]
    for quest in found["quests"]:
        assert (quest["num_repeated"], quest["num_skipped"]) == (0, 0)
        assert times_of(quest) == Counter(row for content, row in log if content == quest["content"])
    (file,) = found["files"]
    assert file["times"] == [{"times": 1, "num_rows": 220, "rows": [[1, 220]]}]
    said = realm.prove(ONE)
    assert said.exit_code == 0
    assert "none repeated, none skipped." in said.stdout
    assert "220 rows once" in said.stdout


def test_each_row_says_the_very_updates_that_learnt_it(realm: Realm, log: RowLog) -> None:
    realm.data(rows(range(11)))
    realm.data(rows(range(50, 59)), "more")
    more = {"id": "more", "file": "data/more.jsonl", "priority": "low", "for": [ONE]}
    realm.apply(queue={"quests": [{**SUMS, "epochs": 3}, more]})

    updates: dict[tuple[str, int], list[int]] = {}
    step, left = 0, 0
    for index, taken in enumerate(log):
        is_other = index > 0 and log[index - 1][0] != taken[0]
        if left == 0 or is_other:  # an update has two rows; the last one of a quest may have one
            step, left = step + 1, 2
        left -= 1
        updates.setdefault(taken, []).append(step)
    quests = {quest["content"]: quest for quest in realm.proof(ONE)["quests"]}
    for (content, row), steps in updates.items():
        name = quests[content]["quest"]
        found = realm.proof(ONE, "--row", f"{name}:{row + 1}")
        assert [one["step"] for one in found["occasions"]] == steps
        assert [one["epoch"] for one in found["occasions"]] == list(range(1, len(steps) + 1))
        for one in found["occasions"]:
            saved = int(one["checkpoint"].partition("@")[2])
            assert one["after_step"] < one["step"] <= saved
    said = realm.prove(ONE, "--row", "sums:1").stdout
    assert "sums:1 was learnt 3 times." in said
    assert "EPOCH" in said


def test_what_a_starting_checkpoint_had_learnt_counts(realm: Realm) -> None:
    realm.data(rows(range(30)))
    realm.data(rows(range(20, 40)), "more")
    more = {"id": "more", "file": "data/more.jsonl", "for": [TWO]}
    realm.apply(queue={"quests": [{**SUMS, "epochs": 2}, more]})
    start = {"id": "campaign-001", "starting_checkpoint": f"{ONE}@latest"}
    realm.apply(**{"campaigns/two/campaign-001": start, "realm": {**realm.specs["realm"], "active": TWO}})

    found = realm.proof(TWO)

    assert found["is_proven"], found["problems"]
    learnt = [(q["campaign"], q["quest"], times_of(q)) for q in found["quests"]]
    assert learnt == [(ONE, "sums", dict.fromkeys(range(30), 2)), (TWO, "more", dict.fromkeys(range(20), 1))]
    files = {one["quest"]: one["times"] for one in found["files"]}
    assert files["more"] == [
        {"times": 3, "num_rows": 10, "rows": [[1, 10]]},
        {"times": 1, "num_rows": 10, "rows": [[11, 20]]},
    ]
    (taken_over,) = [one for one in found["ancestors"] if one["run"] is None]
    assert taken_over["checkpoint"] == f"{TWO}@30"
    runs = {one["campaign"] for one in realm.proof(TWO, "--row", "more:5")["occasions"]}
    assert runs == {ONE, TWO}


def test_deleted_ancestors_still_prove(realm: Realm, log: RowLog) -> None:
    realm.data(rows(range(60)))
    realm.apply()
    before = realm.proof(ONE)
    empty_trash_of_all_that_may_go(realm)
    there = realm.world.lab.manifests(ONE)
    assert sorted(there) == [28, 30]  # the best one stays

    found = realm.proof(ONE)

    assert found["is_proven"], found["problems"]
    assert found["quests"] == before["quests"]
    assert times_of(found["quests"][0]) == Counter(row for _, row in log)
    kept = {one["checkpoint"]: one["kept"] for one in found["ancestors"]}
    assert kept == {f"{ONE}@{step}": "folder" if step in there else "store" for step in (30, 28, 21, 14, 7)}
    assert "5 checkpoints, 3 of them dropped since" in realm.prove(ONE).stdout
    gone = realm.proof(f"{ONE}@14")
    assert gone["is_proven"], gone["problems"]
    assert len(times_of(gone["quests"][0])) == 28


def test_an_ancestor_whose_folder_was_lost_still_proves(realm: Realm) -> None:
    realm.data(rows(range(40)))
    realm.apply()
    before = realm.proof(ONE)["quests"]
    lost = realm.layout.campaign(ONE).checkpoint(7)
    lost.chmod(0o700)
    shutil.rmtree(lost)
    found = realm.proof(ONE)
    assert found["is_proven"], found["problems"]
    assert found["quests"] == before
    assert {one["checkpoint"]: one["kept"] for one in found["ancestors"]}[f"{ONE}@7"] == "store"
