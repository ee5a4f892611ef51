"""What `approve` says was approved: whole checkpoints apart from those that keep their weights, each in its bytes."""

import pytest

from reconciler.cli.commands.approve import _what
from reconciler.plan.changes import Awaiting


@pytest.mark.parametrize(
    ("checkpoints", "size_bytes", "demoted", "demoted_bytes", "words"),
    [
        (4, 23_000_000, 0, 0, "4 checkpoints, 23 MB are dropped"),
        (1, 6_000_000, 0, 0, "1 checkpoint, 6 MB is dropped"),
        (0, 15_300_000, 4, 15_300_000, "4 checkpoints keep their weights only (15.3 MB of optimizer state goes)"),
        (
            3, 21_000_000, 1, 3_800_000,
            "3 checkpoints, 17.2 MB are dropped and 1 keeps its weights only (3.8 MB of optimizer state goes)",
        ),
    ],
)  # fmt: skip
def test_an_approval_says_what_goes_whole_and_what_keeps_its_weights(
    checkpoints: int, size_bytes: int, demoted: int, demoted_bytes: int, words: str
) -> None:
    awaiting = Awaiting(
        digest="sha256:1", checkpoints=checkpoints, size_bytes=size_bytes, gpu_hours=0.0, why="", changes=(),
        demoted=demoted, demoted_bytes=demoted_bytes,
    )  # fmt: skip
    assert _what(awaiting) == words
