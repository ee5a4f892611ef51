"""A migration hit at any point goes on, or is taken back, as if nothing had happened; no content is ever lost."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from children import in_child
from older_root import checkpoint, contents, tree, with_campaigns, write

from reconciler.act.errors import ActionFailed
from reconciler.act.migrating import Migration, carry_out, newest_migration, take_back, with_traces
from reconciler.desired.hero import Hero
from reconciler.observed.checkpoints import observe_checkpoints, verify_contents
from reconciler.observed.older_roots import observe_older_root
from reconciler.plan.migrating.older_root import Wish, decide
from reconciler.plan.migrating.steps import derived_of, names_of, steps_of
from state import failpoints
from state.contract.files import read
from state.contract.manifest import Manifest
from state.inside import stay_inside
from state.migration_record import MigrationRecord, TakeIn

HERO = msgspec.convert(
    {"id": "dio", "model": {"hf_name": "models/Tiny-0.6B", "family": "qwen3", "architecture": "Q",
                            "vocab_size": 320, "context_length": 64}}, Hero,
)  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return older_root_at(tmp_path / "old")


def older_root_at(place: Path) -> Path:
    """Return a root with everything that a migration has steps for."""
    root = with_campaigns(place)
    checkpoint(root / "campaigns/dio/campaign-002/checkpoints/checkpoint-250-20251124-0409", 250)
    checkpoint(root / "current_model/checkpoint-400", 400)
    write(root / "status/training_status.json", {"status": "idle"})
    stay_inside(root)
    return root


def begun(root: Path) -> Migration:
    """Write a migration of the root down."""
    older = observe_older_root(root)
    heroes = {"dio": HERO, "titan": HERO}
    decision = decide(older, Wish(hero="dio"), heroes, None)
    assert decision.refusals == ()
    steps = steps_of(older, decision, "realm")
    record = MigrationRecord(
        state="applying", realm="old", specs="/specs", active=decision.active,
        campaigns=names_of(decision), steps=steps, derived=derived_of(decision, steps),
    )  # fmt: skip
    migration = Migration(root=root, number=1)
    migration.write(with_traces(root, record))
    return migration


def quiet(_step: object) -> None:
    pass


def struck(work: Callable[[], None], arm: Callable[[], None]) -> int:
    """Do the work in a forked child with a fault on the way; return 1 where it says so, or how it died."""

    def told() -> int:
        arm()
        try:
            work()
        except (OSError, ActionFailed):
            return 1
        return 0

    return in_child(told)


def points_of(work: Callable[[], None]) -> int:
    """Do the work, and return how many failpoints were on the way."""
    count = 0

    def note(_name: str) -> None:
        nonlocal count
        count += 1

    failpoints.observe(note)
    try:
        work()
    finally:
        failpoints.observe(None)
    return count


def reset(root: Path, template: Path) -> None:
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.copytree(template, root, symlinks=True, dirs_exist_ok=True)


FAULTS = [
    pytest.param("kill", 4, id="kill-some"),
    *(pytest.param(fault, 1, id=fault, marks=pytest.mark.long) for fault in failpoints.FAULTS),
]
"""A fault, and how many failpoints lie between two that it strikes."""


@pytest.mark.timeout(1200)  # hundreds of children, each with its fsyncs
@pytest.mark.parametrize(("fault", "every"), FAULTS)
def test_a_migration_hit_at_any_point_goes_on_or_is_undone_and_loses_nothing(
    root: Path, fault: str, every: int
) -> None:
    before, held = tree(root), contents(root)
    migration = begun(root)
    template = shutil.copytree(root, root.with_name("template"), symlinks=True)
    count = points_of(lambda: carry_out(migration, quiet))
    done = tree(root)
    assert count > 60
    for number in range(1, count + 1, every):
        reset(root, template)
        code = struck(lambda: carry_out(migration, quiet), lambda n=number: failpoints.arm(n, fault))
        assert code == (-signal.SIGKILL if fault == "kill" else 1)
        assert not held - contents(root), number
        if number // every % 2:
            carry_out(migration, quiet)
            assert tree(root) == done, number
        else:
            take_back(migration, quiet)
            assert tree(root) == before, number


@pytest.mark.timeout(1200)  # hundreds of children, each with its fsyncs
@pytest.mark.parametrize(("fault", "every"), FAULTS)
def test_an_undo_hit_at_any_point_goes_on_and_loses_nothing(root: Path, fault: str, every: int) -> None:
    before, held = tree(root), contents(root)
    migration = begun(root)
    carry_out(migration, quiet)
    (root / "campaigns/dio/campaign-002/campaign.json").write_text('{"written": "anew"}')
    template = shutil.copytree(root, root.with_name("template"), symlinks=True)
    count = points_of(lambda: take_back(migration, quiet))
    assert tree(root) == before
    assert count > 30
    for number in range(1, count + 1, every):
        reset(root, template)
        struck(lambda: take_back(migration, quiet), lambda n=number: failpoints.arm(n, fault))
        assert not held - contents(root), number
        take_back(migration, quiet)
        assert tree(root) == before, number


def test_each_checkpoint_that_was_taken_in_has_the_digests_of_its_own_bytes(root: Path) -> None:
    migration = begun(root)
    carry_out(migration, quiet)
    taken = [step for step in migration.read().steps if isinstance(step, TakeIn)]
    assert sorted(step.step for step in taken) == [200, 200, 250, 300, 300, 400]
    for step in taken:
        facts = observe_checkpoints((root / step.folder).parent, root, step.campaign_uid)
        (found,) = [one for one in facts.complete if one.step == step.step]
        assert verify_contents(root / step.folder, found.manifest) == ()
        assert found.manifest.imported is not None
        assert (root / step.folder / "model.safetensors").stat().st_mode & 0o777 == 0o400


def test_what_changed_since_it_was_looked_at_is_not_taken_in(root: Path) -> None:
    migration = begun(root)
    (root / "current_model/checkpoint-400/model.safetensors").write_bytes(b"torn")
    with pytest.raises(
        ActionFailed, match="changed since it was looked at: a checkpoint of the Hugging Face"
    ):
        carry_out(migration, quiet)
    take_back(migration, quiet)


def test_the_newest_migration_is_the_one_that_counts(root: Path) -> None:
    assert newest_migration(root) is None
    begun(root)
    later = Migration(root=root, number=12)
    later.write(msgspec.structs.replace(Migration(root=root, number=1).read(), state="undone"))
    assert newest_migration(root) == later


def test_losses_are_those_of_the_older_ledger_before_those_of_the_trainers_history(root: Path) -> None:
    migration = begun(root)
    carry_out(migration, quiet)
    places = root / "campaigns/dio/campaign-002/checkpoints"
    losses: dict[int, Any] = {
        step: read(places / f"checkpoint-{step}/manifest.json", Manifest).measures.train_loss
        for step in (200, 300)
    }
    assert losses == {200: 0.5, 300: 0.3}
