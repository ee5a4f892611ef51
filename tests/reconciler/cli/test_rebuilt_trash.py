"""Rows are lost with the store: what lies in the trash is known again, and comes back when a person asks."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cleanup_words import approve, plain, say, there

from state.store.connection import open_reader
from state.store.marks import marks_of
from state.store.rows import StoreView
from state.store.view import read_view

RULES = "campaigns: {active: {keep_checkpoints: 2}}\nminimum_age: 1s\n"
ONE = "pip/campaign-001"


def view(root: Path) -> StoreView:
    with open_reader(root / "realm.db") as store:
        return read_view(store)


@pytest.fixture
def used(resting: Callable[..., Path], run: Any, root: Path, pass_time: Callable[[float], None]) -> Path:
    """A root with three checkpoints, the first of them dropped."""
    resting({"specs/retention.yaml": RULES}, (1, 2, 3))
    pass_time(3)
    assert run("apply", "--until-converged").exit_code == 0
    assert [stone.step for stone in view(root).trash] == [1]
    return root


def lose(root: Path, *places: str) -> None:
    for path in (root / "realm.db", *(root / place for place in places)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


LOST = [
    ["control/rows/campaigns"],
    ["control/rows"],
    ["control", "backups"],
]


@pytest.mark.parametrize("lost", LOST, ids=" ".join)
def test_a_checkpoint_in_the_trash_comes_back_after_the_rebuild(
    used: Path, run: Any, lost: list[str]
) -> None:
    sidecar = min((used / "trash").glob("*-checkpoint-1")) / ".ledger.json"
    sidecar.write_text(json.dumps(json.loads(sidecar.read_bytes()) | {"tags": ["loved"]}))
    (before,) = (row for row in view(used).ledger if row.step == 1)
    lose(used, *lost)

    assert run("doctor", "--rebuild").exit_code == 0

    (after,) = (row for row in view(used).ledger if row.step == 1)
    assert (after.sequence, after.digest, after.path) == (before.sequence, before.digest, before.path)
    assert marks_of(after).tags == ("loved",)
    assert run("undelete", f"{ONE}@1").exit_code == 0
    applied = run("apply", "--once")
    assert "the ledger has no row" not in plain(applied.output)
    assert (used / before.path / "manifest.json").is_file()
    assert [stone.state for stone in view(used).trash] == ["restored"]


def test_a_campaign_in_the_trash_comes_back_after_the_rebuild(
    resting: Callable[..., Path], run: Any, root: Path, lab: Path, git: Callable[..., str]
) -> None:
    home = resting({"specs/realm.yaml": "id: lab\n"}, (100, 200)).parent
    say(lab, git, "state: deleted")
    run("apply", "--until-converged")
    approve(run)
    assert run("apply", "--until-converged").exit_code == 0
    before = view(root)
    lose(root, "control/rows/campaigns")

    assert run("doctor", "--rebuild").exit_code == 0

    after = view(root)
    assert told(after) == told(before)
    assert run("undelete", ONE).exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert there(home) == ["checkpoint-100", "checkpoint-200"]
    assert told(view(root))[0][ONE] == "paused"


def told(store: StoreView) -> tuple[dict[str, str], list[tuple[int, str, str]]]:
    """Return how the campaigns are, and which checkpoints are recorded, with where they belong."""
    states = {row.name: row.status for row in store.campaigns if row.name == ONE}
    return states, [(row.sequence, row.digest, row.path) for row in store.ledger]


def test_what_in_the_trash_is_not_understood_is_named_in_the_report(used: Path, run: Any) -> None:
    place = min((used / "trash").glob("*-checkpoint-1"))
    (place / "manifest.json").unlink()
    lose(used, "control/rows/campaigns")

    done = run("doctor", "--rebuild")

    said = plain(done.stdout + done.stderr)
    assert f"{place}: there is no manifest.json" in said, said
    assert f"{ONE}@1 cannot be taken back" in said
    assert [row.step for row in view(used).ledger] == [2, 3]
