"""An older copy of the store is put back: no number of the ledger that was used since is given again."""

import shutil
from pathlib import Path

import pytest

from state.layout import Layout
from state.store.connection import open_reader
from state.store.rows import LedgerRow
from state.store.tables import select

RULES = "campaigns: {active: {keep_checkpoints: 2}}\nminimum_age: 1s\n"


def numbers(root: Path) -> dict[int, int]:
    """Return step → number, as the store says it."""
    with open_reader(Layout(root).store) as store:
        return {row.step: row.sequence for row in select(store, LedgerRow)}


@pytest.fixture
def put_back(resting, run, publish, pass_time, root: Path):
    """Return what saves three checkpoints, copies the store, saves and drops more, and puts the copy back."""

    def make() -> None:
        folder = resting({"specs/retention.yaml": RULES}, (1, 2, 3))
        store = Layout(root).store
        shutil.copy(store, root.parent / "older.db")
        for step in (4, 5):
            publish(folder, step)
            assert run("apply", "--once").exit_code == 0
        assert numbers(root) == {step: step for step in range(1, 6)}
        pass_time(3)
        assert run("apply", "--until-converged").exit_code == 0
        shutil.copy(root.parent / "older.db", store)

    return make


@pytest.mark.parametrize("lost", ["", "control/rows", "trash"])
def test_numbers_go_on_above_those_that_the_files_know(put_back, run, publish, root: Path, lost: str) -> None:
    put_back()
    if lost:
        shutil.rmtree(root / lost)
    publish(root / "campaigns/pip/campaign-001/checkpoints", 6)
    told = " ".join(run("apply", "--once").stderr.split())
    assert "an older copy that was put back" in told
    assert "numbers go on after 5, that of pip/campaign-001@5; the history of runs is not" in told
    found = numbers(root)
    assert sorted(found[step] for step in (4, 5, 6) if step in found) == [6, 7, 8]
    assert found[4] < found[5] < found[6]


def test_a_number_that_only_the_trash_knows_is_not_used_again(put_back, run, root: Path, publish) -> None:
    put_back()
    shutil.rmtree(root / "control/rows")
    for name in ("checkpoint-4", "checkpoint-5"):
        shutil.rmtree(root / "campaigns/pip/campaign-001/checkpoints" / name)
    publish(root / "campaigns/pip/campaign-001/checkpoints", 6)
    run("apply", "--once")
    assert numbers(root)[6] == 4  # the trash knows 1 to 3


def test_the_numbers_of_a_store_that_nobody_put_back_have_no_gaps(resting, run, publish, root: Path) -> None:
    folder = resting({}, (1, 2))
    publish(folder, 3)
    told = run("apply", "--once").stderr
    assert "older copy" not in told
    assert numbers(root) == {1: 1, 2: 2, 3: 3}


def test_what_cannot_be_read_beside_the_store_says_nothing(put_back, run, root: Path, publish) -> None:
    put_back()
    for sidecar in (root / "campaigns").rglob(".ledger.json"):
        sidecar.chmod(0o600)
        sidecar.write_text('{"sequence": "many", "step": []}')
    publish(root / "campaigns/pip/campaign-001/checkpoints", 6)
    assert "numbers go on after 5" in " ".join(run("apply", "--once").stderr.split())
    assert numbers(root)[6] > 5
