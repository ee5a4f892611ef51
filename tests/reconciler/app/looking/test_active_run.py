"""What a heartbeat may be shown as: never more than a living process said lately."""

import msgspec
import pytest

from reconciler.app.looking.active_run import told
from reconciler.observed.records import RunFacts
from reconciler.plan.runs.silence import seconds_between, stale_seconds
from state.contract.exit import RunExit
from state.contract.patience import patience_seconds
from state.contract.status import RunStatus
from state.store.rows import RunRow

ROW = RunRow(
    campaign_uid="c", generation=1, attempt=1, state="running", cookie="x", config_hash="sha256:0", config_json="{}",
    code_version="v", specs_commit="s", device="cpu", resume_step=None, launched_at="2026-01-31T12:00:00Z",
)  # fmt: skip
BEAT = RunStatus(
    phase="training",
    updated_at="2026-01-31T12:00:00Z",
    orders_sequence=1,
    step=7,
    quest_update=7,
    update_seconds=0.001,
)
SEEN = RunFacts(folder="g1-a1", generation=1, attempt=1, claimed=True, status=BEAT)
EXIT = RunExit(
    reason="finished", message="done", step=9, last_checkpoint_step=9, exited_at="2026-01-31T12:00:01Z"
)


@pytest.mark.parametrize(
    ("seen", "is_alive", "now", "phase"),
    [
        (SEEN, True, "2026-01-31T12:00:30Z", "training"),
        (SEEN, True, "2026-01-31T12:01:30Z", "silent"),
        (SEEN, False, "2026-01-31T12:00:01Z", "lost"),
        (msgspec.structs.replace(SEEN, exit=EXIT), False, "2026-01-31T12:00:02Z", "exited"),
        (None, True, "2026-01-31T12:00:01Z", "starting"),
        (None, False, "2026-01-31T12:00:01Z", "lost"),
    ],
    ids=[
        "it beats",
        "its last beat is old",
        "its process is gone",
        "it left word",
        "not claimed yet",
        "never seen",
    ],
)
def test_the_phase_that_is_shown(seen: RunFacts | None, is_alive: bool, now: str, phase: str) -> None:
    assert told(ROW, seen, is_alive=is_alive, now=now).phase == phase


def test_slow_updates_and_saves_get_more_time_before_they_count_as_silent() -> None:
    assert stale_seconds(BEAT) == pytest.approx(60.01)
    assert stale_seconds(msgspec.structs.replace(BEAT, update_seconds=30.0, save_seconds=45.0)) == 450
    assert stale_seconds(msgspec.structs.replace(BEAT, phase="starting", update_seconds=None)) == 600
    assert stale_seconds(msgspec.structs.replace(BEAT, phase="evaluating", update_seconds=None)) == 600


@pytest.mark.parametrize(
    "begun",
    [{"update_seconds": None}, {"quest_update": 0}],
    ids=["the run's first update", "a quest's first update, and its rows are read before"],
)
def test_a_first_update_is_not_silent_before_its_own_watchdog_would_end_it(begun: dict[str, object]) -> None:
    first = msgspec.structs.replace(BEAT, **begun)
    seen = msgspec.structs.replace(SEEN, status=first)
    assert told(ROW, seen, is_alive=True, now="2026-01-31T12:59:00Z").phase == "training"
    assert told(ROW, seen, is_alive=True, now="2026-01-31T13:00:01Z").phase == "silent"
    assert stale_seconds(first) == patience_seconds(first)


def test_an_age_is_never_negative_and_never_guessed() -> None:
    assert seconds_between("2026-01-31T12:00:10Z", "2026-01-31T12:00:00Z") == 0
    assert seconds_between("yesterday", "2026-01-31T12:00:00Z") is None
