"""Under which key the answer to an inspection is kept: all that it depends on, and nothing else."""

import msgspec
import pytest

from state.contract.inspection import (
    Guard,
    InspectRequest,
    TokenCounts,
    TrainedAs,
    counting_key,
    inspection_key,
)
from state.contract.orders import RowShape
from state.contract.row_contracts import MESSAGES, PROMPT_COMPLETION
from state.contract.run_config import ChatConfig, TokenizerConfig

TRAINED_AS = TrainedAs(
    tokenizer=TokenizerConfig(kind="bytes", digest="sha256:1"),
    chat=ChatConfig(template="chatml", digest="sha256:2"),
    model_dir="/models/a",
    max_length=128,
    documents_per_update=16,
    tokens_at_once=128,
    seed=0,
)
GUARD = Guard(name="test", path="/a", digest="sha256:3", shape=RowShape())
REQUEST = InspectRequest(
    path="/data/a.jsonl", contracts=(MESSAGES,), depth="standard", trained_as=TRAINED_AS, guards=(GUARD,)
)


def changed(**changes: object) -> InspectRequest:
    return msgspec.structs.replace(REQUEST, **changes)


@pytest.mark.parametrize(
    "other",
    [
        changed(depth="deep"),
        changed(contracts=(PROMPT_COMPLETION,)),
        changed(trained_as=None),
        changed(held_out_fraction=0.1),
        changed(guards=()),
        changed(guards=(msgspec.structs.replace(GUARD, digest="sha256:4"),)),
        *(
            changed(trained_as=msgspec.structs.replace(TRAINED_AS, **one))
            for one in (
                {"tokenizer": TokenizerConfig(kind="bytes", digest="sha256:9")},
                {"chat": ChatConfig(template="chatml", digest="sha256:9")},
                {"max_length": 64},
                {"documents_per_update": 8},
                {"tokens_at_once": 64},
                {"seed": 1},
            )
        ),
    ],
)
def test_whatever_changes_the_answer_changes_the_key(other: InspectRequest) -> None:
    assert inspection_key(other, "sha256:f") != inspection_key(REQUEST, "sha256:f")


BATCHES = ({"documents_per_update": 8}, {"tokens_at_once": 64}, {"seed": 1})


@pytest.mark.parametrize("one", BATCHES, ids=lambda one: next(iter(one)))
def test_what_batches_are_changes_nothing_of_what_is_counted(one: dict[str, int]) -> None:
    other = changed(trained_as=msgspec.structs.replace(TRAINED_AS, **one))
    assert counting_key(other, "sha256:f") == counting_key(REQUEST, "sha256:f")


@pytest.mark.parametrize("one", [{"max_length": 64}, {"vocab_size": 9}], ids=lambda one: next(iter(one)))
def test_what_changes_the_tokens_changes_the_key_that_they_are_counted_under(one: dict[str, int]) -> None:
    other = changed(trained_as=msgspec.structs.replace(TRAINED_AS, **one))
    assert counting_key(other, "sha256:f") != counting_key(REQUEST, "sha256:f")
    assert counting_key(REQUEST, "sha256:f") != counting_key(REQUEST, "sha256:g")


def test_another_content_has_another_key() -> None:
    assert inspection_key(REQUEST, "sha256:f") != inspection_key(REQUEST, "sha256:g")


def test_where_files_lie_does_not_change_the_key() -> None:
    moved = changed(
        path="/b.jsonl",
        trained_as=msgspec.structs.replace(TRAINED_AS, model_dir="/models/b"),
        guards=(msgspec.structs.replace(GUARD, path="/b"),),
    )
    assert inspection_key(moved, "sha256:f") == inspection_key(REQUEST, "sha256:f")


def test_the_trained_share_is_of_all_tokens() -> None:
    counts = TokenCounts(
        num_tokens=200, num_trained=50, longest=9, median=5, max_length=16, updates=1, fill=1.0
    )
    assert counts.trained_share == 0.25
