"""`reconcile replay`: a real training, its checkpoints made again, and one that was deleted for good got back."""

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from children import in_child

pytest.importorskip("torch")

from click.testing import CliRunner, Result
from lab import Lab, realm, rows, tiny_hero

from reconciler.act import damaged
from reconciler.act.damaged import write_damage
from reconciler.act.launcher import LocalLauncher
from reconciler.act.office import enter_office
from reconciler.act.purging import purge
from reconciler.act.tools import Tools
from reconciler.act.trash import drop
from reconciler.app.replaying.putting_back import lies_whole, put_back
from reconciler.app.surroundings.environment import current_environment
from reconciler.cli.group import reconcile
from reconciler.observed.checkpoints import checkpoint_of_any_name, verify_contents
from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.actions import PurgeTrash, SetAsideCheckpoint, TrashCheckpoint
from state import failpoints
from state.contract.files import read
from state.contract.manifest import MANIFEST_NAME, Manifest
from state.contract.request import RunRequest
from state.layout import Layout
from state.lock import hold_lock
from state.store.rows import LedgerRow, TrashRow
from state.store.tables import select_one

pytestmark = pytest.mark.train

PIP = "pip/campaign-001"
NOW = "2026-01-31T12:00:00Z"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A campaign that has learnt a file, then what the file grew by: checkpoints 4, 8, 10, 12, 14."""
    lab = Lab(tmp_path_factory.mktemp("trained"))
    lab.git("init", "-q", "-b", "main")
    spec = realm(PIP)
    spec["defaults"]["checkpoint"]["every_updates"] = 4
    spec["defaults"]["evaluation"]["held_out"] = 0
    lab.spec("realm", **spec)
    lab.spec("heroes/pip", **tiny_hero("pip"))
    lab.spec("campaigns/pip/campaign-001", id="campaign-001")
    lab.spec("queue", quests=[{"id": "sums", "file": "data/sums.jsonl"}])
    lab.write("data/sums.jsonl", rows(range(19)))
    lab.commit()
    lab.converge()
    lab.write("data/sums.jsonl", rows(range(27)))
    lab.commit("the file grew")
    lab.converge()
    assert [row.step for row in lab.ledger(PIP)] == [4, 8, 10, 12, 14]
    away = lab.layout.root.rename(lab.folder / "away")  # a copy of a root takes no wish while that is there
    yield lab
    away.rename(lab.layout.root)
    lab.end()


@pytest.fixture
def lab(trained: Lab, tmp_path: Path) -> Lab:
    """A copy of it, to be changed."""
    copy = Lab(tmp_path / "copy")
    for name, kept in (("specs-repository", "specs-repository"), ("root", "away"), ("home", "home")):
        shutil.rmtree(copy.folder / name, ignore_errors=True)
        shutil.copytree(trained.folder / kept, copy.folder / name, symlinks=True)
    return copy


def replay(lab: Lab, checkpoint: str, *more: str) -> Result:
    given = ["--repo", str(lab.repository), "--root", str(lab.layout.root), "replay", checkpoint, *more]
    environment = {"HOME": str(lab.home), "OMP_NUM_THREADS": "1"}
    return CliRunner().invoke(reconcile, given, env=environment)


def checkpoint(lab: Lab, step: int) -> Path:
    return lab.layout.campaign(PIP).checkpoint(step)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".ledger.json"}


def row_of(lab: Lab, step: int) -> LedgerRow:
    return next(row for row in lab.ledger(PIP) if row.step == step)


@contextmanager
def office(layout: Layout) -> Iterator[Tools]:
    with closing(enter_office(layout, NOW)) as writer:
        yield Tools(layout=layout, writer=writer, launcher=LocalLauncher(), now=lambda: NOW)


def delete_for_good(lab: Lab, *steps: int) -> None:
    """Let the executors of the trash drop and purge checkpoints."""
    with office(lab.layout) as tools:
        for step in steps:
            row = row_of(lab, step)
            about: dict[str, Any] = {
                "campaign": PIP,
                "campaign_uid": row.campaign_uid,
                "sequence": row.sequence,
                "step": step,
                "size_bytes": row.size_bytes,
            }
            dropped = {"digest": row.digest, "kind": "rolled", "why": "a test", "grace_seconds": 1.0}
            drop(TrashCheckpoint(**about, **dropped), tools)
            purge(PurgeTrash(**about, path=stone_of(lab, step).path), tools)


def stone_of(lab: Lab, step: int) -> TrashRow:
    return next(stone for stone in reversed(lab.store().trash) if stone.step == step)


def test_a_checkpoint_that_was_deleted_with_its_parent_is_made_again_and_put_back(lab: Lab) -> None:
    before = contents(checkpoint(lab, 12))
    delete_for_good(lab, 8, 10, 12)
    assert not checkpoint(lab, 12).exists()
    done = replay(lab, f"{PIP}@12", "--restore")
    digest = row_of(lab, 12).digest
    assert done.output.splitlines() == [
        f"{PIP}@12: made again from {PIP}@4, 3 checkpoints.",
        f"Same: {digest.partition(':')[2][:8]}: weights, optimizer, random generators, position, to the bit.",
        f"Put back: {PIP}@12 is back, and no rule drops it again.",
    ]
    assert done.exit_code == 0
    assert contents(checkpoint(lab, 12)) == before
    assert stone_of(lab, 12).state == "restored"
    assert [stone_of(lab, step).state for step in (8, 10)] == ["purged", "purged"]
    assert not lab.plan()["changes"]
    assert not list(lab.layout.trash.glob(".staging-*"))
    proof = json.loads(lab.reconcile("prove", f"{PIP}@12", "--json").stdout)
    assert proof["is_proven"], proof["problems"]


@pytest.mark.long
def test_one_that_is_there_comes_out_the_same_and_nothing_is_written(lab: Lab) -> None:
    before = {path: path.stat().st_mtime_ns for path in lab.layout.campaigns.rglob("*")}
    done = replay(lab, f"{PIP}@latest", "--json")
    told = json.loads(done.stdout)
    assert (told["verdict"], told["made_from"], told["num_checkpoints"]) == ("same", f"{PIP}@12", 1)
    assert told["made_digest"] == told["digest"] == row_of(lab, 14).digest
    assert (told["put_back"], told["notes"]) == (None, [])
    assert {path: path.stat().st_mtime_ns for path in lab.layout.campaigns.rglob("*")} == before


@pytest.mark.long
def test_what_differs_is_told_with_the_first_checkpoint_and_exit_code_1(lab: Lab) -> None:
    """The negative control: a request that says another rate than the run had."""
    path = lab.layout.campaign(PIP).runs / "g1-a1" / "request.json"
    request = json.loads(path.read_bytes())
    request["config"]["training"]["learning_rate"] = 0.002
    request["config_hash"] = hashed(request)
    path.write_text(json.dumps(request))
    delete_for_good(lab, 4, 8)
    done = replay(lab, f"{PIP}@8")
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert lines[0] == f"{PIP}@8: made again from the first weights, 2 checkpoints."
    assert lines[1].startswith(f"Differs at {PIP}@4: recorded {row_of(lab, 8).digest.partition(':')[2][:8]}")
    assert [line.partition(":")[0] for line in lines[2:]] == [
        "  model.safetensors",
        "  optimizer.safetensors",
    ]
    assert not checkpoint(lab, 8).exists()


def hashed(request: dict[str, Any]) -> str:
    from state.contract.request import config_hash

    return config_hash(msgspec.convert(request, RunRequest).config)


def test_it_waits_for_nobody_and_names_who_runs(lab: Lab) -> None:
    with hold_lock(lab.layout.lock, command="reconcile apply", since="2026-01-31T12:00:00Z"):
        done = replay(lab, f"{PIP}@8")
    assert done.exit_code == 3
    assert f"another reconciler holds {lab.layout.lock}" in done.output
    assert "`reconcile apply`; wait with --lock-timeout, or stop it" in done.output


def test_it_cannot_be_made_when_its_data_is_gone(lab: Lab) -> None:
    manifest = read(checkpoint(lab, 8) / MANIFEST_NAME, Manifest)
    snapshot = lab.layout.snapshot(manifest.learnt[0].digest)
    snapshot.unlink()
    done = replay(lab, f"{PIP}@8")
    assert done.output == f"Cannot be made again: the data of quest sums is gone: {snapshot}.\n"
    assert done.exit_code == 3


def test_it_cannot_be_made_when_nobody_knows_what_its_run_was_asked_for(lab: Lab) -> None:
    delete_for_good(lab, 4)
    path = lab.layout.campaign(PIP).runs / "g1-a1" / "request.json"
    path.unlink()
    done = replay(lab, f"{PIP}@8")
    why = f"{path} is gone, which said how run g1-a1 trained"
    assert done.output == f"Cannot be made again at {PIP}@4: {why}.\n"


def test_a_request_that_was_changed_is_not_believed(lab: Lab) -> None:
    path = lab.layout.campaign(PIP).runs / "g1-a1" / "request.json"
    path.write_text(path.read_text().replace('"learning_rate": 0.001', '"learning_rate": 0.002'))
    done = replay(lab, f"{PIP}@8")
    assert f"{path} was changed: its config is not the one that its hash names" in done.output
    assert done.exit_code == 3


def flip_a_bit(lab: Lab, step: int) -> None:
    weights = checkpoint(lab, step) / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.chmod(0o600)
    weights.write_bytes(content)


@pytest.mark.long
def test_a_damaged_ancestor_is_named_with_what_to_do(lab: Lab) -> None:
    flip_a_bit(lab, 4)
    done = replay(lab, f"{PIP}@8")
    assert done.exit_code == 3
    told = f"Cannot be made again: it is made from {PIP}@4, which is damaged: model.safetensors has BLAKE3 "
    assert told in done.output
    assert f" scrub {PIP}@4, then reconcile " in done.output
    assert " sets that one aside; after that this one is made from an earlier one." in done.output
    assert ".staging-" not in done.output


def set_aside(lab: Lab, step: int) -> None:
    """Let the executors find the damage of a checkpoint and move it out of its place."""
    row, found = row_of(lab, step), checkpoint_of_any_name(checkpoint(lab, step))
    assert isinstance(found, FoundCheckpoint)
    about: dict[str, Any] = {"campaign": PIP, "campaign_uid": row.campaign_uid, "segment": row.segment}
    with office(lab.layout) as tools:
        write_damage(
            tools, row.campaign_uid, found, "; ".join(verify_contents(Path(found.path), found.manifest))
        )
        damaged.set_aside(SetAsideCheckpoint(**about, step=step, digest=row.digest), tools)


def test_nothing_is_held_any_more_against_a_damaged_one_that_was_put_back(lab: Lab) -> None:
    before = contents(checkpoint(lab, 4))
    flip_a_bit(lab, 4)
    set_aside(lab, 4)
    assert "BLAKE3" in str(row_of(lab, 4).damage)
    assert lab.plan()["blocked"]

    done = replay(lab, f"{PIP}@4", "--restore")

    assert "Put back: it lies in its place again" in done.output
    assert contents(checkpoint(lab, 4)) == before
    row = row_of(lab, 4)
    assert (row.damage, row.healthy) == (None, True)
    assert row.verified_at is not None
    plan = lab.plan()
    assert (plan["changes"], plan["blocked"]) == ([], [])


@pytest.mark.parametrize("is_known", [False, True])
def test_a_damaged_one_that_lies_in_its_place_is_kept_beside_the_one_that_is_put_back(
    lab: Lab, is_known: bool
) -> None:
    before = contents(checkpoint(lab, 4))
    flip_a_bit(lab, 4)
    row, found = row_of(lab, 4), checkpoint_of_any_name(checkpoint(lab, 4))
    assert isinstance(found, FoundCheckpoint)
    if is_known:
        with office(lab.layout) as tools:
            write_damage(tools, row.campaign_uid, found, "a bit")
    done = replay(lab, f"{PIP}@4", "--restore")
    assert "Put back: what was left of it is kept as .damaged-4-" in done.output
    assert contents(checkpoint(lab, 4)) == before
    assert row_of(lab, 4).damage is None
    plan = lab.plan()
    assert (plan["changes"], plan["blocked"]) == ([], [])


@pytest.mark.parametrize("name", ["optimizer.safetensors", MANIFEST_NAME])
def test_one_that_lacks_a_file_is_kept_beside_the_one_that_is_put_back(lab: Lab, name: str) -> None:
    before = contents(checkpoint(lab, 4))
    checkpoint(lab, 4).chmod(0o700)
    (checkpoint(lab, 4) / name).unlink()
    assert f"replay {PIP}@4 --restore" in json.dumps(lab.plan()["blocked"])
    done = replay(lab, f"{PIP}@4", "--restore")
    assert "Put back: what was left of it is kept as .damaged-4-" in done.output
    assert contents(checkpoint(lab, 4)) == before
    assert (lab.plan()["changes"], lab.plan()["blocked"]) == ([], [])


def test_something_else_in_its_place_stays(lab: Lab) -> None:
    shutil.rmtree(checkpoint(lab, 8))
    (checkpoint(lab, 8) / "mine").mkdir(parents=True)
    done = replay(lab, f"{PIP}@8", "--restore")
    assert done.exit_code != 0
    assert [path.name for path in checkpoint(lab, 8).iterdir()] == ["mine"]


@pytest.mark.long
def test_restoring_what_lies_in_its_place_does_nothing(lab: Lab) -> None:
    done = replay(lab, f"{PIP}@4", "--restore")
    assert (
        done.output.splitlines()[-1] == "Put back: nothing: it lies in its place, every byte as it was saved."
    )


@pytest.mark.long
def test_one_that_was_lost_is_put_into_its_empty_place(lab: Lab) -> None:
    before = contents(checkpoint(lab, 8))
    shutil.rmtree(checkpoint(lab, 8))
    done = replay(lab, f"{PIP}@8", "--restore")
    assert (
        done.output.splitlines()[-1]
        == "Put back: it lies in its place again; the ledger knew it all the time."
    )
    assert contents(checkpoint(lab, 8)) == before
    assert not lab.plan()["changes"]


@pytest.mark.long
@pytest.mark.parametrize("way", ["deleted", "set aside", "damaged in its place"])
def test_putting_back_may_be_killed_anywhere_and_done_again(lab: Lab, tmp_path: Path, way: str) -> None:
    made = tmp_path / "made"
    shutil.copytree(checkpoint(lab, 8), made, ignore=shutil.ignore_patterns(".ledger.json"))
    before = contents(made)
    if way == "deleted":
        delete_for_good(lab, 8)
    else:
        flip_a_bit(lab, 8)
    if way == "set aside":
        set_aside(lab, 8)
    row, stone, at = row_of(lab, 8), stone_of(lab, 8) if way == "deleted" else None, 0
    away = lab.layout.root.rename(tmp_path / "away")
    while True:
        at += 1
        root = tmp_path / f"root-{at}"
        shutil.copytree(away, root, symlinks=True)
        if not killed_at(at, Layout(root), (row, stone), made, tmp_path / f"made-{at}"):
            break
        finish(Layout(root), (row, stone), made, tmp_path / f"again-{at}")
        assert contents(root / row.path) == before, f"killed at {at}"
        shutil.rmtree(root)
    assert at > (12 if stone else 8)


def finish(layout: Layout, gone: tuple[LedgerRow, TrashRow | None], made: Path, copy: Path) -> None:
    """Do what is done after a kill: replay again, or let the plan's way look at what lies there."""
    row, stone = gone
    with office(layout) as tools:
        if not lies_whole(layout.root / row.path, row.digest):
            put_back(current_environment(), tools, PIP, row, stone, Path(shutil.copytree(made, copy)))
        elif stone is None:
            about: dict[str, Any] = {
                "campaign": PIP,
                "campaign_uid": row.campaign_uid,
                "segment": row.segment,
            }
            damaged.set_aside(SetAsideCheckpoint(**about, step=row.step, digest=row.digest), tools)
        with tools.writer.transaction() as store:
            after = select_one(store, LedgerRow, "WHERE sequence = ?", row.sequence)
    assert after is not None
    assert after.damage is None


def killed_at(
    at: int, layout: Layout, gone: tuple[LedgerRow, TrashRow | None], made: Path, copy: Path
) -> bool:
    """Put back in a child that dies at a failpoint; say whether it came to that."""

    def work() -> None:
        shutil.copytree(made, copy)
        with office(layout) as tools:
            failpoints.arm(at, "kill")
            put_back(current_environment(), tools, PIP, *gone, copy)

    return in_child(work) == -signal.SIGKILL
