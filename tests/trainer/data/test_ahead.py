"""What is made ahead is what would have been made at once."""

import threading

import pytest

from trainer.data.ahead import Ahead


def test_what_was_begun_is_made_by_another_thread_and_made_once():
    ahead, made_by = Ahead(), []

    def make():
        made_by.append(threading.current_thread())
        return "rows"

    ahead.begin("next", make)
    assert ahead.take("next", make) == "rows"
    (thread,) = made_by
    assert thread is not threading.current_thread()


def test_one_thread_makes_one_thing_after_the_other():
    ahead = Ahead()
    made_by = []
    for number in range(3):
        ahead.begin(number, threading.current_thread)
        made_by.append(ahead.take(number, threading.current_thread))
    ahead.stop()
    assert made_by == [made_by[0]] * 3


def test_what_was_not_begun_is_made_at_once():
    ahead = Ahead()
    assert ahead.take("first", threading.current_thread) is threading.current_thread()


def test_another_wish_than_what_was_begun_is_made_at_once():
    """Such as the rows of a quest that has come to the front meanwhile."""
    ahead = Ahead()
    ahead.begin("next", lambda: "the rows of one quest")
    assert ahead.take("other", lambda: "the rows of another") == "the rows of another"


def test_what_was_begun_serves_once():
    ahead, made = Ahead(), iter(["first", "second"])
    ahead.begin("next", lambda: next(made))
    assert [ahead.take("next", lambda: next(made)) for _ in range(2)] == ["first", "second"]


def test_a_failure_ahead_is_the_failure_of_who_takes_it():
    def fail():
        raise ValueError("row 3 is no document")

    ahead = Ahead()
    ahead.begin("next", fail)
    with pytest.raises(ValueError, match="row 3 is no document"):
        ahead.take("next", fail)


def test_a_thread_is_there_only_until_it_is_stopped():
    """Whoever forks afterwards must not take one along."""
    ahead, before = Ahead(), set(threading.enumerate())
    ahead.begin("next", lambda: "rows")
    ahead.stop()
    assert set(threading.enumerate()) <= before
    assert ahead.take("next", lambda: "made anew") == "rows"
