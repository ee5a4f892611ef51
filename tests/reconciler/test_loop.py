"""When the loop looks again: its pace, its modes, and the files that wake it."""

import itertools
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.loop import (
    MOVING_SECONDS,
    TRIES_WITHOUT_SUCCESS,
    FileTriggers,
    Mode,
    Pace,
    Tick,
    UntilDeadline,
    matters,
    run,
)

IDLE = Tick(is_settled=True)
TRAINING = Tick(is_settled=False)
STARTING = Tick(is_settled=False, is_moving=True)
PACE = Pace(interval_seconds=15, backoff_seconds=30, longest_backoff_seconds=100, most_jitter=0.0)
HEAD = "/lab/.git/refs/heads"
CAMPAIGN = "/root/campaigns/one/campaign-001"


def worked(plan: str, failed: int = 0) -> Tick:
    return Tick(succeeded=1, failed=failed, plan_digest=plan, is_settled=False)


def failed(plan: str = "p") -> Tick:
    return Tick(failed=1, plan_digest=plan, is_settled=False)


class Waits:
    """Triggers in which no time passes: remembers how long the loop wanted to wait."""

    def __init__(self, most: int = 50) -> None:
        self.seconds: list[float] = []
        self._most = most

    def wait(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def is_over(self) -> bool:
        return len(self.seconds) >= self._most


def looped(ticks: list[Tick], mode: Mode = "continuous", most: int | None = None) -> tuple[bool, list[float]]:
    """Run the loop over these ticks, the last one again and again; return its word and its waits."""
    waits = Waits(len(ticks) if most is None else most)
    coming = itertools.chain(ticks, itertools.repeat(ticks[-1]))
    return run(lambda: next(coming), lambda: PACE, waits, mode), waits.seconds


def test_progress_is_followed_by_the_next_look_at_once() -> None:
    assert looped([worked("p"), worked("q"), IDLE])[1] == [0, 0, 15]


def test_with_nothing_to_do_the_next_look_is_after_the_interval() -> None:
    assert looped([IDLE, TRAINING])[1] == [15, 15]


def test_while_a_trainer_comes_or_goes_the_next_look_is_very_soon() -> None:
    assert looped([STARTING])[1] == [MOVING_SECONDS]


def test_failures_in_a_row_are_waited_for_twice_as_long_each_time_up_to_the_longest() -> None:
    assert looped([failed("a"), failed("b"), failed("c"), failed("d")])[1] == [30, 60, 100, 100]


def test_a_loop_that_has_failed_for_weeks_waits_on() -> None:
    assert PACE.wait_after(failed(), 5000) == 100


def test_a_fifth_at_most_is_added_to_the_wait_after_a_failure_and_the_same_to_the_same_one() -> None:
    pace = Pace(backoff_seconds=100.0)
    added = [pace.wait_after(failed(plan), 1) - 100.0 for plan in "abcdefgh"]
    assert all(0.0 <= one <= 20.0 for one in added)
    assert len(set(added)) == 8
    assert pace.wait_after(failed("a"), 1) - 100.0 == added[0]
    assert pace.wait_after(IDLE, 0) == pace.interval_seconds


def test_progress_beside_a_failure_counts_and_ends_the_row() -> None:
    assert looped([failed("a"), worked("b", failed=1), failed("c")])[1] == [30, 0, 30]


def test_doing_the_same_plan_again_is_no_progress() -> None:
    assert looped([worked("p"), worked("p"), worked("p"), worked("q")])[1] == [0, 30, 60, 0]


def test_once_means_one_tick_and_tells_whether_it_went_well() -> None:
    assert looped([worked("p")], "once") == (True, [])
    assert looped([worked("p", failed=1)], "once") == (False, [])
    assert looped([failed()], "once") == (False, [])


def test_until_converged_goes_on_while_training_and_ends_when_nothing_is_left() -> None:
    assert looped([worked("p"), TRAINING, worked("q"), IDLE], "until-converged", 50) == (True, [0, 15, 0])


def test_until_converged_gives_up_after_some_looks_without_success() -> None:
    went_well, waits = looped([failed()], "until-converged", 50)

    assert not went_well
    assert waits == [30, 60]
    assert len(waits) + 1 == TRIES_WITHOUT_SUCCESS


def test_a_deadline_ends_the_loop_after_the_tick_in_hand_and_says_that_it_did() -> None:
    triggers, ticks = UntilDeadline(Waits(), 0.0), iter([TRAINING])
    assert run(lambda: next(ticks), lambda: PACE, triggers, "until-converged")
    assert triggers.has_passed


def test_what_has_converged_by_its_last_tick_met_its_deadline() -> None:
    triggers = UntilDeadline(Waits(), 0.0)
    assert run(lambda: IDLE, lambda: PACE, triggers, "until-converged")
    assert not triggers.has_passed


def test_no_wait_is_longer_than_the_time_to_the_deadline() -> None:
    waits = Waits(most=1)
    assert run(lambda: TRAINING, lambda: PACE, UntilDeadline(waits, 7.0), "until-converged")
    assert 0.0 <= waits.seconds[0] <= 7.0


def test_continuous_ends_only_when_it_is_told_to_and_says_how_the_last_look_went() -> None:
    assert looped([IDLE], most=7) == (True, [15] * 7)
    assert looped([IDLE, failed()]) == (False, [15, 30])


@pytest.mark.parametrize(
    ("path", "wakes"),
    [
        (f"{HEAD}/main", True),
        (f"{HEAD}/feature/switch", True),
        (f"{HEAD}/main.lock", False),
        ("/lab/.git/index", False),
        ("/root/control/wake", True),
        ("/root/control/epoch", False),
        ("/root/control/reconciler.lock", False),
        (f"{CAMPAIGN}/checkpoints/checkpoint-20", True),
        (f"{CAMPAIGN}/checkpoints/.staging-20-ab12", False),
        (f"{CAMPAIGN}/checkpoints/checkpoint-20/.ledger.json", False),
        (f"{CAMPAIGN}/runs/g1-a1/process.json", True),
        (f"{CAMPAIGN}/runs/g1-a1/exit.json", True),
        (f"{CAMPAIGN}/runs/g1-a1/status.json", False),
        (f"{CAMPAIGN}/runs/g1-a1/.staging-status.json.77", False),
        (f"{CAMPAIGN}/runs/g1-a1/metrics.jsonl", False),
        (f"{CAMPAIGN}/runs/g1-a1/training.log", False),
        (f"{CAMPAIGN}/runs/g1-a1/orders.json", False),
        (f"{CAMPAIGN}/campaign.json", False),
    ],
)
def test_only_what_gives_a_tick_something_to_do_wakes_the_loop(path: str, wakes: bool) -> None:
    assert matters(path) is wakes


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "lab"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    git(top, "commit", "-q", "--allow-empty", "-m", "first")
    return top


def git(top: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Kim", "-c", "user.email=kim@lab")
    subprocess.run(["git", "-C", str(top), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "root" / "campaigns" / "one" / "campaign-001" / "runs" / "g1-a1"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def triggers(repository: Path, run_folder: Path) -> Iterator[FileTriggers]:
    """Return triggers that watch already, over the repository's branches and the realm's campaigns."""
    folders = [repository / ".git" / "refs" / "heads", run_folder.parents[3], run_folder / "not-yet-there"]
    stop = threading.Event()
    made = FileTriggers(lambda: folders, stop)
    made.wait(5)
    yield made
    stop.set()


LONG, SOON = 200, 100
"""Seconds: of a wait that something ends long before, and within which it is ended on the slowest machine."""


def waited(triggers: FileTriggers, seconds: float, meanwhile: Callable[[], None] | None = None) -> float:
    """Return how long a wait took while something happened."""
    helper = threading.Timer(0.15, meanwhile or (lambda: None))
    helper.start()
    begun = time.monotonic()
    triggers.wait(seconds)
    took = time.monotonic() - begun
    helper.join()
    return took


def test_the_first_wait_ends_at_once_because_nobody_watched_before_it(repository: Path) -> None:
    triggers = FileTriggers(lambda: [repository / ".git" / "refs" / "heads"], threading.Event())

    assert waited(triggers, LONG) < SOON
    assert waited(triggers, 0.5) >= 0.5


def test_a_commit_wakes_the_loop(triggers: FileTriggers, repository: Path) -> None:
    assert (
        waited(triggers, LONG, lambda: git(repository, "commit", "-q", "--allow-empty", "-m", "next")) < SOON
    )


def test_a_commit_on_a_new_branch_wakes_the_loop(triggers: FileTriggers, repository: Path) -> None:
    assert waited(triggers, LONG, lambda: git(repository, "branch", "feature/switch")) < SOON


def test_a_trainer_that_leaves_wakes_the_loop(triggers: FileTriggers, run_folder: Path) -> None:
    def leave() -> None:
        (run_folder / ".staging-exit.json").write_text("{}")
        (run_folder / ".staging-exit.json").rename(run_folder / "exit.json")

    assert waited(triggers, LONG, leave) < SOON


def test_a_checkpoint_wakes_the_loop_when_it_is_published_and_not_before(
    triggers: FileTriggers, run_folder: Path
) -> None:
    checkpoints = run_folder.parents[1] / "checkpoints"
    checkpoints.mkdir()

    def save() -> None:
        (checkpoints / ".staging-20").mkdir()
        (checkpoints / ".staging-20" / "model.safetensors").write_text("weights")

    def publish() -> None:
        (checkpoints / ".staging-20").rename(checkpoints / "checkpoint-20")

    assert waited(triggers, 1, save) >= 1
    assert waited(triggers, LONG, publish) < SOON


def test_what_happens_while_a_tick_is_at_work_is_not_missed(triggers: FileTriggers, repository: Path) -> None:
    git(repository, "commit", "-q", "--allow-empty", "-m", "while nobody waits")
    time.sleep(0.3)

    assert waited(triggers, LONG) < SOON


def test_heartbeats_neither_wake_the_loop_nor_put_off_its_next_look(
    triggers: FileTriggers, run_folder: Path
) -> None:
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.03):
            (run_folder / ".staging-status").write_text("{}")
            (run_folder / ".staging-status").rename(run_folder / "status.json")

    heart = threading.Thread(target=beat)
    heart.start()
    took = waited(triggers, 1)
    over.set()
    heart.join()

    assert 1 <= took < SOON


def test_a_folder_that_appears_is_watched_from_the_next_wait_on(tmp_path: Path) -> None:
    control = tmp_path / "root" / "control"
    triggers = FileTriggers(lambda: [control], threading.Event())
    triggers.wait(0.2)
    control.mkdir(parents=True)
    triggers.wait(5)

    assert waited(triggers, LONG, (control / "wake").touch) < SOON
    assert waited(triggers, LONG, (control / "wake").touch) < SOON


def test_a_name_that_is_not_utf_8_ends_no_loop(triggers: FileTriggers, repository: Path) -> None:
    odd = repository / ".git" / "refs" / "heads" / os.fsdecode(b"caf\xe9")

    assert waited(triggers, 1.0, odd.mkdir) < SOON
    assert waited(triggers, 0.3) < SOON
    odd.rmdir()
    waited(triggers, 0.3)
    assert (
        waited(triggers, LONG, lambda: git(repository, "commit", "-q", "--allow-empty", "-m", "next")) < SOON
    )


def test_being_told_to_end_ends_a_wait_at_once(repository: Path) -> None:
    stop = threading.Event()
    triggers = FileTriggers(lambda: [repository], stop)
    triggers.wait(1)

    assert waited(triggers, LONG, stop.set) < SOON
    assert triggers.is_over()
    assert waited(triggers, LONG) < SOON


def test_while_it_waits_progress_is_shown_about_once_a_second(repository: Path) -> None:
    shown: list[float] = []
    triggers = FileTriggers(lambda: [repository], threading.Event(), lambda: shown.append(time.monotonic()))
    triggers.wait(1)
    triggers.wait(2.5)

    assert 1 <= len(shown) <= 3


def test_no_wait_is_no_wait(repository: Path) -> None:
    assert waited(FileTriggers(lambda: [repository], threading.Event()), 0) < SOON


def test_failures_that_the_plan_counts_slow_nothing_down_and_end_nothing() -> None:
    counted = Tick(failed=1, is_counted=True, plan_digest="p", is_settled=False)

    assert looped([counted] * 5)[1] == [15] * 5
    assert looped([*[counted] * 5, IDLE], "until-converged", most=20) == (True, [15] * 5)
