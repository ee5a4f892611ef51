"""A root that is a copy of another one, or of another realm: every command that looks says so, apply refuses it."""

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from state.lock import read_epoch


@pytest.fixture
def used(resting: Any, run: Any, root: Path) -> Path:
    """A root with three checkpoints in which apply took office."""
    resting({}, (1, 2, 3))
    assert run("apply", "--until-converged").exit_code in (0, 3)
    return root


@pytest.fixture
def run_in(run: Any) -> Any:
    """Run a command with another root."""
    return lambda place, *arguments: run("--root", str(place), *arguments)


def plain(text: str) -> str:
    return " ".join(text.split())


def root_blocked(done: Any) -> list[str]:
    plan = json.loads(done.stdout)
    assert plan["changes"] == [] or not plan["blocked"]
    return [one["code"] for one in plan["blocked"] if one["subject"] == "root"]


def test_a_copy_of_a_root_is_refused_while_the_first_lies_there_and_goes_on_once_it_is_gone(
    used: Path, run_in: Any
) -> None:
    copy = Path(shutil.copytree(used, used.with_name("copy"), symlinks=True))
    epoch = read_epoch(copy / "control/epoch")
    said = f"the root {copy} is a copy of {used}, which is there still"

    done = run_in(copy, "apply", "--once")

    assert (done.exit_code, read_epoch(copy / "control/epoch")) == (1, epoch)
    assert said in plain(done.stderr)
    assert root_blocked(run_in(copy, "plan", "--json")) == ["root-is-a-copy"]
    for verb in ("plan", "status", "doctor"):
        assert said in plain(run_in(copy, verb).output), verb
    assert root_blocked(run_in(used, "plan", "--json")) == []

    used.rename(used.with_name("moved-away"))
    assert run_in(copy, "apply", "--once").exit_code in (0, 3)


WISHES = (
    ("pause",),
    ("resume",),
    ("stop",),
    ("checkpoint",),
    ("scrub",),
    ("export", "pip/campaign-001@latest", "--to", "{elsewhere}"),
    ("archive", "mu/campaign-001"),
    ("rewind", "pip/campaign-001@2", "--why", "better"),
    ("start-over", "pip"),
)


def test_a_copy_of_a_root_takes_no_wish_and_no_commit(
    used: Path, run_in: Any, git: Any, lab: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(used, used.with_name("copy"), symlinks=True))
    commit = git(lab, "rev-parse", "HEAD")

    for wish in WISHES:
        done = run_in(copy, *(word.format(elsewhere=tmp_path) for word in wish))

        assert done.exit_code == 1, (wish, done.output)
        assert f"the root {copy} is a copy of {used}, which is there still" in plain(done.stderr), wish
        assert "nothing was done" in plain(done.stderr), wish
    with closing(apsw.Connection(str(copy / "realm.db"))) as store:
        assert store.execute("SELECT count(*) FROM requests").fetchone() == (0,)
    assert git(lab, "rev-parse", "HEAD") == commit


def test_a_root_that_was_moved_or_is_seen_by_another_name_is_the_same(used: Path, run_in: Any) -> None:
    moved, link = used.with_name("moved"), used.with_name("link")
    used.rename(moved)
    link.symlink_to(moved)
    assert root_blocked(run_in(moved, "plan", "--json")) == []
    assert run_in(moved, "apply", "--once").exit_code in (0, 3)
    assert root_blocked(run_in(link, "plan", "--json")) == []


def test_a_root_that_was_moved_from_where_nobody_may_look_goes_on(
    used: Path, run_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = used.rename(used.with_name("moved"))
    is_dir = Path.is_dir

    def refused(path: Path) -> bool:
        if path == used:
            raise PermissionError(13, "Permission denied", str(path))
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", refused)
    assert root_blocked(run_in(moved, "plan", "--json")) == []
    assert run_in(moved, "apply", "--once").exit_code in (0, 3)


def test_the_root_of_another_realm_is_named_by_whoever_looks(used: Path, run_in: Any) -> None:
    with closing(apsw.Connection(str(used / "realm.db"))) as store:
        store.execute("UPDATE meta SET value = 'elsewhere' WHERE key = 'realm_id'")
    assert root_blocked(run_in(used, "plan", "--json")) == ["root-of-another-realm"]
    for verb in ("plan", "status", "doctor"):
        assert "belongs to realm elsewhere, not lab" in plain(run_in(used, verb).output), verb


def test_stores_without_a_uid_are_told_apart_by_the_uids_of_their_realms(used: Path, run_in: Any) -> None:
    mirror = used / "control/written"
    mirror.write_text(" ".join(mirror.read_text().split()[:2]) + "\n")
    with closing(apsw.Connection(str(used / "realm.db"))) as store:
        store.execute("DELETE FROM meta WHERE key = 'store_uid'")
        assert "of another root" not in plain(run_in(used, "plan").output)
        store.execute("UPDATE meta SET value = 'feedfeedfeedfeed' WHERE key = 'realm_uid'")
    for verb in ("plan", "status", "doctor"):
        told = plain(run_in(used, verb).output)
        assert "or that of another root: it is of realm feedfeedfeedfeed, the files beside it" in told, verb
    done = run_in(used, "apply", "--once")
    assert (done.exit_code, "but that of another root: nothing was done" in plain(done.stderr)) == (1, True)
