"""A copy of the store each day: read back before it has its name, a bounded number of them, whole or not there."""

import signal
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from children import in_child

from state import failpoints
from state.store.backups import KEPT, back_up, names_of
from state.store.connection import open_reader, open_writer
from state.store.rows import CampaignRow
from state.store.tables import put, put_meta, select

DAY = "2026-01-31"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = open_writer(tmp_path / "realm.db")
    row = CampaignRow(uid="u", name="tiny/campaign-001", status="paused", created_at=f"{DAY}T12:00:00Z")
    put(connection, [row])
    put_meta(connection, "epoch", "3")
    yield connection
    connection.close()


def test_a_copy_is_a_store_with_the_same_rows(store: apsw.Connection, tmp_path: Path) -> None:
    made = back_up(store, tmp_path / "backups", DAY)
    assert made == tmp_path / f"backups/realm-{DAY}-e3.db"
    assert made.stat().st_mode & 0o777 == 0o600
    with open_reader(made) as copy:
        assert [row.name for row in select(copy, CampaignRow)] == ["tiny/campaign-001"]


def test_a_day_has_one_copy_whoever_made_it(store: apsw.Connection, tmp_path: Path) -> None:
    assert back_up(store, tmp_path / "backups", DAY) is not None
    put_meta(store, "epoch", "4")
    assert back_up(store, tmp_path / "backups", DAY) is None
    assert names_of(tmp_path / "backups") == [f"realm-{DAY}-e3.db"]


def test_at_most_seven_stay_the_newest_by_epoch_and_day_and_what_is_not_ours(
    store: apsw.Connection, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "mine.db").write_bytes(b"mine")
    (folder / "realm-2099-01-01-e1.db").write_bytes(b"of a clock that was wrong, in an earlier epoch")
    for day in range(1, 11):
        back_up(store, folder, f"2026-02-{day:02d}")
    assert KEPT == 7
    assert names_of(folder) == [f"realm-2026-02-{day:02d}-e3.db" for day in range(4, 11)]
    assert (folder / "mine.db").read_bytes() == b"mine"


def test_todays_copy_stays_though_the_clock_was_set_back(store: apsw.Connection, tmp_path: Path) -> None:
    for day in range(1, 11):
        back_up(store, tmp_path / "backups", f"2026-02-{day:02d}")
    made = back_up(store, tmp_path / "backups", "2026-01-01")
    assert made is not None
    assert made.is_file()
    assert len(names_of(tmp_path / "backups")) == KEPT


@pytest.mark.parametrize("fault", ["kill", "ENOSPC"])
def test_hit_at_any_point_what_has_its_name_is_whole_and_the_next_try_makes_it(
    store: apsw.Connection, tmp_path: Path, fault: str
) -> None:
    points: list[str] = []
    failpoints.observe(points.append)
    try:
        back_up(store, tmp_path / "undisturbed", DAY)
    finally:
        failpoints.observe(None)
    store.close()
    assert len(points) >= 5
    for number in range(1, len(points) + 1):
        folder = tmp_path / f"{fault}-{number}"
        code = struck(tmp_path / "realm.db", folder, number, fault)
        assert code == (-signal.SIGKILL if fault == "kill" else 1)
        again = open_writer(tmp_path / "realm.db")
        back_up(again, folder, DAY)
        again.close()
        assert [path.name for path in folder.iterdir()] == [f"realm-{DAY}-e3.db"]
        with open_reader(folder / f"realm-{DAY}-e3.db") as copy:
            assert len(select(copy, CampaignRow)) == 1


def struck(path: Path, folder: Path, number: int, fault: str) -> int:
    """Back up in a child that is hit at this failpoint; return 1 where it says so."""

    def work() -> int:
        connection = open_writer(path)
        failpoints.arm(number, fault)
        try:
            back_up(connection, folder, DAY)
        except OSError:
            return 1
        return 0

    return in_child(work)
