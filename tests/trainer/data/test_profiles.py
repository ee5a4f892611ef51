"""Profiles write rows for training: by their place and the spec alone, and nothing of them is lost."""

import typing

import pytest

from state.contract.profiles import ProfileName, RowProfile
from state.contract.quest_rows import Row
from state.contract.row_shapes import Message
from trainer.data.profiles import emoji_think
from trainer.data.profiles.registry import PROFILES, profiled

SUM = (Message("user", "1+1?"), Message("assistant", "2"))


def rows(number: int) -> list[Row]:
    return [Row(index, SUM) for index in range(number)]


def said(row: Row, role: str) -> str:
    return next(message.content for message in row.messages if message.role == role)


def test_every_profile_that_a_spec_can_name_is_there() -> None:
    assert tuple(PROFILES) == typing.get_args(ProfileName)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_keeps_each_row_in_its_place_with_its_question_and_answer_and_says_the_same_again(
    name: ProfileName,
) -> None:
    found = profiled(rows(40), RowProfile(name=name))
    assert [row.index for row in found] == list(range(40))
    assert all("1+1?" in said(row, "user") and "2" in said(row, "assistant") for row in found)
    assert found == profiled(rows(40), RowProfile(name=name))


@pytest.mark.parametrize("name", PROFILES)
def test_a_date_comes_from_the_spec_and_from_nowhere_else(name: ProfileName) -> None:
    """Kills: today's date went into training text."""
    without = profiled(rows(9), RowProfile(name=name))
    assert all(message.role != "system" for row in without for message in row.messages)
    dated = profiled(rows(9), RowProfile(name=name, date="2026-01-31"))
    assert {said(row, "system") for row in dated} == {"Current date: 2026-01-31"}
    own = Row(1, (Message("system", "Be brief."), *SUM))
    (kept,) = profiled([own], RowProfile(name=name, date="2026-01-31"))
    assert said(kept, "system") == "Be brief.\n\nCurrent date: 2026-01-31"


def test_half_of_the_rows_think_in_two_to_eight_signs_and_end_with_two_to_four() -> None:
    found = profiled(rows(200), RowProfile(name="emoji_think"))
    thinking = [row for row in found if row.messages != SUM]
    assert [row.index for row in thinking] == list(range(0, 200, 2))
    counts = set()
    for row in thinking:
        thoughts, answer, stops = said(row, "assistant").split("\n")
        assert (answer, len(set(thoughts)), len(set(stops))) == ("2", 1, 1)
        assert set(thoughts) <= set(emoji_think.THINK)
        assert set(stops) <= set(emoji_think.STOP)
        assert said(row, "user").endswith(f"Think with {thoughts}, end with {stops}.")
        counts.add((len(thoughts), len(stops)))
    assert {many for many, _ in counts} == set(range(2, 9))
    assert {few for _, few in counts} == {2, 3, 4}


def test_symbolic_answers_stand_between_marks_once() -> None:
    (row,) = profiled(rows(1), RowProfile(name="symbolic"))
    assert said(row, "assistant") == "<<ANS_START>> 2 <<ANS_END>>"
    assert profiled([row], RowProfile(name="symbolic")) == [row]
