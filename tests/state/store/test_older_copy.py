"""How far a store is written, said beside it: an older copy of the same epoch shows, what a kill leaves does not."""

import shutil
from pathlib import Path

import apsw
import pytest

from state.store.backups import back_up
from state.store.connection import open_reader, open_writer
from state.store.older_copy import UNSAID, Written, last_written, read_written, why_older, written
from state.store.tables import put_meta
from state.store.writer import LostLock, Writer


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "control/written"


@pytest.fixture
def take_office(path: Path, mirror: Path):
    def make(epoch: int = 0) -> Writer:
        return Writer(open_writer(path), last_written(epoch, mirror), mirror=mirror)

    return make


def note(writer: Writer, value: str) -> None:
    with writer.transaction() as store:
        put_meta(store, "noted", value)


def fail_to_note(writer: Writer) -> None:
    with writer.transaction() as store:
        put_meta(store, "noted", "lost")
        raise ValueError("no note")


def why(path: Path, last: Written) -> str | None:
    with open_reader(path) as store:
        return why_older(store, last)


def test_each_transaction_that_changes_something_counts_and_no_other(take_office, path: Path) -> None:
    writer = take_office()
    note(writer, "a")
    with writer.transaction():
        pass
    with pytest.raises(ValueError, match="no note"):
        fail_to_note(writer)
    note(writer, "b")
    writer.close()
    with open_reader(path) as store:
        assert written(store)[:2] == (1, 2)


def test_a_copy_of_the_same_epoch_is_older_once_more_was_written_and_said(
    take_office, path: Path, mirror: Path, tmp_path: Path
) -> None:
    writer = take_office()
    note(writer, "a")
    copy = back_up(writer._connection, tmp_path / "copies", "2026-01-31")
    note(writer, "b")
    writer.mirror()
    writer.close()
    assert read_written(mirror)[:2] == (1, 2)
    assert why(path, last_written(1, mirror)) is None
    assert why(copy, last_written(1, mirror)) == "it was written to 1 times, the last one 2 times"
    shutil.copy(copy, path)
    assert take_office(1).is_older_copy
    assert take_office(2).is_older_copy


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    (tmp_path / "campaigns").mkdir()
    return tmp_path / "campaigns/.written"


def test_a_copy_that_was_put_back_with_its_mirror_is_older_by_the_witness(
    path: Path, mirror: Path, witness: Path, tmp_path: Path
) -> None:
    writer = Writer(open_writer(path), mirror=mirror, witness=witness)
    note(writer, "a")
    writer.mirror()
    copy = back_up(writer._connection, tmp_path / "copies", "2026-01-31")
    before = mirror.read_bytes()
    note(writer, "b")
    writer.close()
    assert witness.read_bytes() == mirror.read_bytes() != before
    assert why(path, last_written(1, mirror, witness)) is None

    shutil.copy(copy, path)
    mirror.write_bytes(before)
    last = last_written(1, mirror, witness)
    assert why(path, last) == "it was written to 1 times, the last one 2 times"
    again = Writer(open_writer(path), last, mirror=mirror, witness=witness)
    note(again, "c")
    again.close()
    assert again.is_older_copy
    assert witness.read_bytes() == mirror.read_bytes()


def test_a_witness_that_lags_or_is_of_another_root_names_no_whole_store(
    path: Path, mirror: Path, witness: Path
) -> None:
    writer = Writer(open_writer(path), mirror=mirror, witness=witness)
    note(writer, "a")
    writer.mirror()
    early = witness.read_bytes()
    note(writer, "b")
    writer.mirror()
    witness.write_bytes(early)  # a kill came between the two files
    assert why(path, last_written(1, mirror, witness)) is None
    for content in (b"9 99 another\n", b"9 99\n", b"9", b""):
        witness.write_bytes(content)
        assert why(path, last_written(1, mirror, witness)) is None
    witness.write_bytes(b"9 99 another\n")
    note(writer, "c")
    writer.close()
    assert witness.read_bytes() == mirror.read_bytes()


def test_a_kill_before_it_is_said_leaves_no_older_copy(take_office, path: Path, mirror: Path) -> None:
    writer = take_office()
    note(writer, "a")
    writer.mirror()
    note(writer, "b")
    writer._connection.close()  # killed: nothing says the second one
    assert read_written(mirror)[:2] == (1, 1)
    assert why(path, last_written(1, mirror)) is None
    assert not take_office(1).is_older_copy


def test_a_store_that_was_never_counted_is_no_older_copy(take_office, path: Path, mirror: Path) -> None:
    take_office().close()
    connection = apsw.Connection(str(path))
    assert connection.execute("SELECT count(*) FROM meta WHERE key = 'num_writes'").fetchone() == (0,)
    connection.close()
    assert not mirror.exists()
    assert why(path, last_written(1, mirror)) is None
    writer = take_office(1)
    note(writer, "a")
    writer.close()
    assert (writer.is_older_copy, read_written(mirror)[:2]) == (False, (2, 1))


@pytest.mark.parametrize("content", [b"", b"7", b"-1 5", b"1 many", b"\xff\xfe", b"1 2 3 4", b"9" * 100])
def test_a_store_whose_mirror_is_damaged_or_gone_may_be_an_older_copy_until_it_is_made_again(
    take_office, path: Path, mirror: Path, content: bytes
) -> None:
    writer = take_office()
    note(writer, "a")
    writer.mirror()
    note(writer, "b")  # from here on the store knows of the mirror
    writer.close()
    assert why(path, last_written(1, mirror)) is None
    mirror.write_bytes(content)
    assert last_written(4, mirror) == Written(4, UNSAID)
    damaged = why(path, last_written(1, mirror))
    assert (
        damaged == "or it may be one: control/written, which said how far it was written, is gone or damaged"
    )
    mirror.unlink()
    assert why(path, last_written(1, mirror)) == damaged
    assert take_office(1).is_older_copy
    path.unlink()
    remade = Writer(open_writer(path), Written(1, UNSAID), is_remade=True, mirror=mirror)
    note(remade, "a")
    remade.close()
    assert (remade.is_older_copy, why(path, last_written(2, mirror))) == (False, None)


def test_a_store_that_never_had_a_mirror_needs_none(take_office, path: Path, mirror: Path) -> None:
    writer = take_office()
    note(writer, "a")
    writer._connection.close()  # killed before the mirror was written for the first time
    assert why(path, last_written(1, mirror)) is None
    assert not take_office(1).is_older_copy


def test_a_folder_in_the_place_of_the_mirror_stops_nothing(take_office, mirror: Path) -> None:
    mirror.mkdir(parents=True)
    writer = take_office()
    note(writer, "a")
    writer.mirror()
    writer.close()
    assert read_written(mirror).writes == UNSAID
    assert not take_office(1).is_older_copy


def test_nothing_is_written_to_an_older_copy_that_is_put_back_under_a_living_reconciler(
    take_office, path: Path, mirror: Path, tmp_path: Path
) -> None:
    writer = take_office()
    note(writer, "a")
    copy = back_up(writer._connection, tmp_path / "copies", "2026-01-31")
    note(writer, "b")
    shutil.copy(copy, path)
    with pytest.raises(LostLock, match="an older copy of the store was put back while"):
        note(writer, "c")
    writer.close()
    assert path.read_bytes() == copy.read_bytes()
    assert why(path, last_written(1, mirror)) is not None


def test_who_was_taken_over_says_nothing_above_the_later_one(take_office, mirror: Path) -> None:
    first = take_office()
    note(first, "a")
    note(first, "b")
    second = take_office(1)
    note(second, "c")
    second.close()
    first.close()
    assert read_written(mirror)[:2] == (2, 3)


def test_a_store_that_is_made_again_is_not_behind_what_it_is_made_from(path: Path, mirror: Path) -> None:
    last = Written(7, 500)
    remade = Writer(open_writer(path), last._replace(epoch=6), is_remade=True)
    assert not remade.is_older_copy
    note(remade, "a")
    remade.close()
    assert why(path, last) is None


def test_the_store_of_another_root_shows_however_far_it_was_written(
    take_office, path: Path, mirror: Path, tmp_path: Path
) -> None:
    writer = take_office()
    note(writer, "a")
    writer.close()
    own, other = read_written(mirror), tmp_path / "other.db"
    elsewhere = Writer(open_writer(other), Written(6))
    for value in "abc":
        note(elsewhere, value)
    elsewhere.close()
    shutil.copy(other, path)
    assert "or that of another root: it is store " in why(path, last_written(1, mirror))
    writer = take_office(1)
    note(writer, "d")
    writer.close()
    assert writer.is_older_copy
    assert read_written(mirror).uid == own.uid  # whose the files are does not change with the store
    remade = Writer(open_writer(tmp_path / "remade.db"), read_written(mirror), is_remade=True)
    remade.close()
    assert why(tmp_path / "remade.db", last_written(remade.epoch, mirror)) is None


def test_nothing_is_written_to_the_store_of_another_root_that_is_put_in_under_a_living_reconciler(
    take_office, path: Path, tmp_path: Path
) -> None:
    writer, other = take_office(), tmp_path / "other.db"
    note(writer, "a")
    elsewhere = Writer(open_writer(other))
    note(elsewhere, "b")
    note(elsewhere, "c")
    elsewhere.close()
    content = other.read_bytes()
    shutil.copy(other, path)
    with pytest.raises(LostLock, match="the store of another root was put in the place of this one"):
        note(writer, "d")
    writer.close()
    assert path.read_bytes() == content


def test_the_mirror_of_an_older_version_names_no_store(take_office, path: Path, mirror: Path) -> None:
    take_office().close()
    mirror.parent.mkdir()
    mirror.write_text("1 0\n")
    assert (read_written(mirror), why(path, last_written(1, mirror))) == (Written(1, 0), None)
