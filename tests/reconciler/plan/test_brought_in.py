"""A run whose quests are all still to be brought in waits for one of them; else it waits for none."""

import pytest

from reconciler.plan.actions import EnqueueJob, GenerateQuest, LaunchRun

NAME = "pip/campaign-001"
TWO = """\
quests:
  - {id: q1, skill: bin, level: 1, count: 10}
  - {id: q2, skill: bin, level: 2, count: 10}
"""


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        pytest.param({"campaigns": {NAME: {}}}, EnqueueJob, id="new quests"),
        pytest.param(
            {"data": ["q1"], "lost_data": ["q1"], "campaigns": {NAME: {"jobs": {"q1": {}}}}},
            GenerateQuest,
            id="a queued one whose snapshot is gone",
        ),
    ],
)
def test_a_launch_needs_one_of_what_brings_its_quests_in(planned, facts, kind) -> None:
    plan = planned(
        {"specs": {"queue.yaml": TWO} if kind is EnqueueJob else {}, "facts": {"active": NAME, **facts}}
    )
    (launch,) = (one for one in plan.changes if isinstance(one.action, LaunchRun))
    assert launch.needs_one_of == tuple(one.id for one in plan.changes if isinstance(one.action, kind))
    assert launch.needs_one_of


def test_a_launch_that_has_something_to_train_needs_none_of_them(planned) -> None:
    job = {"data": ["q1"], "campaigns": {NAME: {"jobs": {"q1": {}}}}}
    plan = planned({"specs": {"queue.yaml": TWO}, "facts": {"active": NAME, **job}})
    (launch,) = (one for one in plan.changes if isinstance(one.action, LaunchRun))
    assert len(launch.action.job_uids) == 2
    assert launch.needs_one_of == ()
