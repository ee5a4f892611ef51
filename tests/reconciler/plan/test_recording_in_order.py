"""Checkpoints are recorded oldest first: the ledger's numbers say what is newer."""

from reconciler.plan.actions import RecordCheckpoint


def test_none_is_recorded_before_an_older_one_of_its_history_whose_recording_fails(planned) -> None:
    unrecorded = [{"step": step, "recorded": False} for step in (10, 20, 30)]
    plan = planned({"facts": {"campaigns": {"pip/campaign-001": {"checkpoints": unrecorded}}}})
    first, second, third = [one for one in plan.changes if isinstance(one.action, RecordCheckpoint)]
    assert [one.action.step for one in (first, second, third)] == [10, 20, 30]
    assert (first.needs, second.needs, third.needs) == ((), (first.id,), (second.id,))
