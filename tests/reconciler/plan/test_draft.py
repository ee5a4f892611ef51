"""A plan in the making answers by kind as its list of changes says, whatever was added or taken out."""

from reconciler.plan import actions as a
from reconciler.plan.draft import Draft

WHY = {"subject": "s", "reason": "r", "cause": "c"}


def purge(draft: Draft, step: int) -> str:
    action = a.PurgeTrash(
        campaign="pip/campaign-001",
        campaign_uid="u",
        sequence=step,
        step=step,
        path=f"trash/{step}",
        size_bytes=1,
    )
    return draft.add(action, **WHY, source="progress")


def test_ids_and_actions_of_a_kind_follow_what_was_taken_out_and_put_back() -> None:
    draft = Draft()
    draft.add(a.WritePointer(campaign=None, campaign_uid=None), **WHY, source="drift")
    first, second = purge(draft, 1), purge(draft, 2)
    out = draft.changes[1]
    draft.take_out([out])
    assert draft.ids(a.PurgeTrash) == (second,)
    draft.put(out)
    assert draft.ids(a.PurgeTrash) == (second, first)
    assert [action.step for action in draft.actions(a.PurgeTrash)] == [2, 1]
    assert draft.ids(a.PurgeTrash, a.WritePointer) == tuple(change.id for change in draft.changes)
