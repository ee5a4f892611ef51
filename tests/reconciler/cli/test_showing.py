"""How apply tells what happens where there is no terminal."""

import msgspec

from reconciler.cli.session import Session
from reconciler.cli.showing import LineShow
from state.contract.status import RunStatus

TRAINING = RunStatus(phase="training", updated_at="2026-01-31T12:05:00Z", orders_sequence=1, step=1)


def test_training_is_told_again_after_half_a_minute(monkeypatch, capsys) -> None:
    clock = iter([0.0, 10.0, 29.9, 30.0, 45.0, 60.0])
    monkeypatch.setattr("reconciler.cli.showing.time.monotonic", lambda: next(clock))
    show = LineShow(Session())
    for step in range(1, 7):
        show.progress("pip/campaign-001", msgspec.structs.replace(TRAINING, step=step))
    told = capsys.readouterr().out.splitlines()
    assert [line.split(", ")[1] for line in told] == ["step 1", "step 4", "step 6"]


def test_a_new_phase_is_told_at_once(capsys) -> None:
    show = LineShow(Session())
    for phase in ("training", "training", "saving"):
        show.progress("pip/campaign-001", msgspec.structs.replace(TRAINING, phase=phase))
    assert len(capsys.readouterr().out.splitlines()) == 2
