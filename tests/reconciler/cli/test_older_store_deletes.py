"""An older copy of the store is put back: it does not know what was approved, dropped and taken back since.

So plan, status and apply name it, nothing is deleted by what it says, and `doctor --rebuild` makes it whole.
"""

import json
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from reconciler.act.office import enter_office
from reconciler.app.applying import bookkeeping
from reconciler.app.applying.ticking import Ticker
from reconciler.app.surroundings import realm_store
from state.layout import Layout
from state.store.connection import open_reader
from state.store.older_copy import read_written, written
from state.store.rows import InboxRow, TrashRow
from state.store.tables import put_meta, select
from state.store.writer import Writer

RULES = "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 1s\n"
SPEC = "specs/campaigns/pip/campaign-001.yaml"
DELETED = "id: campaign-001\nname: First light\nstate: deleted\n"
NAMED = "the store is an older copy that was put back"
SAVED = ["checkpoint-1", "checkpoint-2", "checkpoint-3"]


def lying(root: Path) -> list[str]:
    return sorted(
        path.name for path in (root / "campaigns/pip/campaign-001/checkpoints").glob("checkpoint-*")
    )


def states(root: Path) -> list[str]:
    with open_reader(Layout(root).store) as store:
        return [row.state for row in select(store, TrashRow)]


def words(text: str) -> str:
    return " ".join(text.split())


def blocked(run: Any) -> list[tuple[str, str]]:
    return [(one["subject"], one["code"]) for one in json.loads(run("plan", "--json").stdout)["blocked"]]


def check_that_it_is_named_and_nothing_goes(run: Any, root: Path) -> None:
    """Look with each command; apply twice, since the first leaves no other trace of the older copy."""
    before, store = lying(root), states(root)
    for _ in range(2):
        document = json.loads(run("plan", "--json").stdout)
        assert document["awaiting"] is None
        (named,) = [one for one in document["blocked"] if one["code"] == "store-older"]
        assert named["message"].startswith(NAMED)
        assert "reconcile doctor --rebuild" in named["hint"]
        assert NAMED in " ".join(run("status").stdout.split())
        done = run("apply", "--until-converged")
        assert (done.exit_code, "older copy" in done.stderr) == (3, True)
        assert (lying(root), states(root)) == (before, store)


@pytest.fixture
def commit_specs(lab: Path, git):
    """Commit these files."""

    def make(files: dict[str, str]) -> None:
        for path, text in files.items():
            (lab / path).write_text(text)
        git(lab, "add", ".")
        git(lab, "commit", "-qm", "other specs")

    return make


@pytest.fixture
def put_back(resting, run, lab: Path, root: Path, commit_specs, pass_time):
    """Return what approves a deletion, copies the store, deletes, takes it back, and puts the copy back."""

    def make() -> None:
        resting({}, (1, 2, 3))
        commit_specs({SPEC: DELETED, "specs/realm.yaml": "id: lab\n"})
        assert run("apply", "--until-converged").exit_code == 3
        digest = json.loads(run("plan", "--json").stdout)["awaiting"]["digest"]
        assert run("approve", digest.removeprefix("sha256:")[:12]).exit_code == 0
        shutil.copy(root / "realm.db", root.parent / "older.db")
        assert run("apply", "--until-converged").exit_code == 0
        assert not (root / "campaigns/pip/campaign-001").exists()
        assert run("undelete", "pip/campaign-001", "--why", "a mistake").exit_code == 0
        run("apply", "--once")
        assert lying(root) == ["checkpoint-1", "checkpoint-2", "checkpoint-3"]
        shutil.copy(root.parent / "older.db", root / "realm.db")

    return make


def test_an_approval_that_was_used_is_not_used_again_on_what_a_person_took_back(
    put_back, run, root: Path
) -> None:
    put_back()
    check_that_it_is_named_and_nothing_goes(run, root)

    assert run("doctor", "--rebuild").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == ["checkpoint-1", "checkpoint-2", "checkpoint-3"]
    plan = json.loads(run("plan", "--json").stdout)
    assert (plan["changes"], plan["awaiting"], plan["blocked"]) == ([], None, [])
    assert "state: deleted counts no more" in " ".join(plan["warnings"])


@pytest.fixture
def dropped_since(resting, run, root: Path, commit_specs, pass_time) -> Path:
    """Copy the store of a realm with three checkpoints, of which rules drop two then; return the copy."""
    resting({}, (1, 2, 3))
    older = Path(shutil.copy(root / "realm.db", root.parent / "older.db"))
    commit_specs({"specs/retention.yaml": RULES})
    pass_time(3)
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == ["checkpoint-3"]
    return older


def test_what_was_dropped_and_taken_back_is_not_dropped_again(dropped_since: Path, run, root: Path) -> None:
    for step in (1, 2):
        assert run("undelete", f"pip/campaign-001@{step}", "--why", "a mistake").exit_code == 0
    run("apply", "--once")
    shutil.copy(dropped_since, root / "realm.db")

    check_that_it_is_named_and_nothing_goes(run, root)

    assert run("doctor", "--rebuild").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert (lying(root), states(root)) == (["checkpoint-1", "checkpoint-2", "checkpoint-3"], ["restored"] * 2)
    assert blocked(run) == []


def test_a_copy_that_was_put_back_with_what_lies_beside_it_drops_nothing_that_was_taken_back(
    resting, run, root: Path, commit_specs, pass_time
) -> None:
    resting({"specs/retention.yaml": RULES}, (1, 2, 3))
    pass_time(3)
    assert run("apply", "--until-converged").exit_code == 0
    shutil.copy(root / "realm.db", root.parent / "older.db")
    shutil.copytree(root / "control", root.parent / "control")
    assert run("undelete", "pip/campaign-001@2", "--why", "a mistake").exit_code == 0
    run("apply", "--once")
    shutil.rmtree(root / "control")
    shutil.copytree(root.parent / "control", root / "control")
    shutil.copy(root.parent / "older.db", root / "realm.db")

    check_that_it_is_named_and_nothing_goes(run, root)

    assert run("doctor", "--rebuild").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert (lying(root), states(root)) == (["checkpoint-2", "checkpoint-3"], ["trashed", "restored"])
    assert not is_named(run)


def test_what_was_dropped_since_is_one_fault_and_is_not_called_somebody_elses(
    dropped_since: Path, run, root: Path
) -> None:
    shutil.copy(dropped_since, root / "realm.db")
    (root / "trash/mine").mkdir()

    assert blocked(run) == [("store", "store-older")]
    assert "of 2 checkpoints that do not lie where it says the trash tells" in words(run("plan").stdout)
    assert "trash 2 that the store does not know; 1 not ours, never deleted" in words(run("status").stdout)
    items = json.loads(run("get", "trash", "--json").stdout)["items"]
    assert [(item["state"], item["is_held"]) for item in items] == [
        *[("unknown", True)] * 2,
        ("foreign", False),
    ]

    assert run("doctor", "--rebuild").exit_code == 0
    assert blocked(run) == []
    assert "2 checkpoints, 2 kB" in words(run("status").stdout)


def test_a_store_that_nobody_put_back_is_not_named(resting, run, root: Path, commit_specs, pass_time) -> None:
    resting({}, (1, 2, 3))
    commit_specs({"specs/retention.yaml": RULES})
    pass_time(3)
    assert NAMED not in " ".join(run("plan").stdout.split())
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == ["checkpoint-3"]


def taken_in(root: Path) -> list[str]:
    with open_reader(Layout(root).store) as store:
        return [row.quest_id.partition("-")[0] for row in select(store, InboxRow)]


def drop_into_inbox(root: Path, name: str, answer: str) -> None:
    place = root / "inbox" / f"{name}.jsonl"
    row = [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": answer}]
    place.write_text(json.dumps({"messages": row}) + "\n")
    os.utime(place, (1_700_000_000, 1_700_000_000))


def test_what_was_taken_in_before_and_after_it_was_put_back_is_in_the_store_that_is_made_again(
    resting, run, root: Path
) -> None:
    resting({"specs/realm.yaml": "id: lab\n"}, (1,))
    shutil.copy(root / "realm.db", root.parent / "older.db")
    drop_into_inbox(root, "early", "2")
    run("apply", "--once")
    assert taken_in(root) == ["early"]
    shutil.copy(root.parent / "older.db", root / "realm.db")
    drop_into_inbox(root, "late", "two")
    run("apply", "--once")
    assert taken_in(root) == ["late"]

    made = run("doctor", "--rebuild")

    assert "an older copy that was put back, and used since: its epoch is" in " ".join(made.stdout.split())
    assert sorted(taken_in(root)) == ["early", "late"]
    assert [code for _, code in blocked(run) if code == "store-older"] == []


def is_named(run: Any) -> bool:
    """Say whether plan, status or doctor call the store an older copy."""
    told = " ".join(" ".join(run(verb).stdout.split()) for verb in ("plan", "status", "doctor"))
    return "older copy" in told


@pytest.fixture
def one_office(resting, run, lab: Path, root: Path, commit_specs, monkeypatch: pytest.MonkeyPatch):
    """Return what lets one `apply` copy the store, delete what was approved, and take it back; looks beside each tick."""
    named: list[bool] = []

    def make() -> list[bool]:
        resting({}, (1, 2, 3))
        commit_specs({SPEC: DELETED, "specs/realm.yaml": "id: lab\n"})
        assert run("apply", "--until-converged").exit_code == 3
        digest = json.loads(run("plan", "--json").stdout)["awaiting"]["digest"]
        assert run("approve", digest.removeprefix("sha256:")[:12]).exit_code == 0
        shutil.rmtree(root / "backups/store", ignore_errors=True)
        tick, asked = Ticker.tick, []

        def then_looked_at(ticker: Ticker) -> Any:
            done = tick(ticker)
            named.append(is_named(run))
            if not asked and not (root / "campaigns/pip/campaign-001").exists():
                asked.append(run("undelete", "pip/campaign-001", "--why", "a mistake"))
            return done

        with monkeypatch.context() as patched:
            patched.setattr(Ticker, "tick", then_looked_at)
            run("apply", "--until-converged")
        assert [one.exit_code for one in asked] == [0]
        assert lying(root) == SAVED
        return named

    return make


def put_copy_back(root: Path) -> None:
    (copy,) = (root / "backups/store").glob("*.db")
    shutil.copy(copy, root / "realm.db")


def test_the_copy_of_the_same_epoch_uses_no_approval_again_on_what_a_person_took_back(
    one_office, run, root: Path
) -> None:
    one_office()
    put_copy_back(root)
    with open_reader(root / "realm.db") as store:
        found, last = written(store), read_written(root / "control/written")
        assert found.epoch == last.epoch
        assert found.writes < last.writes
    assert NAMED + " (it was written to" in " ".join(run("plan").stdout.split())
    assert "an older copy that was put back" in " ".join(run("doctor").stdout.split())
    check_that_it_is_named_and_nothing_goes(run, root)

    assert run("doctor", "--rebuild").exit_code == 0
    assert not is_named(run)
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == SAVED
    assert not is_named(run)


def test_a_living_apply_is_never_taken_for_an_older_copy(
    one_office, run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = one_office()
    assert len(named) > 2
    assert not any(named)

    reader = realm_store.open_reader

    def writes_meanwhile(path: Path) -> Any:
        """The store is written to, and that is said, between a reader's two looks."""
        with closing(enter_office(Layout(root), "2026-02-01T12:00:00Z")) as writer:
            with writer.transaction() as store:
                put_meta(store, "noted", "meanwhile")
            writer.mirror()
        return reader(path)

    before = read_written(root / "control/written")
    monkeypatch.setattr(realm_store, "open_reader", writes_meanwhile)
    assert realm_store.read_store(Layout(root)).older_copy is None
    assert read_written(root / "control/written") > before


def test_the_copy_is_named_even_where_the_mirror_was_removed_too(one_office, run, root: Path) -> None:
    one_office()
    put_copy_back(root)
    (root / "control/written").unlink()
    assert "control/written, which said how far it was written, is gone" in " ".join(
        run("plan").stdout.split()
    )
    check_that_it_is_named_and_nothing_goes(run, root)

    assert run("doctor", "--rebuild").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == SAVED
    assert not is_named(run)


def test_a_mirror_that_lags_names_no_whole_store(
    resting, run, root: Path, publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = resting({}, (1, 2))
    publish(folder, 3)
    with monkeypatch.context() as patched:  # as a kill between the commit and the mirror leaves it
        patched.setattr(Writer, "mirror", lambda _: None)
        assert run("apply", "--once").exit_code == 0
    assert not is_named(run)
    publish(folder, 4)
    assert run("apply", "--once").exit_code == 0
    assert not is_named(run)
    with open_reader(root / "realm.db") as store:
        assert written(store) == read_written(root / "control/written")


def test_a_copy_from_before_a_tick_that_was_killed_after_it_deleted_is_older(
    resting, run, lab: Path, root: Path, commit_specs, monkeypatch: pytest.MonkeyPatch
) -> None:
    resting({}, (1, 2, 3))
    commit_specs({SPEC: DELETED, "specs/realm.yaml": "id: lab\n"})
    assert run("apply", "--until-converged").exit_code == 3
    digest = json.loads(run("plan", "--json").stdout)["awaiting"]["digest"]
    assert run("approve", digest.removeprefix("sha256:")[:12]).exit_code == 0
    shutil.copy(root / "realm.db", root.parent / "before.db")
    epoch = (root / "control/epoch").read_text()

    with (
        monkeypatch.context() as patched
    ):  # nothing after the deletion is reached, the end of the office least
        patched.setattr(Writer, "close", lambda writer: writer._connection.close())
        patched.setattr(bookkeeping, "settle_row_files", lambda *_: None)
        run("apply", "--once")
    assert not (root / "campaigns/pip/campaign-001").exists()
    (root / "control/epoch").write_text(epoch)  # as if the copy had been made in the very same office
    with closing(apsw.Connection(str(root.parent / "before.db"))) as copy:
        copy.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (str(int(epoch) + 1),))
    shutil.copy(root.parent / "before.db", root / "realm.db")
    assert is_named(run)
