"""An approval is used once, and what it lets go is written down until it is gone."""

from reconciler.plan import actions as a
from state.store.rows import TakenApproval


def taken(realm, number: int, sequences: tuple[int, ...], specs_commit: str = "c") -> TakenApproval | None:
    realm.done(
        a.TakeApproval(
            request_id=number, digest="d", sequences=sequences, specs_commit=specs_commit, what="taken"
        )
    )
    return realm.view().approval


def test_two_approvals_at_one_commit_stand_beside_each_other(realm):
    numbers = [realm.ask("approve", "d") for _ in range(2)]
    taken(realm, numbers[0], (2, 1))
    assert taken(realm, numbers[1], (5,)) == TakenApproval(specs_commit="c", sequences=(1, 2, 5))


def test_an_approval_at_another_commit_replaces_the_one_before(realm):
    numbers = [realm.ask("approve", "d") for _ in range(2)]
    taken(realm, numbers[0], (1,))
    assert taken(realm, numbers[1], (5,), "later") == TakenApproval(specs_commit="later", sequences=(5,))


def test_one_that_is_closed_without_use_lets_nothing_go(realm):
    assert taken(realm, realm.ask("approve", "d"), ()) is None
