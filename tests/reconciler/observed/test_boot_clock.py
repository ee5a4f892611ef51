"""What the machine's own clocks say: one goes on while it sleeps, one stands."""

import time

from reconciler.observed.boot_clock import boot_moment


def test_the_clock_that_stands_while_the_machine_sleeps_is_the_one_that_trainers_tell() -> None:
    before, said, after = time.monotonic(), boot_moment(), time.monotonic()
    assert said is not None
    assert said.awake_seconds is not None
    assert before <= said.awake_seconds <= after
