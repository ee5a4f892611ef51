"""Builders: whole checkpoints, and processes as files of a made-up /proc."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from state.contract.manifest import FileEntry, Manifest, Measures, with_digest
from state.contract.request import CodeVersion

BOOT = "11111111-2222-3333-4444-555555555555"


def make_manifest(step: int, files: dict[str, bytes], /, **changes: object) -> Manifest:
    entries = tuple(
        FileEntry(path=name, size_bytes=len(content), blake3=blake3(content).hexdigest())
        for name, content in sorted(files.items())
    )
    measures = Measures(train_loss=0.5, val_loss=None, learning_rate=0.001, examples_seen=8, tokens_seen=99)
    manifest = Manifest(
        campaign_uid="aaaa", campaign="tiny/campaign-001", segment=1, step=step, parent_step=None,
        parent_digest=None, created_at="2026-01-31T12:00:00Z", generation=1, attempt=1,
        config_hash="sha256:" + "0" * 64, code_version=CodeVersion(source="git", commit="c" * 40),
        specs_commit="d" * 40, optimizer="adamw", healthy=True, quest_id=None, cursor=(), learnt=(),
        measures=measures, files=entries, digest="",
    )  # fmt: skip
    return with_digest(msgspec.structs.replace(manifest, **changes))


@pytest.fixture
def save_checkpoint() -> Callable[..., Path]:
    def save(
        folder: Path, step: int, files: dict[str, bytes] | None = None, name: str = "", **changes: object
    ) -> Path:
        files = files if files is not None else {"model.safetensors": b"weights" * 9, "cursor.json": b"{}"}
        path = folder / (name or f"checkpoint-{step}")
        path.mkdir(parents=True)
        for file_name, content in files.items():
            (path / file_name).write_bytes(content)
        if "manifest_files" in changes:
            changes["files"] = changes.pop("manifest_files")
        (path / "manifest.json").write_bytes(msgspec.json.encode(make_manifest(step, files, **changes)))
        return path

    return save


class FakeProc:
    """A process table made of files, laid out as in proc(5)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "sys/kernel/random").mkdir(parents=True)
        (folder / "sys/kernel/random/boot_id").write_text(BOOT + "\n")
        (folder / str(os.getpid())).mkdir()
        (folder / "self").symlink_to(str(os.getpid()))

    def add(
        self,
        pid: int,
        *,
        start: int = 500,
        state: str = "S",
        cookie: str = "",
        name: str = "python",
        parent: int = 1,
    ) -> None:
        (self.folder / str(pid)).mkdir()
        between = " ".join(["0"] * 17)
        line = f"{pid} ({name}) {state} {parent} {between} {start} 0 0\n"
        (self.folder / str(pid) / "stat").write_text(line)
        environ = b"HOME=/x\0" + (f"REALM_RUN_COOKIE={cookie}\0".encode() if cookie else b"")
        (self.folder / str(pid) / "environ").write_bytes(environ)


@pytest.fixture
def fake_proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path / "proc")
