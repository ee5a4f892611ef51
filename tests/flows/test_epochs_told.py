"""What the plan knows of rows that were trained already, and are asked for once more."""

import json

import pytest
from lab import rows
from proving import SUMS, Realm


@pytest.mark.train
def test_the_tokens_of_a_finished_quest_that_gets_another_epoch_are_known(realm: Realm) -> None:
    pytest.importorskip("tokenizers")
    realm.data(rows(range(12)))
    realm.apply()
    assert realm.run("validate", "--data").exit_code == 0
    realm.world.commit({**realm.specs, "queue": {"quests": [{**SUMS, "epochs": 2}]}})

    queue = json.loads(realm.run("plan", "--json").stdout)["queue"]

    (quest,) = queue["quests"]
    assert (quest["rows"], quest["epochs"], queue["num_unknown"]) == (12, 1, 0)
    assert queue["num_tokens"] == quest["tokens"]["num_tokens"] > 0
