"""`doctor --fix`: what is safe is done and told, all is looked at again, and what is left says who mends it."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest
from cleanup_words import plain

from state.layout import Layout
from state.lock import hold_lock
from state.store import connection

ONE = "pip/campaign-001"


@pytest.fixture
def realm(resting: Callable[..., Path]) -> Path:
    """The folder of three recorded checkpoints of a campaign that rests."""
    return resting({}, (100, 200, 300))


def damage(checkpoints: Path, step: int) -> Path:
    """Change one byte of a checkpoint; return its folder."""
    weights = checkpoints / f"checkpoint-{step}" / "model.safetensors"
    weights.chmod(0o600)
    weights.write_bytes(b"weighty")
    return weights.parent


def fixed(run: Any) -> tuple[int, list[tuple[str, str, str]], dict[str, Any]]:
    """Return the exit code, what was tried (check, what, outcome), and what the checks say afterwards."""
    done = run("doctor", "--fix", "--json")
    found = json.loads(done.stdout)
    tried = [(one["check"], one["fix"]["does"], one["outcome"]) for one in found["fixes"]]
    return done.exit_code, tried, {one["name"]: one for one in found["checks"]}


def planned(run: Any) -> object:
    found = json.loads(run("plan", "--json").stdout)
    return found["changes"], found["blocked"]


def lose(store: Path) -> None:
    store.unlink()


def cut_short(store: Path) -> None:
    with store.open("r+b") as file:
        file.truncate(5000)


def overwrite(store: Path) -> None:
    store.write_bytes(b"this is no database, whatever its name says" * 40)


@pytest.mark.parametrize("hurt", [lose, cut_short, overwrite])
def test_a_store_that_is_lost_or_damaged_is_made_again(
    run: Any, realm: Path, root: Path, hurt: Callable[[Path], None]
) -> None:
    before = planned(run)
    hurt(root / "realm.db")
    assert "1 fix can be done at once: reconcile doctor --fix" in plain(run("doctor").stdout)

    done = run("doctor", "--fix")

    told = plain(done.stdout)
    assert (done.exit_code, told.startswith("done store: ")) == (0, True), told
    assert f"it was made again from the files under {root}" in told
    assert "reconcile doctor --fix" not in told
    assert "ok store whole" in told
    assert planned(run) == before


def test_an_older_copy_that_was_put_back_is_made_again(
    run: Any, realm: Path, root: Path, publish: Callable[..., None]
) -> None:
    older = shutil.copy2(root / "realm.db", root.with_name("older.db"))
    publish(realm, 400)
    run("apply", "--once")
    before = planned(run)
    shutil.copy2(older, root / "realm.db")

    code, tried, checks = fixed(run)

    assert (code, tried) == (0, [("store", "rebuild", "done")])
    assert checks["store"]["state"] == "ok"
    assert planned(run) == before


def test_what_needs_the_lock_waits_for_a_reconciler_that_is_at_work(
    run: Any, realm: Path, root: Path
) -> None:
    cut_short(root / "realm.db")
    before = (root / "realm.db").read_bytes()
    with hold_lock(Layout(root).lock, command="reconcile apply", since="2026-01-31T12:00:00Z"):
        done = run("doctor", "--fix")
        told = plain(done.stdout)
    assert (done.exit_code, told.startswith("blocked store: another reconciler holds")) == (3, True), told
    assert "fail store" in told
    assert (root / "realm.db").read_bytes() == before


def test_a_store_that_another_program_has_locked_is_not_made_again(
    run: Any, realm: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_MILLISECONDS", 50)
    before = sorted(path.name for path in root.iterdir())
    with closing(apsw.Connection(str(root / "realm.db"))) as other:
        other.execute("BEGIN EXCLUSIVE")
        code, tried, checks = fixed(run)
        rebuilt = run("doctor", "--rebuild")
    assert (code, tried, checks["store"]["fix"]) == (1, [], None)
    assert checks["store"]["mend"].startswith("wait until it is done (who: fuser ")
    assert (rebuilt.exit_code, "another program has locked it" in rebuilt.stderr) == (1, True)
    assert [path.name for path in root.glob("realm.db.*")] == []
    assert sorted(path.name for path in root.iterdir() if path.suffix != ".db-journal") == [
        name for name in before if not name.endswith(".db-journal")
    ]


def test_a_damaged_checkpoint_is_asked_to_be_read_again_once(run: Any, realm: Path) -> None:
    folder = damage(realm, 300)

    first = plain(run("doctor", "--fix").stdout)
    code, tried, checks = fixed(run)

    asked = f"asked checkpoint: asked to read {ONE}@300 again (request 1): the next reconcile apply does it"
    assert first.startswith(asked)
    assert (code, tried) == (1, [])
    assert checks["checkpoint"]["mend"].startswith(
        "request 1 asks to read it again: the next reconcile apply"
    )
    assert folder.is_dir()
    run("apply", "--until-converged")
    assert [path.name for path in realm.glob(".damaged-300-*")] != []
    code, tried, _ = fixed(run)
    assert (code, tried) == (1, [])  # no other copy: only a person can mend it


def test_a_damaged_checkpoint_is_mended_from_a_copy_that_was_away_when_it_was_found(
    run: Any, realm: Path, tmp_path: Path
) -> None:
    (disk := tmp_path / "disk").mkdir()
    run("export", f"{ONE}@300", "--to", str(disk))
    assert run("apply", "--until-converged").exit_code == 0
    disk.rename(tmp_path / "unplugged")
    damage(realm, 300)
    run("scrub", f"{ONE}@300")
    for _ in range(2):
        run("apply", "--once")
    (tmp_path / "unplugged").rename(disk)

    code, tried, _ = fixed(run)

    assert (code, tried) == (1, [("checkpoint", "scrub", "asked")])
    done = run("apply", "--until-converged")
    assert done.exit_code == 0, done.output
    assert (realm / "checkpoint-300/model.safetensors").read_bytes() == b"weights"
    assert run("doctor").exit_code == 0


def test_a_copy_of_the_store_that_is_late_is_made(
    run: Any, realm: Path, root: Path, publish: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    backups = Layout(root).backups
    shutil.rmtree(backups)
    backups.write_text("what somebody put there")
    pass_time(3 * 24 * 3600)
    publish(realm, 400)
    run("apply", "--once")
    in_the_way = fixed(run)
    assert in_the_way[1] == [("store", "copy", "failed")]
    assert (in_the_way[0], in_the_way[2]["store"]["state"]) == (1, "warn")
    backups.unlink()

    code, tried, checks = fixed(run)

    assert (code, tried) == (0, [("store", "copy", "done")])
    assert checks["store"]["state"] == "ok"
    (made,) = backups.glob("realm-*-e*.db")
    assert made.read_bytes()[:15] == b"SQLite format 3"


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ("realm.json", "realm.json"),
        ("campaigns", "campaigns/"),
        ("manifests", "manifests/"),
        ("", "realm.json"),
    ],
)
def test_files_of_rows_that_are_gone_are_written_again(
    run: Any, realm: Path, root: Path, lost: str, told: str
) -> None:
    rows = Layout(root).row_files
    before = {path: path.read_bytes() for path in rows.rglob("*") if path.is_file()}
    place = rows / lost
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    assert f"{rows}/{told}" in run("doctor").stdout

    code, tried, checks = fixed(run)

    assert (code, tried, "files" in checks) == (0, [("files", "rebuild", "done")], False)
    assert {path for path in rows.rglob("*") if path.is_file()} == {*before}


def test_a_realm_that_is_well_has_nothing_to_fix(run: Any, realm: Path, root: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    done = run("doctor", "--fix")
    assert (done.exit_code, done.stdout.startswith("Nothing to fix.\n")) == (0, True)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()} == before


def test_what_only_a_person_can_mend_is_left_and_said(run: Any, lab: Path) -> None:
    done = run("doctor", "--fix", "--root", str(lab / "root"))
    told = plain(done.stdout)
    assert done.exit_code == 1
    assert told.startswith(
        "Nothing is done: none of what is not well has a fix that is safe without a person."
    )
    assert "lies in the git work tree" in told


@pytest.mark.parametrize("text", ["", "junk", "-3"])
def test_an_epoch_that_is_damaged_is_named_with_its_file_and_nothing_is_made(
    run: Any, realm: Path, root: Path, text: str
) -> None:
    Layout(root).epoch.write_text(text)
    code, tried, checks = fixed(run)
    assert (code, tried, checks["store"]["state"]) == (1, [], "fail")
    assert checks["store"]["sentence"].startswith(f"{Layout(root).epoch}: '{text}' is not an epoch")
    assert checks["store"]["mend"] == "remove the file if it is damaged"
    rebuilt = run("doctor", "--rebuild")
    assert (rebuilt.exit_code, "this should not happen" in rebuilt.stderr) == (1, False)
    assert "is not an epoch (a whole number); remove the file" in plain(rebuilt.stderr)


def test_a_folder_in_the_place_of_the_epoch_is_named(run: Any, realm: Path, root: Path) -> None:
    Layout(root).epoch.unlink()
    Layout(root).epoch.mkdir()
    for words in (("doctor",), ("doctor", "--fix"), ("doctor", "--rebuild")):
        done = run(*words)
        assert (done.exit_code, "this should not happen" in done.output) == (1, False)
        assert str(Layout(root).epoch) in done.output


def test_a_root_that_is_a_copy_is_left_as_it_is(run: Any, realm: Path, root: Path) -> None:
    copy = Path(shutil.copytree(root, root.with_name("copy"), symlinks=True))
    damage(copy / realm.relative_to(root), 300)
    done = run("--root", str(copy), "doctor", "--fix")
    assert "is a copy of" in plain(done.stdout)
    assert (done.exit_code, done.stdout.startswith("Nothing is done")) == (1, True)


def test_fix_and_rebuild_exclude_each_other(run: Any) -> None:
    done = run("doctor", "--fix", "--rebuild")
    assert (done.exit_code, "--fix and --rebuild: choose one" in done.stderr) == (64, True)
