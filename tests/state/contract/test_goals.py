"""Goals: the first one reached ends the run, and reconciler and trainer agree on which that is."""

from typing import Any

import pytest

from state.contract.goals import Goals, Reached, goal_reached, goals_in, in_words, num_quests_done
from state.contract.manifest import QuestCursor
from state.contract.orders import Orders

SO_FAR = Reached(updates=50, tokens=9000, quests=2)


@pytest.mark.parametrize(
    ("goals", "reached"),
    [
        (Goals(), None),
        (Goals(updates=51), None),
        (Goals(updates=50), "made 50 of 50 updates"),
        (Goals(updates=51, tokens=8000), "learnt 9000 of 8000 tokens"),
        (Goals(updates=51, tokens=9001, quests=2), "finished 2 of 2 quests"),
        (Goals(quests=3), None),
    ],
)
def test_whichever_goal_is_reached_first_is_named(goals: Goals, reached: str | None) -> None:
    assert goal_reached(goals, SO_FAR) == reached


def test_the_goals_of_orders_are_those_of_their_fields() -> None:
    orders = Orders(sequence=1, quests=(), goal_updates=5, goal_quests=2)

    assert goals_in(orders) == Goals(updates=5, quests=2)
    assert goals_in(orders)
    assert not Goals()
    assert in_words(goals_in(orders)) == "5 updates or 2 quests"


def cursor(quest: str, digest: str, **more: Any) -> QuestCursor:
    given = {
        "epochs_done": 1,
        "rows_taken": 0,
        "complete": True,
        "first_step": 1,
        "last_step": 2,
        "last_loss": None,
    }
    return QuestCursor(quest_id=quest, digest=digest, **(given | more))


def test_a_quest_whose_content_grew_counts_once_and_one_begun_not_at_all() -> None:
    grown = (cursor("a", "1"), cursor("a+2", "2"), cursor("a+10", "5", complete=False))
    found = (*grown, cursor("b", "3"), cursor("c", "4", complete=False))

    assert num_quests_done(found) == 2
