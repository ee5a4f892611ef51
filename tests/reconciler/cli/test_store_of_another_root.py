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


@pytest.fixture
def own(resting: Any, root: Path) -> Path:
    """Return a copy of the root's own store, of a realm with three checkpoints."""
    resting({}, (1, 2, 3))
    shutil.copy(root / "realm.db", root.parent / "own.db")
    return root.parent / "own.db"


def put_meta(root: Path, key: str, value: str) -> None:
    with closing(apsw.Connection(str(root / "realm.db"))) as store:
        store.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))


def causes(run: Any) -> list[str]:
    plan = json.loads(run("plan", "--json").stdout)
    return [one["message"] for one in plan["blocked"] if one["code"] == "store-older"]


def test_a_store_with_another_uid_deletes_nothing_until_it_is_made_again(own: Path, run, root: Path) -> None:
    assert causes(run) == []
    put_meta(root, "store_uid", "feed" * 4)
    (message,) = causes(run)
    assert "or that of another root: it is store feedfeedfeedfeed, the files beside it are of " in message
    assert run("apply", "--until-converged").exit_code == 3
    assert len(causes(run)) == 1
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
