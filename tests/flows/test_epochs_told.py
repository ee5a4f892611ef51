"""What the plan knows of rows that were trained already, and are asked for once more."""

import json
from pathlib import Path

import pytest
from lab import rows
from test_prove import SUMS, Realm


@pytest.mark.train
def test_the_tokens_of_a_finished_quest_that_gets_another_epoch_are_known(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    lab = Realm(tmp_path)
    lab.data(rows(range(12)))
    lab.apply()
    assert lab.run("validate", "--data").exit_code == 0
    lab.world.commit({**lab.specs, "queue": {"quests": [{**SUMS, "epochs": 2}]}})

    queue = json.loads(lab.run("plan", "--json").stdout)["queue"]

    (quest,) = queue["quests"]
    assert (quest["rows"], quest["epochs"], queue["num_unknown"]) == (12, 1, 0)
    assert queue["num_tokens"] == quest["tokens"]["num_tokens"] > 0
