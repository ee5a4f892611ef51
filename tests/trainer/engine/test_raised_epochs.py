"""A quest whose epochs were raised goes on behind its end; what is told of its updates is what was made."""

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, orders
from seen import losses

from state.contract.files import read
from state.contract.status import RunStatus
from trainer.engine.run import run


def test_updates_are_counted_where_each_epoch_ended_with_a_short_one(realm: Realm) -> None:
    once, twice = realm.quest(rows=10), realm.quest(rows=10, epochs=2)
    first = realm.run(orders(once))
    assert run(first.request) == 0
    made = len(losses(first))
    second = realm.run(orders(twice), resume_step=made)

    assert run(second.request) == 0

    told = read(second.status, RunStatus)
    assert made + len(losses(second)) == max(losses(second))
    assert (told.quest_update, told.quest_updates) == (max(losses(second)),) * 2
    assert max(losses(second)) == 2 * made
