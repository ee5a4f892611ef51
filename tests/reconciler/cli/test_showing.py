"""How apply tells what happens where there is no terminal."""

import msgspec
import pytest

from reconciler.cli.session import Session
from reconciler.cli.showing import LineShow
from reconciler.cli.text_progress import not_repeated, phase_text, progress_text
from state.contract.status import RunStatus

TRAINING = RunStatus(
    phase="training",
    updated_at="2026-01-31T12:05:00Z",
    orders_sequence=1,
    step=1,
    quest_id="bin-l1",
    quest_update=1,
    quest_updates=9,
)


def test_training_is_told_again_after_half_a_minute(monkeypatch, capsys) -> None:
    clock = iter([0.0, 10.0, 29.9, 30.0, 45.0, 60.0])
    monkeypatch.setattr("reconciler.cli.showing.time.monotonic", lambda: next(clock))
    show = LineShow(Session())
    for step in range(1, 7):
        show.progress("pip/campaign-001", msgspec.structs.replace(TRAINING, quest_update=step))
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in told] == ["1/9", "4/9", "6/9"]


def test_a_new_phase_is_told_at_once(capsys) -> None:
    show = LineShow(Session())
    for phase in ("training", "training", "saving"):
        show.progress("pip/campaign-001", msgspec.structs.replace(TRAINING, phase=phase))
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_phase_whose_words_are_the_same_is_told_once(capsys) -> None:
    show = LineShow(Session())
    for quest in (None, "bin-l1", "bin-l1"):
        status = msgspec.structs.replace(
            TRAINING, phase="starting", step=34, quest_id=quest, quest_update=0, quest_updates=0
        )
        show.progress("pip/campaign-001", status)
    assert capsys.readouterr().out.splitlines() == ["    pip/campaign-001  starting, step 34"]


def test_a_line_of_progress_fits_80_columns() -> None:
    status = msgspec.structs.replace(
        TRAINING,
        step=49,
        quest_update=1_008,
        quest_updates=12_500,
        loss=2.405,
        val_loss=6.207,
        val_step=0,
        tokens_per_second=485.0,
        eta_seconds=616.0,
    )
    assert phase_text("pip/campaign-001", status, 80) == (
        "    bin-l1 1,008/12,500  loss 2.405  485 tok/s  ETA 10m 16s"
    )
    wide = phase_text("pip/campaign-001", status, 100)
    assert wide.endswith("ETA 10m 16s  held-out 6.207 at step 0")


def test_a_held_out_loss_of_this_very_step_needs_no_step() -> None:
    status = msgspec.structs.replace(TRAINING, step=8, val_loss=6.207, val_step=8)
    assert phase_text("pip/campaign-001", status, 80) == "    bin-l1 1/9  held-out 6.207"


def test_a_quest_whose_rows_are_being_read_has_no_numbers() -> None:
    status = msgspec.structs.replace(TRAINING, step=16, quest_update=0, quest_updates=0)
    told = "    pip/campaign-001  reads the rows of quest bin-l1, step 16"
    assert phase_text("pip/campaign-001", status, 80) == told
    assert progress_text("pip/campaign-001", status, 79) == told


@pytest.mark.parametrize(
    ("text", "subject", "said"),
    [
        ("pip/one pauses: its trainer saves", "pip/one", "pauses: its trainer saves"),
        ("campaign.json written", "campaign.json of pip/one", "written"),
        ("pip/one-more was made", "pip/one", "pip/one-more was made"),
        ("10 rows", "quest q1", "10 rows"),
    ],
)
def test_what_came_of_an_action_does_not_repeat_the_name_before_it(
    text: str, subject: str, said: str
) -> None:
    assert not_repeated(text, subject) == said
