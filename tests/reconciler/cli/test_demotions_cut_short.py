"""A demotion that a kill cut short, while the source is in doubt: only what is half done is finished."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3
from children import in_child
from click.testing import Result

from state import failpoints
from state.contract.manifest import FileEntry, Manifest, with_digest

Reconcile = Callable[..., Result]
RULES = "campaigns: {active: {keep_checkpoints: 9, keep_optimizer: 1}}\nminimum_age: 1s\n"
KILLED = -9


@pytest.fixture
def full(
    run: Reconcile,
    resting: Callable[..., Path],
    publish: Callable[..., None],
    pass_time: Callable[[float], None],
) -> Path:
    """Return the folder of two recorded checkpoints with optimizer state, of which the rules want one's."""
    folder = resting({"specs/retention.yaml": RULES}, ())
    publish(folder, 7, 9)
    for step in (7, 9):
        add_optimizer(folder / f"checkpoint-{step}")
    assert run("apply", "--once").exit_code == 0
    pass_time(60)
    return folder


def add_optimizer(place: Path) -> None:
    state = b"moments"
    (place / "optimizer.safetensors").write_bytes(state)
    entry = FileEntry(path="optimizer.safetensors", size_bytes=len(state), blake3=blake3(state).hexdigest())
    manifest = msgspec.json.decode((place / "manifest.json").read_bytes(), type=Manifest)
    manifest = with_digest(msgspec.structs.replace(manifest, files=(*manifest.files, entry)))
    (place / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def kill_apply_when(is_so: Callable[[], bool], run: Reconcile) -> None:
    """Let apply run in a child that is killed as soon as this is so."""

    def strike(_name: str) -> None:
        if is_so():
            failpoints.arm(1, "kill")
            failpoints.reach("as the test asked")

    def work() -> None:
        failpoints.observe(strike)
        run("apply", "--once")

    assert in_child(work) == KILLED


def move_the_branch_back(lab: Path, git: Callable[..., str]) -> None:
    """Amend the newest commit: what comes is no descendant of what was taken up."""
    (lab / "specs/realm.yaml").write_text((lab / "specs/realm.yaml").read_text() + "name: another\n")
    git(lab, "commit", "-qa", "--amend", "-m", "history is another one")


def in_trash(root: Path) -> list[Path]:
    return [path for path in (root / "trash").glob("*") if path.is_dir()]


def sources(run: Reconcile) -> list[str]:
    plan = json.loads(run("plan", "--json").stdout)
    return [one["code"] for one in plan["blocked"] if one["subject"] == "source"]


def test_a_demotion_of_which_the_full_form_was_moved_is_finished_in_doubt(
    full: Path,
    run: Reconcile,
    root: Path,
    lab: Path,
    git: Callable[..., str],
    pass_time: Callable[[float], None],
) -> None:
    place = full / "checkpoint-7"
    kill_apply_when(lambda: bool(in_trash(root)) and not place.exists(), run)
    move_the_branch_back(lab, git)
    run("apply", "--once")

    assert sorted(path.name for path in place.glob("*.safetensors")) == ["model.safetensors"]
    (kept,) = in_trash(root)
    assert sorted(path.name for path in kept.glob("*.safetensors")) == [
        "model.safetensors",
        "optimizer.safetensors",
    ]
    pass_time(1_000_000)
    for _ in range(4):
        run("apply", "--once")
    assert in_trash(root) == [kept]


def test_a_demotion_of_which_nothing_was_moved_waits_while_the_source_is_in_doubt_and_then_has_its_whole_grace(
    full: Path,
    run: Reconcile,
    root: Path,
    lab: Path,
    git: Callable[..., str],
    pass_time: Callable[[float], None],
) -> None:
    place, staging = full / "checkpoint-7", full.parent / ".staging-7-weights"
    kill_apply_when(staging.exists, run)
    move_the_branch_back(lab, git)
    assert run("apply", "--once").exit_code == 3

    assert sources(run) == ["source-rewritten"]
    assert (place / "optimizer.safetensors").exists()
    assert in_trash(root) == []
    pass_time(1_000_000)
    accepted = git(lab, "rev-parse", "HEAD").strip()
    assert run("refresh", "--accept", accepted[:12]).exit_code == 0
    for _ in range(4):
        run("apply", "--once")
    assert not (place / "optimizer.safetensors").exists()
    (kept,) = in_trash(root)
    assert (kept / "optimizer.safetensors").exists()
