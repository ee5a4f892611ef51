import os
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3
from memory_cache import MemoryCache

from reconciler.observed.checkpoint_cache import CheckpointCache
from reconciler.observed.checkpoints import observe_checkpoints, verify_contents
from state.contract.manifest import FileEntry

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 123456789\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "root" / "campaigns" / "tiny" / "campaign-001" / "checkpoints"


@pytest.fixture
def observe(tmp_path: Path, folder: Path):
    def look(**options: object):
        return observe_checkpoints(folder, tmp_path / "root", **options)

    return look


def only_reason(facts) -> str:
    assert facts.complete == ()
    (foreign,) = facts.foreign
    return foreign.reason


def test_no_folder_is_no_checkpoint(observe) -> None:
    facts = observe()
    assert (facts.complete, facts.foreign, facts.problem) == ((), (), None)


def test_whole_checkpoints_are_found_in_the_order_of_their_steps(observe, folder, save_checkpoint) -> None:
    for step in (1000, 100, 20):
        save_checkpoint(folder, step)
    facts = observe(campaign_uid="aaaa")
    assert [found.step for found in facts.complete] == [20, 100, 1000]
    first = facts.complete[0]
    assert first.path == str(folder / "checkpoint-20")
    assert first.manifest.campaign_uid == "aaaa"
    assert first.size_bytes == sum(path.stat().st_size for path in (folder / "checkpoint-20").iterdir())


def test_the_derived_sidecar_may_lie_beside_the_listed_files(observe, folder, save_checkpoint) -> None:
    (save_checkpoint(folder, 5) / ".ledger.json").write_text("{}")
    assert [found.step for found in observe().complete] == [5]


def test_unfinished_saves_are_named_and_neither_complete_nor_foreign(
    observe, folder, save_checkpoint
) -> None:
    save_checkpoint(folder, 7, name=".staging-7-abc")
    facts = observe()
    assert (facts.complete, facts.foreign, facts.staging) == ((), (), (".staging-7-abc",))


def drop(name: str):
    return lambda path: (path / name).unlink()


def overwrite(name: str, content: bytes):
    return lambda path: (path / name).write_bytes(content)


def link(name: str):
    def replace(path: Path) -> None:
        (path / name).rename(path.parent / ".staging-elsewhere")
        (path / name).symlink_to(path.parent / ".staging-elsewhere")

    return replace


def pipe(name: str):
    def replace(path: Path) -> None:
        (path / name).unlink()
        os.mkfifo(path / name)

    return replace


def edit_manifest(**changes: object):
    def edit(path: Path) -> None:
        fields = msgspec.json.decode((path / "manifest.json").read_bytes())
        (path / "manifest.json").write_bytes(msgspec.json.encode({**fields, **changes}))

    return edit


DAMAGE = {
    "no manifest": (drop("manifest.json"), "there is no manifest.json"),
    "empty manifest": (overwrite("manifest.json", b""), "manifest.json: not a Manifest"),
    "torn manifest": (overwrite("manifest.json", b'{"step": 5, "camp'), "manifest.json: not a Manifest"),
    "deep manifest": (overwrite("manifest.json", b"[" * 100_000), "manifest.json: not a Manifest"),
    "manifest not UTF-8": (
        overwrite("manifest.json", b'{"campaign":"\xff"}'),
        "manifest.json: not a Manifest",
    ),
    "huge manifest": (
        overwrite("manifest.json", b" " * (16 * 1024 * 1024 + 1)),
        "larger than 16777216 bytes",
    ),
    "manifest is a pointer": (overwrite("manifest.json", POINTER), "manifest.json is a Git LFS pointer"),
    "manifest is a link": (link("manifest.json"), "manifest.json is a symbolic link"),
    "manifest is a pipe": (pipe("manifest.json"), "manifest.json is not a plain file"),
    "manifest edited": (
        edit_manifest(healthy=False),
        "manifest.json was changed: its content has digest blake3:",
    ),
    "manifest of later software": (edit_manifest(schema_version=2), "schema version 2 is newer than 1"),
    "file missing": (drop("model.safetensors"), "model.safetensors is missing"),
    "file torn": (
        overwrite("model.safetensors", b"weights"),
        "model.safetensors has 7 bytes, the manifest says 63",
    ),
    "file is a pointer": (overwrite("model.safetensors", POINTER), "model.safetensors is a Git LFS pointer"),
    "file is a link": (link("model.safetensors"), "model.safetensors is a symbolic link"),
    "file is a pipe": (pipe("cursor.json"), "cursor.json is not a plain file"),
    "another file": (overwrite("pickle.bin", b"?"), "pickle.bin is not in the manifest"),
    "another folder": (lambda path: (path / "sub").mkdir(), "sub is not in the manifest"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_checkpoint_is_foreign_with_its_reason(
    observe, folder, save_checkpoint, damage, message
) -> None:
    damage(save_checkpoint(folder, 5))
    assert message in only_reason(observe())


def test_what_lies_in_a_checkpoint_and_is_not_of_it_is_named_with_its_place(
    observe, folder, save_checkpoint
) -> None:
    (save_checkpoint(folder, 5) / "mine.txt").write_text("mine")
    (save_checkpoint(folder, 6) / "model.safetensors").unlink()
    seen = observe()
    assert seen.too_much("checkpoint-5") == "checkpoint-5/mine.txt"
    assert seen.too_much("checkpoint-6") is None


@pytest.mark.parametrize(
    "name", ["../escape", "/etc/passwd", "sub/file", "", ".", "..", "manifest.json", "a\0b"]
)
def test_a_manifest_that_lists_no_file_of_its_own_folder_is_refused(
    observe, folder, save_checkpoint, name
) -> None:
    wrong = FileEntry(path=name, size_bytes=1, blake3="0" * 64)
    save_checkpoint(folder, 5, {}, manifest_files=(wrong,))
    assert "which is no file of a checkpoint" in only_reason(observe())


def test_a_manifest_without_files_is_no_checkpoint(observe, folder, save_checkpoint) -> None:
    save_checkpoint(folder, 5, files={})
    assert only_reason(observe()) == "the manifest lists no file"


def test_a_renamed_checkpoint_is_foreign(observe, folder, save_checkpoint) -> None:
    save_checkpoint(folder, 1000, name="checkpoint-100")
    assert only_reason(observe()) == "the manifest says step 1000, the folder's name says 100"


@pytest.mark.parametrize(
    "name",
    [
        "checkpoint-007",
        "checkpoint--1",
        "checkpoint-5-20260131-1200",
        "checkpoint-best",
        "Checkpoint-5",
        "x\x1b[31m",
    ],
)
def test_a_folder_of_another_name_is_foreign_and_printable(observe, folder, save_checkpoint, name) -> None:
    save_checkpoint(folder, 5, name=name)
    facts = observe()
    assert "the name is not understood" in only_reason(facts)
    assert facts.foreign[0].name.isprintable()


def test_a_checkpoint_of_another_campaign_is_foreign_here(observe, folder, save_checkpoint) -> None:
    save_checkpoint(folder, 5, campaign_uid="bbbb")
    assert only_reason(observe(campaign_uid="aaaa")) == "it belongs to campaign uid bbbb, not aaaa"
    assert [found.step for found in observe().complete] == [5]


def test_a_link_or_a_file_with_a_checkpoints_name_is_foreign(
    observe, folder, save_checkpoint, tmp_path
) -> None:
    elsewhere = save_checkpoint(tmp_path, 5)
    folder.mkdir(parents=True)
    (folder / "checkpoint-5").symlink_to(elsewhere)
    (folder / "checkpoint-6").write_text("")
    facts = observe()
    assert facts.complete == ()
    assert [one.reason for one in facts.foreign] == [
        "is a symbolic link, which is not followed",
        "is not a folder",
    ]


def test_a_folder_reached_through_a_link_is_unknown_not_empty(
    observe, folder, save_checkpoint, tmp_path
) -> None:
    save_checkpoint(tmp_path / "elsewhere", 5)
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path / "elsewhere")
    facts = observe()
    assert facts.complete == ()
    assert facts.problem is not None
    assert "is a symbolic link, which is not followed" in facts.problem


def test_with_a_cache_nothing_is_read_twice_and_every_change_is_seen(
    observe, folder, save_checkpoint
) -> None:
    cache = CheckpointCache()
    save_checkpoint(folder, 5)
    save_checkpoint(folder, 6)
    first = observe(cache=cache)
    second = observe(cache=cache)
    assert [a is b for a, b in zip(first.complete, second.complete, strict=True)] == [True, True]
    (folder / "checkpoint-6" / "model.safetensors").unlink()
    third = observe(cache=cache)
    assert [found.step for found in third.complete] == [5]
    assert only_reason(msgspec.structs.replace(third, complete=())) == "model.safetensors is missing"
    (folder / "checkpoint-5" / "manifest.json").write_bytes(b"{}")
    assert observe(cache=cache).complete == ()


def test_a_cached_checkpoint_is_still_foreign_to_another_campaign(observe, folder, save_checkpoint) -> None:
    cache = CheckpointCache()
    save_checkpoint(folder, 5)
    assert observe(cache=cache, campaign_uid="aaaa").complete
    assert not observe(cache=cache, campaign_uid="bbbb").complete


def test_a_flipped_bit_is_found_by_hashing_the_contents(observe, folder, save_checkpoint) -> None:
    path = save_checkpoint(folder, 5)
    (found,) = observe().complete
    assert verify_contents(path, found.manifest) == ()
    damaged = bytearray((path / "model.safetensors").read_bytes())
    damaged[10] ^= 1
    (path / "model.safetensors").write_bytes(damaged)
    (problem,) = verify_contents(path, found.manifest)
    assert problem.startswith(
        f"model.safetensors has BLAKE3 {blake3(bytes(damaged)).hexdigest()}, the manifest"
    )
    (path / "model.safetensors").unlink()
    (problem,) = verify_contents(path, found.manifest)
    assert problem == "model.safetensors cannot be read: No such file or directory"


def test_what_one_command_found_saves_the_next_one_time_and_never_hides_an_edit(
    observe, folder, save_checkpoint
) -> None:
    kept = MemoryCache()
    path = save_checkpoint(folder, 5)
    first = observe(cache=CheckpointCache(kept))
    assert first == observe() == observe(cache=CheckpointCache(kept))
    edit_manifest(healthy=False)(path)
    assert "manifest.json was changed" in only_reason(observe(cache=CheckpointCache(kept)))
    assert "manifest.json was changed" in only_reason(observe(cache=CheckpointCache(kept)))


def test_a_remembered_checkpoint_whose_file_is_cut_short_in_place_is_foreign(
    observe, folder, save_checkpoint
) -> None:
    kept = MemoryCache()
    path = save_checkpoint(folder, 5)
    observe(cache=CheckpointCache(kept))
    with (path / "model.safetensors").open("r+b") as weights:
        weights.truncate(3)
    assert "3 bytes" in only_reason(observe(cache=CheckpointCache(kept)))


def test_a_cache_entry_that_is_damaged_or_of_another_version_costs_only_time(
    observe, folder, save_checkpoint
) -> None:
    kept = MemoryCache()
    save_checkpoint(folder, 5)
    observe(cache=CheckpointCache(kept))
    for key in list(kept._answers):
        kept.put(key, b'{"checkpoint-5": [[], 1]}')
    assert [found.step for found in observe(cache=CheckpointCache(kept)).complete] == [5]
