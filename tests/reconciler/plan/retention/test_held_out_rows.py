"""Held-out losses are compared on the same rows: the best on the newest stays, and the best of all beside it."""

from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import Best, Rules

BY_ROWS = Best(metric="val_loss", direction="lower", of_held_out_rows=True)
EASY, HARD = "quest easy", "quest hard"


def history(make, *losses):
    """Return records of (rows, loss), ten steps apart."""
    return [
        make(10 * number, measured_on=rows, metrics={"val_loss": loss})
        for number, (rows, loss) in enumerate(losses, 1)
    ]


def test_the_best_of_a_harder_quest_stays_though_an_easier_one_had_lower_losses(make, kept):
    """The wrong turn: the best of a harder quest was dropped, as easier rows had a lower loss."""
    records = history(make, (EASY, 0.2), (EASY, 0.1), (HARD, 3.2), (HARD, 3.0), (HARD, 3.1), ("", None))
    assert kept(records, Rules(last=1, best=(BY_ROWS,))) == [20, 40, 60]


def test_the_reasons_say_on_which_rows_each_was_measured(make):
    records = history(make, (EASY, 0.1), (HARD, 3.0), (HARD, 3.1))
    first, second, _ = retain(records, Rules(last=1, best=(BY_ROWS,)))
    assert first.reasons == ("the best by val_loss, on other held-out rows (quest easy)",)
    assert second.reasons == ("the best by val_loss on the newest held-out rows (quest hard)",)


def test_on_one_set_of_rows_no_rows_are_named(make):
    (first, _) = retain(history(make, (EASY, 0.1), (EASY, 0.2)), Rules(last=1, best=(BY_ROWS,)))
    assert first.reasons == ("the best by val_loss",)


def test_as_many_of_the_newest_rows_stay_as_the_rule_asks_for(make, kept):
    records = history(make, (EASY, 0.3), (EASY, 0.2), (EASY, 0.1), (HARD, 3.2), (HARD, 3.0), (HARD, 3.1))
    best = Best(metric="val_loss", direction="lower", count=2, of_held_out_rows=True)
    assert kept(records, Rules(last=1, best=(best,))) == [20, 30, 50, 60]


def test_a_drop_makes_no_other_rows_the_newest(make, kept):
    """The last one on the newest rows goes, a better one of them stays; at a second look it still does."""
    records = history(make, (EASY, 0.2), (HARD, 0.1), (EASY, 0.3), ("", None))
    rules = Rules(last=1, best=(BY_ROWS,))
    assert kept(records, rules) == [10, 20, 40]
    after = [
        make(30, measured_on=EASY, metrics={"val_loss": 0.3}, gone=True) if r.step == 30 else r
        for r in records
    ]
    verdicts = retain(after, rules)
    assert {verdict.decision for verdict in verdicts} == {"keep"}


def test_where_nothing_of_the_newest_rows_is_left_the_ones_before_are_the_newest(make, kept):
    records = [
        *history(make, (EASY, 0.2), (EASY, 0.1), ("", None)),
        make(25, sequence=29, measured_on=HARD, metrics={"val_loss": 3.0}, gone=True),
    ]
    assert kept(records, Rules(last=1, best=(BY_ROWS,))) == [20, 30]
