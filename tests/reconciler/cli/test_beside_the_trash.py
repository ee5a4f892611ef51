"""A damaged copy that somebody puts beside the trash: every command that looks names it, with the way out."""

import shutil
from pathlib import Path

import pytest

RULES = "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 1s\n"
NAME = "pip/campaign-001@1"


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def beside(resting, run, pass_time, root: Path) -> Path:
    """Checkpoint 1 lies in the trash, and a copy of it with another byte in its place."""
    folder = resting({"specs/retention.yaml": RULES}, (1, 2, 3))
    pass_time(10)
    assert run("apply", "--until-converged").exit_code == 0
    (dropped,) = (root / "trash").glob("*-checkpoint-1")
    copy = Path(shutil.copytree(dropped, folder / "checkpoint-1"))
    weights = copy / "model.safetensors"
    weights.chmod(0o600)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    return copy


def test_a_damaged_copy_beside_the_trash_is_told_by_plan_before_and_after_it_was_read(
    run, beside: Path, root: Path
) -> None:
    before = plain(run("plan").stdout)
    applied = run("apply", "--until-converged")
    after = {verb: plain(run(verb).output) for verb in ("plan", "status", "doctor")}

    assert f"drop checkpoint {NAME}" in before
    assert "it lies in the trash, and something has its place: that is read, and taken for it" in before
    assert applied.exit_code == 3
    assert f"! blocked checkpoint/{NAME}: drop failed once at" in plain(applied.stdout)
    for verb, said in after.items():
        assert "what was put in its place is not whole: model.safetensors has BLAKE3" in said, verb
        assert f"move {beside} away, and reconcile undelete {NAME} takes it back" in said, verb
    assert len(list((root / "trash").glob("*-checkpoint-1"))) == 1


def test_once_it_is_moved_away_nothing_is_told_of_it(run, beside: Path, tmp_path: Path) -> None:
    assert run("apply", "--until-converged").exit_code == 3
    beside.rename(tmp_path / "away")

    assert run("apply", "--until-converged").exit_code == 0
    assert "failed" not in run("plan").output
