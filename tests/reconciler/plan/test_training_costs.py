"""What training costs: counted where it is counted, null where nobody knows, never beyond the goal."""

import msgspec

from reconciler.plan.training_costs import Work, training_cost


def cost(world_of, planned, *works: Work, case=None):
    world = world_of(case or {})
    return training_cost(world, planned(case or {}).changes, works)


def work(rows=100, updates=None, tokens=None, epochs_left=1.0) -> Work:
    return Work(rows=rows, updates=updates, tokens=tokens, epochs_left=epochs_left)


def test_updates_are_rows_through_documents_of_an_update_where_nobody_counted(world_of, planned) -> None:
    found = cost(world_of, planned, work(rows=100))
    launch = planned({}).changes[-1].action.config.training
    per_update = launch.batch_size * launch.gradient_accumulation
    assert found.updates == -(-100 // per_update)
    assert (found.tokens, found.time, found.saves_bytes) == (None, None, None)


def test_what_was_counted_counts_and_only_the_epochs_that_are_left(world_of, planned) -> None:
    found = cost(world_of, planned, work(updates=10, tokens=1000, epochs_left=1.5), work(updates=3, tokens=7))
    assert (found.updates, found.tokens) == (18, 1507)


def test_tokens_that_are_not_counted_of_one_quest_are_unknown_in_all(world_of, planned) -> None:
    assert cost(world_of, planned, work(updates=1, tokens=5), work(updates=1)).tokens is None


def test_rows_that_are_unknown_make_updates_unknown(world_of, planned) -> None:
    assert cost(world_of, planned, work(rows=None)).updates is None


def test_no_more_is_trained_than_the_goal_allows(world_of, planned) -> None:
    specs = {"campaigns/pip/campaign-001.yaml": "id: campaign-001\ngoal: {updates: 4}\n"}
    found = cost(world_of, planned, work(updates=10, tokens=1000), case={"specs": specs})
    assert (found.updates, found.tokens) == (4, 400)


def test_nothing_to_train_costs_nothing(world_of, planned) -> None:
    assert cost(world_of, planned) is None
    assert msgspec.json.encode(cost(world_of, planned, work())) is not None
