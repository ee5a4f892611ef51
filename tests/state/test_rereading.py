"""A file is read again as the disk has it, a block at a time."""

import os
from pathlib import Path

import pytest
from blake3 import blake3

from state import rereading
from state.rereading import Rereading

CONTENT = os.urandom(3 * 4096 + 17)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "weights"
    path.write_bytes(CONTENT)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return path


def read_whole(file: Rereading) -> str:
    while file.read_on():
        pass
    digest = file.hexdigest()
    file.close()
    return digest


def test_a_file_that_is_left_and_gone_on_with_has_the_digest_of_its_bytes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "BLOCK_BYTES", 4096)
    file = Rereading(os.open(path, os.O_RDONLY))

    assert [file.read_on(), file.read_on()] == [4096, 4096]
    assert file.offset == 8192
    assert read_whole(file) == blake3(CONTENT).hexdigest()


def test_a_flipped_bit_gives_another_digest(path: Path) -> None:
    changed = bytearray(CONTENT)
    changed[4096] ^= 1
    path.write_bytes(changed)

    assert read_whole(Rereading(os.open(path, os.O_RDONLY))) != blake3(CONTENT).hexdigest()


def test_what_stays_in_the_cache_is_read_around_it_and_has_the_same_digest(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "_stays_cached", lambda _descriptor: True)

    file = Rereading(os.open(path, os.O_RDONLY))

    assert read_whole(file) == blake3(CONTENT).hexdigest()


def test_a_file_in_memory_says_so_and_is_read_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "_stays_cached", lambda _descriptor: True)
    monkeypatch.setattr(rereading, "_is_read_around", lambda _descriptor: False)

    file = Rereading(os.open(path, os.O_RDONLY))

    assert file.is_from_memory
    assert read_whole(file) == blake3(CONTENT).hexdigest()
