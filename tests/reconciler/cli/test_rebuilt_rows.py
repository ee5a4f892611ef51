"""Rows are lost with the store: the folders tell them again, and the report says what they do not tell."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cleanup_words import approve, plain, say, there

from state.store.connection import open_reader, open_writer
from state.store.marks import marks_of
from state.store.rows import CopyRow, JobRow, ManifestRow, StoreView
from state.store.tables import put, select
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


def test_manifests_are_made_again_from_where_their_checkpoints_lie(used: Path, run: Any) -> None:
    before = manifests(used)
    assert len(before) == 3
    lose(used, "control/rows/manifests")

    done = run("doctor", "--rebuild")

    assert done.exit_code == 0
    assert manifests(used) == before
    assert "are in no file of rows" not in plain(done.output)
    assert "knows more" not in plain(done.output)


def test_a_manifest_that_is_nowhere_is_named_and_the_copy_of_the_store_that_has_it(
    used: Path, run: Any
) -> None:
    shutil.rmtree(min((used / "trash").glob("*-checkpoint-1")))
    shutil.copy(used / "realm.db", newest_copy(used))
    lose(used, "control/rows/manifests")

    said = plain(run("doctor", "--rebuild").output)

    assert f"the manifests of {ONE}@1 are in no file of rows, and lie nowhere" in said
    assert f"the newest copy of the store, {newest_copy(used)}, knows more (1 manifests)" in said
    assert len(manifests(used)) == 2


def manifests(root: Path) -> list[ManifestRow]:
    with open_reader(root / "realm.db") as store:
        return select(store, ManifestRow, "ORDER BY digest")


def newest_copy(root: Path) -> Path:
    return max((root / "backups/store").glob("*.db"))


def a_job(store: StoreView) -> JobRow:
    (uid,) = (row.uid for row in store.campaigns if row.name == ONE)
    return JobRow(
        uid="job1",
        id="2026-01-31T12:00:00_q1",
        quest_id="q1",
        campaign_uid=uid,
        hero_id="pip",
        campaign_id="campaign-001",
        source_key="key",
        dataset_path="bin_L1.jsonl",
        digest="sha256:" + "1" * 64,
        num_examples=10,
        shape_json="{}",
        priority="normal",
        epochs=1,
        status="completed",
        created_at="2026-01-31T12:00:00Z",
    )


def a_copy() -> CopyRow:
    at = "2026-01-31T12:00:00Z"
    return CopyRow(
        sequence=2,
        path="/elsewhere/checkpoint-2",
        kind="export",
        digest="blake3:" + "2" * 64,
        size_bytes=1,
        made_at=at,
        checked_at=at,
    )


@pytest.mark.parametrize("loss", ["gone", "half"])
@pytest.mark.parametrize("what", ["campaigns/*.json", "realm.json"])
def test_rows_that_only_a_copy_of_the_store_has_are_told_in_the_report(
    used: Path, run: Any, what: str, loss: str
) -> None:
    with closing(open_writer(used / "realm.db")) as store:
        put(store, [a_job(view(used)), a_copy()])
    shutil.copy(used / "realm.db", newest_copy(used))
    for path in (used / "control/rows").glob(what):
        path.unlink() if loss == "gone" else path.write_bytes(path.read_bytes()[:40])
    lose(used)

    done = run("doctor", "--rebuild")

    assert done.exit_code == (1 if loss == "half" else 0)
    lost = "1 jobs" if what != "realm.json" else "1 copies"
    said = plain(done.output)
    assert f"files of rows below {used / 'control/rows'} are lost or damaged; the newest copy" in said
    assert f"{newest_copy(used)}, knows more (" in said
    assert lost in said
