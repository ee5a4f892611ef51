"""A store that is gone or cannot be read: every command says which file, and what to do."""

import pytest

READERS = (["plan"], ["status"], ["history"], ["get", "runs"], ["pause"], ["apply", "--once"])


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_a_store_that_is_gone_is_not_taken_for_a_new_realm(run, store, command: list[str]) -> None:
    store.layout.epoch.write_text("3\n")
    store.layout.store.unlink()
    result = run(*command)
    assert result.exit_code == 1
    assert f"{store.layout.store} is gone or empty, but this root was in use" in result.stderr
    assert "put it back or restore it from a backup" in result.stderr
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
        assert "restore it from a backup" in result.stderr


def test_doctor_says_that_the_store_is_gone(run, store) -> None:
    store.layout.epoch.write_text("3\n")
    store.layout.store.unlink()
    result = run("doctor")
    assert result.exit_code == 1
    assert "fail  store" in result.stdout
    assert "is gone or empty, but this root was in use" in " ".join(result.stdout.split())
