"""`reconcile prove` of a checkpoint on whose way the loss guard left updates out: named, and not counted as learnt."""

import instant
import pytest
from lab import rows
from proving import ONE, SUMS, Realm, times_of


@pytest.fixture
def left_out(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Updates that instant trainers leave out."""
    monkeypatch.setattr(instant, "LEFT_OUT", set())
    return instant.LEFT_OUT


def test_rows_that_were_left_out_are_accounted_for_and_not_counted_as_learnt(
    realm: Realm, left_out: set[int]
) -> None:
    left_out |= {3, 9}
    realm.data(rows(range(12)))
    realm.apply(queue={"quests": [{**SUMS, "epochs": 2}]})

    found = realm.proof(ONE)

    (quest,) = found["quests"]
    assert found["is_proven"], found["problems"]
    assert (quest["num_repeated"], quest["num_skipped"], quest["num_left_out"]) == (0, 0, 4)
    assert sum(times_of(quest).values()) == 2 * 12 - 4
    note = f"quest sums of {ONE}: 4 rows left out by the loss guard, not learnt, at update 3, 9"
    assert note in found["notes"]
    assert note in realm.prove(ONE).stdout


def test_the_updates_around_one_that_was_left_out_keep_their_numbers(
    realm: Realm, left_out: set[int]
) -> None:
    left_out |= {3}
    realm.data(rows(range(12)))
    realm.apply()

    told = [realm.proof(ONE, "--row", f"sums:{row}")["occasions"] for row in range(1, 13)]

    steps = sorted(one["step"] for occasions in told for one in occasions)
    assert steps == [1, 1, 2, 2, 4, 4, 5, 5, 6, 6]
    assert sorted(map(len, told)) == [0, 0, *[1] * 10]
