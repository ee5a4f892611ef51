"""Files that grow or are edited, and quests that overtake: every row is trained exactly as often as it should."""

import json
import signal

import pytest
from lab import Lab, found_realm, rows, wait_until

pytestmark = [pytest.mark.train, pytest.mark.timeout(900)]
ONE = "one/campaign-001"
ALL = {"evaluation": {"held_out": 0}}


def trained(lab: Lab) -> dict[str, list[int]]:
    """Return, along the final checkpoint's ancestry, how many rows of each order were learnt, by epoch."""
    manifests, found = lab.manifests(ONE), {}
    step: int | None = max(manifests)
    while step is not None:
        for span in manifests[step].learnt:
            counts = found.setdefault(span.quest_id, [])
            counts.extend([0] * (span.epoch + 1 - len(counts)))
            counts[span.epoch] += span.stop - span.start
        step = manifests[step].parent_step
    return found


def realm_of(lab: Lab, *quests: dict[str, object]) -> None:
    found_realm(lab, ["one"], ONE, list(quests))
    lab.spec("campaigns/one/campaign-001", id="campaign-001", config_overrides=ALL)
    lab.commit()


def test_a_file_that_grew_trains_the_new_rows_only_and_more_epochs_the_difference(the_lab: Lab) -> None:
    quest = {"id": "sums", "file": "data/sums.jsonl"}
    the_lab.write("data/sums.jsonl", rows(range(10)))
    realm_of(the_lab, quest)
    the_lab.converge()
    assert trained(the_lab) == {"sums": [10]}

    the_lab.write("data/sums.jsonl", rows(range(17)))
    assert "7 new rows of" in " ".join(the_lab.reconcile("plan").stdout.split())
    the_lab.converge()
    assert trained(the_lab) == {"sums": [10], "sums+2": [7]}

    the_lab.spec("queue", quests=[{**quest, "epochs": 2}])
    the_lab.commit()
    the_lab.converge()
    assert trained(the_lab) == {"sums": [10, 10], "sums+2": [7, 7]}
    assert the_lab.plan()["changes"] == []
    assert {job.status for job in the_lab.store().jobs} == {"completed"}
    proof = json.loads(the_lab.reconcile("prove", ONE, "--json").stdout)
    assert proof["is_proven"], proof["problems"]
    assert proof["files"][0]["times"] == [{"times": 2, "num_rows": 17, "rows": [[1, 17]]}]


@pytest.mark.long
def test_an_edit_is_refused_by_name_until_the_quest_says_what_it_does(the_lab: Lab) -> None:
    quest = {"id": "sums", "file": "data/sums.jsonl"}
    the_lab.write("data/sums.jsonl", rows(range(6)))
    realm_of(the_lab, quest)
    the_lab.converge()
    the_lab.write("data/sums.jsonl", rows(range(1, 9)))
    the_lab.converge()
    (blocked,) = the_lab.plan()["blocked"]
    assert blocked["code"] == "quest-changed"
    assert "on_edit: retrain or ignore" in blocked["hint"]
    assert trained(the_lab) == {"sums": [6]}

    the_lab.spec("queue", quests=[{**quest, "on_edit": "ignore"}])
    the_lab.commit()
    the_lab.converge()
    assert (the_lab.plan()["blocked"], trained(the_lab)) == ([], {"sums": [6]})

    the_lab.spec("queue", quests=[{**quest, "on_edit": "retrain"}])
    the_lab.commit()
    the_lab.converge()
    assert (the_lab.plan()["blocked"], trained(the_lab)) == ([], {"sums": [6], "sums+2": [8]})


def test_a_high_quest_overtakes_at_the_next_update_and_the_low_one_goes_on_at_its_row(the_lab: Lab) -> None:
    low = {"id": "long", "file": "data/long.jsonl", "priority": "low"}
    the_lab.write("data/long.jsonl", rows(range(1500)))
    the_lab.write("data/short.jsonl", rows(range(2000, 2031)))
    realm_of(the_lab, low)
    loop = the_lab.start("apply")
    wait_until(lambda: the_lab.records("update"), 100, "training began", say=the_lab.said)

    the_lab.spec("queue", quests=[low, {"id": "short", "file": "data/short.jsonl", "priority": "high"}])
    the_lab.commit()
    wait_until(lambda: the_lab.status_of(ONE, "long") == "completed", 150, "all is trained", say=the_lab.said)
    loop.send_signal(signal.SIGINT)
    loop.wait(20)

    order = [record["quest_id"] for record in the_lab.records("update")]
    first, last = order.index("short"), len(order) - 1 - order[::-1].index("short")
    assert first > 0
    assert last < len(order) - 1, "the low quest was done before the high one came: make it longer"
    assert set(order[first : last + 1]) == {"short"}
    assert len(the_lab.runs()) == 1
    assert trained(the_lab) == {"long": [1500], "short": [31]}
