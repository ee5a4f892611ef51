"""The power may be cut anywhere: no state that POSIX allows then loses a copy or shows a half one as whole.

The calls of each effect are recorded (tape.py), each state that a cut may leave is built (power_cut.py) and
judged (protocols.py): nothing half published, nothing lost, and what is done, or named by a row, stays.
"""

from typing import Any

import pytest
from extras import EXTRAS
from scenarios import SCENARIOS

MOST_RECOVERIES = 8


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [*SCENARIOS, *EXTRAS])
def test_no_power_cut_loses_a_copy_or_takes_back_what_is_done(name: str, worker: Any) -> None:
    """Also of a second try, after one that failed between an effect and its fsync."""
    answer = worker.ask(task="power", name=name, most_recoveries=MOST_RECOVERIES)

    assert answer["problems"] == []
    assert answer["states"] > 0
