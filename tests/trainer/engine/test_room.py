"""What a trainer says that waits for room on a disk: what is needed, what is free, and what is lacking."""

from pathlib import Path

import pytest

from trainer.engine.room import why_waiting

MIB = 1 << 20


@pytest.mark.parametrize(
    ("needed", "free", "told"),
    [
        (
            870_000,
            1_900_000,
            "it needs 870 kB, and 1 MB for what is written beside it; 1.9 MB are free where /root lies, "
            "19 kB too little",
        ),
        (
            870_000,
            870_000 + MIB,
            "it needs 870 kB, and 1 MB for what is written beside it; 1.9 MB are free where /root lies, "
            "but writing there failed",
        ),
        (0, 0, "it needs 1 MB; 0 B are free where /root lies, 1 MB too little"),
    ],
    ids=["nearly enough", "enough, and refused", "the metrics, to the last byte"],
)
def test_what_is_needed_is_never_less_than_what_is_free_without_a_word_on_why(
    needed: int, free: int, told: str
) -> None:
    text = why_waiting("checkpoint-84", needed, free, Path("/root"))
    assert text == f"no room for checkpoint-84: {told}; training goes on once there is room"
