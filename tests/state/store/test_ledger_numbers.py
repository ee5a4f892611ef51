"""Numbers of the ledger after an older copy of the store was put back: none is given twice."""

from pathlib import Path

from state.store.connection import open_writer
from state.store.tables import get_meta
from state.store.writer import Writer, next_number


def after(path: Path, *newest: int | None) -> tuple[int, str | None]:
    """Return the next number, and what was noted, after taking office with each of these newest numbers."""
    for number in newest:
        writer = Writer(open_writer(path), newest_number=number)
        with writer.transaction() as store:
            found = next_number(store), get_meta(store, "newest_number")
        writer.close()
    return found


def test_numbers_go_on_above_the_newest_that_was_given(tmp_path: Path) -> None:
    assert after(tmp_path / "store.db", 7) == (8, "7")


def test_a_number_that_the_store_is_past_is_not_noted(tmp_path: Path) -> None:
    assert after(tmp_path / "store.db", 0) == (1, None)
    assert after(tmp_path / "other.db", 7, 3) == (8, "7")


def test_nothing_is_noted_where_no_number_is_known(tmp_path: Path) -> None:
    assert after(tmp_path / "store.db", None) == (1, None)
