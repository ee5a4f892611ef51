"""The store of another root is put in: it is named and nothing is deleted by what it says, or it is refused."""

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from state.layout import Layout
from state.lock import read_epoch
from state.store.connection import open_reader
from state.store.rows import CampaignRow
from state.store.tables import select


@pytest.fixture
def own(resting: Any, root: Path) -> Path:
    """Return a copy of the root's own store, of a realm with three checkpoints."""
    resting({}, (1, 2, 3))
    shutil.copy(root / "realm.db", root.parent / "own.db")
    return root.parent / "own.db"


def put_meta(root: Path, key: str, value: str) -> None:
    with closing(apsw.Connection(str(root / "realm.db"))) as store:
        store.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))


def rows(root: Path) -> list[CampaignRow]:
    with open_reader(root / "realm.db") as store:
        return select(store, CampaignRow)


def causes(run: Any) -> list[str]:
    plan = json.loads(run("plan", "--json").stdout)
    return [one["message"] for one in plan["blocked"] if one["code"] == "store-older"]


def assert_refused_and_untouched(run: Any, root: Path) -> None:
    before = (
        (root / "campaigns/pip/campaign-001/campaign.json").read_bytes(),
        (root / "control/epoch").read_text(),
    )
    done = run("apply", "--until-converged")
    assert done.exit_code == 1
    assert "but that of another root: nothing was done" in " ".join(done.stderr.split())
    after = (
        (root / "campaigns/pip/campaign-001/campaign.json").read_bytes(),
        (root / "control/epoch").read_text(),
    )
    assert after == before


def test_no_row_of_the_store_of_another_root_is_taken_for_this_roots_own(own: Path, run, root: Path) -> None:
    put_meta(root, "store_uid", "feed" * 4)
    with closing(apsw.Connection(str(root / "realm.db"))) as store:
        store.execute("UPDATE campaigns SET uid = 'other-' || uid")
    assert run("doctor", "--rebuild").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert rows(root)
    assert not [row for row in rows(root) if row.uid.startswith("other-")]


def test_a_store_without_a_uid_beside_files_with_one_is_not_this_roots_own(
    own: Path, run, root: Path
) -> None:
    with closing(apsw.Connection(str(root / "realm.db"))) as store:
        store.execute("DELETE FROM meta WHERE key = 'store_uid'")
        store.execute("UPDATE meta SET value = '999' WHERE key = 'epoch'")
    (message,) = causes(run)
    assert "or that of another root: it has no uid, the files beside it are of " in message
    assert_refused_and_untouched(run, root)
    assert run("doctor", "--rebuild").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0


def test_a_realm_of_an_older_version_is_its_own(own: Path, run, root: Path) -> None:
    with closing(apsw.Connection(str(root / "realm.db"))) as store:
        store.execute("DELETE FROM meta WHERE key IN ('store_uid', 'has_mirror')")
    mirror = root / "control/written"
    mirror.write_text(" ".join(mirror.read_text().split()[:2]) + "\n")
    assert causes(run) == []
    assert run("apply", "--until-converged").exit_code == 0
    with closing(apsw.Connection(str(root / "realm.db"))) as store:
        store.execute("DELETE FROM meta WHERE key IN ('store_uid', 'has_mirror', 'num_writes')")
    mirror.unlink()
    assert causes(run) == []
    assert run("apply", "--until-converged").exit_code == 0
    assert causes(run) == []


def test_a_store_with_another_uid_deletes_nothing_until_it_is_made_again(own: Path, run, root: Path) -> None:
    assert causes(run) == []
    put_meta(root, "store_uid", "feed" * 4)
    (message,) = causes(run)
    assert "or that of another root: it is store feedfeedfeedfeed, the files beside it are of " in message
    assert_refused_and_untouched(run, root)
    assert run("doctor", "--rebuild").exit_code == 0
    assert causes(run) == []
    assert run("apply", "--until-converged").exit_code == 0
    assert causes(run) == []


def test_the_store_of_another_realm_is_refused_before_anything_is_written(own: Path, run, root: Path) -> None:
    epoch = read_epoch(Layout(root).epoch)
    put_meta(root, "realm_id", "elsewhere")
    done = run("apply", "--once")
    assert done.exit_code == 1
    assert "belongs to realm elsewhere, not lab" in " ".join(done.stderr.split())
    assert read_epoch(Layout(root).epoch) == epoch
    shutil.copy(own, root / "realm.db")
    assert causes(run) == []
    assert run("apply", "--until-converged").exit_code == 0
