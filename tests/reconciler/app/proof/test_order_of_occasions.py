"""When a row was learnt is told in the order in which it happened, whichever quest brought it."""

from reconciler.app.proof.prove_row import as_they_came
from reconciler.app.proof.records import Occasion


def occasion(checkpoint: str, step: int | None, after_step: int = 0) -> Occasion:
    return Occasion(
        campaign="pip/one", epoch=1, step=step, after_step=after_step, run="g1-a1", checkpoint=checkpoint,
        quest="q", part=1, row=1,
    )  # fmt: skip


def test_occasions_come_checkpoint_by_checkpoint_and_step_by_step() -> None:
    found = [
        occasion("pip/one@50", 14),
        occasion("pip/two@5", 4),
        occasion("pip/one@50", 4),
        occasion("pip/one@400", 338),
        occasion("pip/one@50", None, after_step=10),
    ]
    told = as_they_came(found, ["pip/one@50", "pip/one@400", "pip/two@5"])
    assert [(one.checkpoint, one.step) for one in told] == [
        ("pip/one@50", 4),
        ("pip/one@50", None),
        ("pip/one@50", 14),
        ("pip/one@400", 338),
        ("pip/two@5", 4),
    ]
