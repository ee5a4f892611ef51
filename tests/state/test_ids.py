"""Only harmless names become parts of paths, and ids are derived from what they name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.ids import (
    RunKey,
    campaign_uid,
    checkpoint_folder,
    checkpoint_step,
    is_campaign_name,
    is_id,
    job_uid,
)


@pytest.mark.parametrize("text", ["dio-qwen3-0.6b", "campaign-001", "a", "a" * 64, "0"])
def test_ids_of_real_specs_are_ids(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "../x", "/etc", "a/b", "A", "a b", "a--b", "-a", "a-", "a..b", ".a", "a_b", "ä", "a\n", "a" * 65,
     "a\0", "а", "１"],
)  # fmt: skip
def test_hostile_names_are_no_ids(text: str) -> None:
    assert not is_id(text)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_an_id_is_one_harmless_part_of_a_path(text: str) -> None:
    if is_id(text):
        assert text.isascii()
        assert not set(text) & set("/\0 \n")
        assert text not in (".", "..")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a/b", True), ("a", False), ("a/b/c", False), ("/b", False), ("a/", False), ("a/..", False)],
)
def test_a_campaign_is_named_by_hero_and_id(text: str, expected: bool) -> None:
    assert is_campaign_name(text) is expected


def test_a_uid_is_the_same_each_time_and_differs_with_what_it_names() -> None:
    uid = campaign_uid("realm", "a/b")

    assert uid == campaign_uid("realm", "a/b")
    assert len(uid) == 16
    assert (
        len({uid, campaign_uid("other", "a/b"), campaign_uid("realm", "a/c"), job_uid("realm", "a/b")}) == 4
    )


def test_parts_of_an_id_are_not_run_together() -> None:
    assert job_uid("ab", "c") != job_uid("a", "bc")


def test_a_run_key_names_its_folder() -> None:
    assert (RunKey("u", 2, 3).folder, str(RunKey("u", 2, 3))) == ("g2-a3", "u/g2-a3")


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**17))
def test_a_checkpoints_folder_says_its_step(step: int) -> None:
    assert checkpoint_step(checkpoint_folder(step)) == step


@pytest.mark.parametrize(
    ("folder", "step"),
    [("checkpoint-100-20260131-1200", 100), ("checkpoint-0100", None), ("checkpoint-", None), ("checkpoint-1x", None),
     ("checkpoint--1", None), ("checkpoint-1000", 1000), ("xcheckpoint-1", None)],
)  # fmt: skip
def test_only_a_checkpoints_name_has_a_step(folder: str, step: int | None) -> None:
    assert checkpoint_step(folder) == step
