"""Publishing a checkpoint: whole or not at all, whenever the process dies or the disk fills."""

import signal
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from builders import a_manifest
from children import in_child

from state import failpoints
from state.atomic import remove_staging
from state.contract.manifest import FileEntry, Manifest
from trainer.checkpoints.errors import CheckpointError, NameTakenError
from trainer.checkpoints.load import check_campaign, read_manifest, verify_files
from trainer.checkpoints.save import publish_checkpoint

CONTENT = {"model.safetensors": b"weights" * 100, "trainer_state.json": b"{}"}


def write_all(folder: Path) -> None:
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)


def publish(folder: Path) -> Manifest:
    return publish_checkpoint(folder, 3, [write_all], a_manifest)


@pytest.fixture(autouse=True)
def _disarmed() -> object:
    yield
    failpoints.observe(None)


def test_a_published_checkpoint_is_whole_and_frozen(tmp_path: Path) -> None:
    manifest = publish(tmp_path)
    folder = tmp_path / "checkpoint-3"
    assert read_manifest(folder) == manifest
    verify_files(folder, manifest)
    assert {entry.path for entry in manifest.files} == set(CONTENT)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o400}
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]


def test_a_save_leaves_every_earlier_checkpoint_alone(tmp_path: Path) -> None:
    """The wrong turn: four retention engines and the training library's own limit shared one folder.

    The trainer has no limit of its own: only the reconciler's purge deletes.
    """
    for step in range(1, 60):
        publish_checkpoint(tmp_path, step, [write_all], partial(a_manifest, step=step))
    assert {path.name for path in tmp_path.iterdir()} == {f"checkpoint-{step}" for step in range(1, 60)}


def test_the_same_step_is_never_saved_twice(tmp_path: Path) -> None:
    first = publish(tmp_path)
    with pytest.raises(NameTakenError, match=r"checkpoint-3 is in the way: .* move it away"):
        publish(tmp_path)
    assert read_manifest(tmp_path / "checkpoint-3") == first
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]


def test_what_appears_in_the_way_while_saving_is_named_and_left_untouched(tmp_path: Path) -> None:
    final = tmp_path / "checkpoint-3"
    failpoints.observe(lambda name: final.write_text("mine") if name == "folder.rename" else None)

    with pytest.raises(NameTakenError, match=r"checkpoint-3 is in the way: something lies there already"):
        publish(tmp_path)

    assert (final.read_text(), [path.name for path in tmp_path.iterdir()]) == ("mine", ["checkpoint-3"])


def count_failpoints(folder: Path) -> int:
    folder.mkdir()
    names: list[str] = []
    failpoints.observe(names.append)
    publish(folder)
    failpoints.observe(None)
    return len(names)


def test_a_kill_at_any_point_leaves_the_whole_checkpoint_or_none_and_a_second_try_succeeds(
    tmp_path: Path,
) -> None:
    for point in range(1, count_failpoints(tmp_path / "counted") + 1):
        folder = tmp_path / str(point)
        folder.mkdir()
        assert killed_at(point, folder)
        final = folder / "checkpoint-3"
        if final.exists():
            verify_files(final, read_manifest(final))
        remove_staging(folder)
        if not final.exists():
            publish(folder)
        assert [path.name for path in folder.iterdir()] == ["checkpoint-3"]


@pytest.mark.parametrize("fault", ["ENOSPC", "EIO"])
def test_a_failing_disk_at_any_point_leaves_nothing_unfinished(tmp_path: Path, fault: str) -> None:
    for point in range(1, count_failpoints(tmp_path / "counted") + 1):
        folder = tmp_path / str(point)
        folder.mkdir()
        failpoints.arm(point, fault)
        with pytest.raises(OSError, match=r"failpoint"):
            publish(folder)
        failpoints.observe(None)
        assert [path.name for path in folder.iterdir()] in ([], ["checkpoint-3"])
        for final in folder.iterdir():
            verify_files(final, read_manifest(final))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "model.safetensors").unlink(), r"model\.safetensors: cannot be read: No such file"),
        (
            lambda f: rewrite(f / "model.safetensors", b"short"),
            r"model\.safetensors: damaged: 5 bytes, the manifest says 700",
        ),
        (lambda f: rewrite(f / "trainer_state.json", b"[]"), r"trainer_state\.json: damaged: BLAKE3"),
        (lambda f: (f / "extra.bin").write_bytes(b""), r"extra\.bin: not in the manifest"),
    ],
    ids=["missing", "cut", "changed", "foreign"],
)
def test_a_damaged_checkpoint_is_refused(
    tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    manifest = publish(tmp_path)
    spoil(tmp_path / "checkpoint-3")
    with pytest.raises(CheckpointError, match=message):
        verify_files(tmp_path / "checkpoint-3", manifest)


def test_the_ledgers_sidecar_is_the_only_file_that_may_join(tmp_path: Path) -> None:
    manifest, folder = publish(tmp_path), tmp_path / "checkpoint-3"
    (folder / ".ledger.json").write_text("{}", encoding="utf-8")
    verify_files(folder, manifest)
    (folder / ".ledger.json").rename(folder / ".other.json")
    with pytest.raises(CheckpointError, match=r"\.other\.json: not in the manifest"):
        verify_files(folder, manifest)


def test_a_manifest_that_was_changed_is_refused(tmp_path: Path) -> None:
    publish(tmp_path)
    path = tmp_path / "checkpoint-3" / "manifest.json"
    rewrite(path, path.read_bytes().replace(b'"healthy": true', b'"healthy": false'))
    with pytest.raises(CheckpointError, match="changed since it was written"):
        read_manifest(path.parent)


def test_a_folder_without_a_manifest_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"not a complete checkpoint: no manifest\.json"):
        read_manifest(tmp_path)


def test_a_checkpoint_of_another_campaign_is_refused_with_both_names() -> None:
    with pytest.raises(
        CheckpointError, match=r"checkpoint-3 is of campaign tiny/campaign-001 .*expected big/one \(d\)"
    ):
        check_campaign(a_manifest(()), "d", "big/one")


def rewrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def killed_at(point: int, folder: Path) -> bool:
    """Publish in a child that dies at this failpoint; say whether it did.

    A fork even where torch is loaded: files this small are hashed and written without another thread.
    """

    def work() -> None:
        failpoints.arm(point, "kill")
        publish(folder)

    return in_child(work) == -signal.SIGKILL


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "sub/file", ".."])
def test_a_manifest_that_leads_out_of_its_folder_is_refused_though_its_digest_is_right(
    tmp_path: Path, name: str
) -> None:
    publish(tmp_path)
    (tmp_path / "outside").write_bytes(b"secret")
    manifest = a_manifest((FileEntry(path=name, size_bytes=6, blake3="0" * 64),))

    with pytest.raises(CheckpointError, match=r"the manifest lists '.*', which is no file of a checkpoint"):
        verify_files(tmp_path / "checkpoint-3", manifest)
