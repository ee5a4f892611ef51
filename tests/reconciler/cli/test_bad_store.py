"""A store that is gone or cannot be read: every command says which file, and what to do."""

import os
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from reconciler.cli.failures import _of_system
from state.atomic import append_line
from state.store import connection
from state.store.troubles import in_words

READERS = (["plan"], ["status"], ["history"], ["get", "runs"], ["pause"], ["apply", "--once"])


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_a_store_that_is_gone_is_not_taken_for_a_new_realm(run, store, command: list[str]) -> None:
    store.layout.epoch.write_text("3\n")
    store.layout.store.unlink()
    result = run(*command)
    assert result.exit_code == 1
    assert f"{store.layout.store} is gone or empty, but this root was in use" in result.stderr
    assert "put it back, or let reconcile doctor --rebuild make it again" in result.stderr
    assert not store.layout.store.exists()


def test_a_store_of_no_bytes_is_not_taken_for_a_new_realm(run, store) -> None:
    store.layout.epoch.write_text("3\n")
    store.layout.store.write_bytes(b"")
    for command in (["plan"], ["apply", "--once"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "is gone or empty, but this root was in use" in result.stderr


def test_an_older_store_that_was_put_back_is_named(run, store) -> None:
    store.layout.epoch.write_text("300\n")
    assert "an older copy that was put back" in " ".join(run("doctor").stdout.split())


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_a_store_that_is_cut_short_is_named_with_what_to_do(run, store, command: list[str]) -> None:
    with store.layout.store.open("r+b") as file:
        file.truncate(5000)
    result = run(*command)
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    if command[0] != "apply":
        assert f"{store.layout.store} cannot be read: database disk image is malformed" in result.stderr
        assert "reconcile doctor --rebuild makes it again" in result.stderr


def test_doctor_says_that_the_store_is_gone(run, store) -> None:
    store.layout.epoch.write_text("3\n")
    store.layout.store.unlink()
    result = run("doctor")
    assert result.exit_code == 1
    assert "fail  store" in result.stdout
    assert "is gone or empty, but this root was in use" in " ".join(result.stdout.split())


@pytest.mark.parametrize("command", [["status"], ["pause"], ["plan"], ["apply", "--once"]], ids=" ".join)
def test_a_store_that_another_program_has_locked_is_named_with_who_to_look_for(
    run, store, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr(connection, "BUSY_MILLISECONDS", 50)
    with closing(apsw.Connection(str(store.layout.store))) as other:
        other.execute("BEGIN EXCLUSIVE")
        result = run(*command)
    assert result.exit_code == 1
    told = " ".join(result.stderr.split())
    assert f"{store.layout.store}: another program has locked it for more than 10 s" in told
    assert f"wait until it is done (who: fuser {store.layout.store}), then run this again" in told


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (apsw.FullError("database or disk is full"), "/r/realm.db: no space left on its disk"),
        (
            apsw.ReadOnlyError("attempt to write"),
            "/r/realm.db: cannot be written (attempt to write); ask whom",
        ),
        (apsw.IOError("disk I/O error"), "/r/realm.db: its disk, or the way to it, is failing"),
        (apsw.CorruptError("malformed"), "/r/realm.db cannot be read: malformed; see reconcile doctor"),
    ],
)
def test_what_is_wrong_with_the_store_is_told_with_its_file_and_what_to_do(error, said: str) -> None:
    assert said in in_words(error, Path("/r/realm.db"))


def test_a_full_disk_is_told_with_the_file_that_had_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    write = os.write
    with Path("/dev/full").open("wb", buffering=0) as full, monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda _descriptor, content: write(full.fileno(), content))
        with pytest.raises(OSError, match=f"No space left on device: '{file}'") as caught:
            append_line(file, b"a line")
    assert _of_system(caught.value).startswith(f"{file}: No space left on device; free some space there")
