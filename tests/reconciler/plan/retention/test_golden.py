"""The keep rules agree with those of a trusted backup tool, on its own golden results."""

import json
from datetime import datetime

import pytest
from rules_alone import rules_alone

from reconciler.plan.retention.history import history_of
from reconciler.plan.retention.records import Record
from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import Rules


@pytest.fixture(scope="module")
def material(cases):
    folder = cases / "retention"
    if not folder.is_dir():
        pytest.skip(f"the golden results are not here: {folder}")
    return folder


@pytest.fixture(scope="module")
def snapshots(material) -> list[Record]:
    """Return the tool's snapshots as a ledger: recorded in the order of their times."""
    found = sorted(
        json.loads((material / "snapshots.json").read_text()),
        key=lambda one: datetime.fromisoformat(one["time"]),
    )
    return [
        Record(
            id=str(number), sequence=number, segment=1, step=number, saved_at=one["time"],
            recorded_at_seconds=0.0, healthy=True, tags=tuple(one.get("tags") or ()),
        )
        for number, one in enumerate(found)
    ]  # fmt: skip


def policies(material):
    return json.loads((material / "policies.json").read_text())


@pytest.mark.parametrize("number", range(16))
def test_the_rules_alone_keep_what_the_golden_result_keeps(material, snapshots, number):
    policy = policies(material)[number]
    rules = Rules(**{name.lower(): count for name, count in policy.items()})
    golden = json.loads((material / "golden" / f"policy_keep_snapshots_{number}.json").read_text())
    kept = rules_alone(history_of(snapshots), rules)
    times = [one.saved_at for one in reversed(snapshots) if one.id in kept]
    assert times == [one["time"] for one in golden["keep"] or ()]


@pytest.mark.parametrize("number", range(1, 16))
def test_each_golden_reason_is_one_of_ours(material, snapshots, number):
    policy = policies(material)[number]
    rules = Rules(**{name.lower(): count for name, count in policy.items()})
    golden = json.loads((material / "golden" / f"policy_keep_snapshots_{number}.json").read_text())
    ours = {verdict.id: " ".join(verdict.reasons) for verdict in retain(snapshots, rules)}
    by_time = [one.id for one in reversed(snapshots) if one.id in rules_alone(history_of(snapshots), rules)]
    for number_kept, reason in enumerate(golden["reasons"]):
        for match in reason["matches"]:
            word = match.removesuffix(" snapshot")
            assert word.replace("last", "one of the last") in ours[by_time[number_kept]], match
