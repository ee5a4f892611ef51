"""Whether a store was written to since is known without reading it, and a doubt is no answer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from state.store.standing import Standing
from state.store.tables import get_meta, put_meta
from state.store.writer import Writer


@pytest.fixture
def standing(path: Path) -> Iterator[Standing]:
    standing = Standing(path)
    yield standing
    standing.close()


def write(writer: Writer, value: str) -> None:
    with writer.transaction() as store:
        put_meta(store, "realm_uid", value)


def test_a_store_that_nobody_writes_to_stands_as_it_was(writer, standing) -> None:
    write(writer, "a")
    first = standing.mark()
    assert first is not None
    with writer.transaction() as store:
        assert get_meta(store, "realm_uid") == "a"
    assert [standing.mark(), standing.mark()] == [first, first]


def test_every_transaction_that_writes_is_seen_and_none_waits_for_the_look(writer, standing) -> None:
    marks = []
    for value in ("a", "b", "b again", "a"):
        write(writer, value)
        marks.append(standing.mark())
    assert None not in marks
    assert len(set(marks)) == len(marks)


def test_another_store_in_its_place_is_seen(writer, standing, path, tmp_path) -> None:
    write(writer, "a")
    before = standing.mark()
    shutil.copyfile(path, tmp_path / "copy.db")
    (tmp_path / "copy.db").replace(path)
    assert standing.mark() not in (None, before)


def test_of_a_store_that_is_gone_nothing_is_known(writer, standing, path) -> None:
    assert standing.mark() is not None
    path.unlink()
    assert standing.mark() is None


@pytest.mark.parametrize("version", [1, 9999])
def test_of_a_store_of_another_version_nothing_is_known(writer, path, version) -> None:
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", version)
    connection.close()
    assert Standing(path).mark() is None


def test_of_a_file_that_is_no_store_nothing_is_known(path) -> None:
    path.write_bytes(b"x" * 4096)
    assert Standing(path).mark() is None
