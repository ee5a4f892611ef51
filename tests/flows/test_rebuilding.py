"""A store that is lost is made again from the files, files from the store; afterwards the plan is what it was."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from chapters import CHAPTERS
from in_memory import new_folder
from rebuilt_years import folders_of, key, killed, lose, rebuilt, without_time, without_waits
from test_year import live
from worlds import everything_below
from year import Year

from reconciler.act.environment import _finds_this_software
from reconciler.app.planning.look import look
from reconciler.app.rebuilding.doctor import LOST, rebuild
from reconciler.app.surroundings.errors import Blocked
from reconciler.app.surroundings.place import Options
from state.lock import LockHeld, hold_lock
from state.store.connection import StoreDamaged, open_writer
from state.store.marks import marks_of


@pytest.fixture(scope="module")
def lived() -> Iterator[Year]:
    """Return a realm in which some weeks went by, with a copy of its root beside it."""
    folder = new_folder()
    _finds_this_software()  # asked once here, so that not every forked child asks
    year = Year(folder)
    year.world.is_watched = False
    for chapter in CHAPTERS[:15]:
        live(year, chapter)
    year.world.after_each_tick = lambda: None  # the guardian knows one life only
    root = year.world.lab.layout.root
    shutil.copytree(root, root.with_name("as-it-was"), symlinks=True)
    yield year
    year.world.lab.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def year(lived: Year) -> Year:
    """Return that realm as it was."""
    root = lived.world.lab.layout.root
    shutil.rmtree(root)
    shutil.copytree(root.with_name("as-it-was"), root, symlinks=True)
    return lived


def assert_store_comes_back(year: Year, *lost: str) -> None:
    """Lose the store, or what is named, make it again, and compare what it says and what is planned."""
    lab = year.world.lab
    before, plan = lab.store(), without_waits(year.world.plan().plan)
    lose(year, *(lost or ("realm.db",)))

    made = rebuilt(year)

    assert (made.made, made.problems, made.lost) == ("store", (), LOST)
    assert without_time(lab.store()) == without_time(before)
    assert lab.store().observed_seconds <= before.observed_seconds
    assert without_waits(year.world.plan().plan) == plan


def test_a_store_that_was_lost_is_made_again_and_the_plan_is_what_it_was(year: Year) -> None:
    assert_store_comes_back(year)
    year.world.pass_time(days=3)
    year.world.apply()
    assert year.world.plan().plan.changes == ()


@pytest.mark.parametrize(
    "lost",
    [
        "realm.db control/epoch",
        "realm.db control/epoch control/written",
        "realm.db control/epoch control/written campaigns/.written",
        "realm.db control/epoch control/written campaigns/.written backups",
        "control/epoch control/written control/rows",
        "control/epoch control/written control/rows campaigns/.written backups",
    ],
)
def test_whatever_else_is_lost_beside_the_weights_the_plan_is_what_it_was(year: Year, lost: str) -> None:
    before = year.world.lab.store().epoch
    assert_store_comes_back(year, *lost.split())
    witnesses = "backups" not in lost or "realm.db" not in lost
    assert (year.world.lab.store().epoch > before) == witnesses, "above whatever tells of an epoch"
    lying = folders_of(year)
    year.world.pass_time(days=3)
    year.world.apply()
    assert year.world.plan().plan.changes == ()
    assert folders_of(year) <= lying


def test_a_root_without_its_store_and_its_control_folder_is_made_again_from_the_folders(year: Year) -> None:
    """Nobody knows the jobs any more, so the campaigns wait for a person; nothing is dropped or launched."""
    lab = year.world.lab
    before, lying = lab.store(), folders_of(year)
    lose(year, "realm.db", "control")
    copy = sorted(lab.layout.backups.iterdir())[-1]
    with pytest.raises(StoreDamaged, match="is gone or empty, but this root was in use"):
        year.world.plan()

    made = rebuilt(year)

    assert made.lost[0].startswith(
        f"{lab.layout.row_files} is gone, too: only the folders were asked; the newest copy of the store, "
        f"{copy}, knows more ("
    )
    assert " jobs" in made.lost[0]
    assert made.lost[0].endswith("): let it take the place of realm.db, and run this again")
    assert lab.store().epoch > before.epoch
    assert {row.hold for row in lab.store().campaigns} == {"pause"}
    year.world.apply()
    assert folders_of(year) <= lying
    assert {key(run) for run in lab.store().runs} <= {key(run) for run in before.runs}


def test_a_copy_of_the_store_put_back_where_all_else_is_lost_brings_the_plan_back(year: Year) -> None:
    lab = year.world.lab
    before, lying = lab.store(), folders_of(year)
    copy = sorted(lab.layout.backups.iterdir())[0]
    sidecars = sorted(lab.layout.campaigns.rglob("checkpoints/checkpoint-*/.ledger.json"))
    for sidecar in sidecars:
        sidecar.write_text(json.dumps(json.loads(sidecar.read_bytes()) | {"pinned": True, "tags": ["since"]}))
    lose(year, "realm.db", "control")
    shutil.copy(copy, lab.layout.store)

    made = rebuilt(year)

    assert (made.made, made.problems) == ("store", ())
    after = lab.store()
    ledger = {row.sequence: row for row in after.ledger}
    for said in (json.loads(sidecar.read_bytes()) for sidecar in sidecars):
        row = ledger[said["sequence"]]
        assert (row.digest, marks_of(row).pinned, "since" in marks_of(row).tags) == (
            said["digest"],
            True,
            True,
        )
    assert after.epoch > before.epoch
    assert {row.uid for row in after.campaigns} >= {
        row.uid for row in before.campaigns if row.status != "deleted"
    }
    year.world.apply()
    assert folders_of(year) <= lying


def test_a_copied_root_of_which_only_folders_are_left_is_a_copy_still(year: Year) -> None:
    root = year.world.lab.layout.root
    copy = Path(shutil.copytree(root, root.with_name("copy"), symlinks=True))
    (copy / "realm.db").unlink()
    shutil.rmtree(copy / "control")
    options = Options(root=copy)
    rebuild(year.world.environment, options)
    assert [item.code for item in look(year.world.environment, options).plan.blocked] == ["root-is-a-copy"]
    shutil.rmtree(copy)


def test_a_damaged_store_is_made_again_and_kept_beside_the_new_one(year: Year) -> None:
    layout = year.world.lab.layout
    plan = without_waits(year.world.plan().plan)
    layout.store.write_bytes(b"not a database" + layout.store.read_bytes()[14:])
    journal = layout.store.with_name("realm.db-journal")
    journal.write_bytes(b"half a transaction")

    made = rebuilt(year)

    assert made.set_aside is not None
    assert Path(made.set_aside).read_bytes().startswith(b"not a database")
    assert Path(f"{made.set_aside}-journal").read_bytes() == b"half a transaction"
    assert "is not a database" in made.why
    assert without_waits(year.world.plan().plan) == plan


def test_a_page_that_was_overwritten_is_found_and_the_store_made_again(year: Year) -> None:
    store = year.world.lab.layout.store
    content = bytearray(store.read_bytes())
    content[8192:12288] = bytes(4096)
    store.write_bytes(content)

    assert rebuilt(year).made == "store"


def test_a_store_that_knows_nothing_of_what_lies_in_the_trash_is_named_and_made_again(year: Year) -> None:
    """An older copy that was put back and used: its epoch is as new as its mirror."""
    lab = year.world.lab
    stone = next(one for one in lab.store().trash if one.state == "trashed" and not one.is_campaign)
    with closing(open_writer(lab.layout.store)) as store:
        store.execute("DELETE FROM trash WHERE sequence = ?", (stone.sequence,))
    (told,) = [one for one in year.world.plan().plan.blocked if one.code == "checkpoint-missing"]
    assert "reconcile doctor --rebuild" in told.hint

    made = rebuilt(year)

    assert (made.made, made.problems) == ("store", ())
    assert made.why.startswith("an older copy that was put back: it knows of no drop of checkpoint")
    assert stone in lab.store().trash
    assert rebuilt(year).made == "files"


def test_without_the_files_of_rows_the_folders_tell_of_campaigns_runs_and_checkpoints(year: Year) -> None:
    world, lab = year.world, year.world.lab
    before = lab.store()
    lab.layout.store.unlink()
    shutil.rmtree(lab.layout.row_files)

    made = rebuilt(year)

    after = lab.store()
    waiting = {stone.sequence for stone in before.trash if stone.state == "trashed"}
    in_trash = {
        stone.campaign_uid for stone in before.trash if stone.sequence in waiting and stone.is_campaign
    }
    there = {row.uid for row in before.campaigns if row.status != "deleted" or row.uid in in_trash}
    assert {row.uid for row in after.campaigns} == there
    assert {row.name for row in after.campaigns} == set(made.from_folders)
    assert {key(run) for run in after.runs} == {key(run) for run in before.runs if run.campaign_uid in there}
    dropped = {stone.sequence for stone in before.trash if stone.state != "restored"} - waiting
    lying = {row.sequence for row in before.ledger if row.sequence not in dropped}
    assert {row.sequence for row in after.ledger} == lying
    assert {row.hold for row in after.campaigns} == {"pause"}
    folders = {path.name for path in lab.layout.root.rglob("checkpoint-*")}
    world.apply()
    assert {path.name for path in lab.layout.root.rglob("checkpoint-*")} <= folders
    assert {key(run) for run in lab.store().runs} == {key(run) for run in after.runs}, "nobody has looked yet"


def test_of_a_sidecar_of_a_newer_software_the_checkpoint_is_pinned_and_that_is_told(year: Year) -> None:
    lab = year.world.lab
    sidecar = next(iter(sorted(lab.layout.campaigns.rglob("checkpoints/checkpoint-*/.ledger.json"))))
    said = json.loads(sidecar.read_bytes()) | {"ledger_version": "2.0.0"}
    sidecar.write_text(json.dumps(said))
    lab.layout.store.unlink()
    shutil.rmtree(lab.layout.row_files)

    problems = rebuilt(year).problems

    assert [text for text in problems if "ledger version 2.0.0 is newer than 1.2.0" in text] == [
        f"{sidecar}: ledger version 2.0.0 is newer than 1.2.0, which this software knows: what protects the "
        "checkpoint is not understood, so it is pinned; upgrade"
    ]
    (row,) = (row for row in lab.store().ledger if row.sequence == said["sequence"])
    assert marks_of(row).pinned


def test_whatever_is_derived_is_written_again_from_a_whole_store(year: Year) -> None:
    layout = year.world.lab.layout
    derived = [*layout.campaigns.rglob("campaign.json"), *layout.campaigns.rglob(".ledger.json")]
    derived += [*layout.campaigns.rglob("training_status.json"), *layout.campaigns.rglob("saga.jsonl")]
    derived += [*layout.trash.glob("*.json"), *layout.row_files.rglob("*.json"), layout.active_pointer]
    derived += [path for path in layout.queue.rglob("*") if path.is_file() and not path.is_symlink()]
    contents = {path: path.read_bytes() for path in derived}
    for path in derived:
        path.unlink()

    made = rebuilt(year)

    assert (made.made, made.problems) == ("files", ())
    missing = [path for path, content in contents.items() if not path.exists()]
    assert missing == []
    differ = [path for path, content in contents.items() if path.read_bytes() != content]
    assert differ == []


def test_a_rebuild_that_is_killed_anywhere_is_finished_by_the_next(year: Year) -> None:
    store = year.world.lab.layout.store
    journal = store.with_name(f"{store.name}-journal")
    plan = without_waits(year.world.plan().plan)
    at = 0
    while True:
        at += 1
        if store.exists():
            store.write_bytes(b"damaged")
            journal.write_bytes(b"its transaction")
        if not killed(year, at):
            break
        is_new = store.exists() and store.read_bytes() != b"damaged"
        assert not (is_new and journal.exists() and journal.read_bytes()), "of another store"
    assert at > 5
    assert {path.read_bytes() for path in store.parent.glob("*-journal")} <= {b"its transaction", b""}
    assert rebuilt(year).made == "files"
    assert without_waits(year.world.plan().plan) == plan


def test_killed_anywhere_it_loses_nothing_that_only_the_store_knew(year: Year) -> None:
    """All that lay beside the store is lost: once it is put aside, nothing else knows the jobs."""
    lab, root = year.world.lab, year.world.lab.layout.root
    before, plan = lab.store(), without_waits(year.world.plan().plan)
    at, is_over = 0, False
    while not is_over:
        at += 1
        shutil.rmtree(root)
        shutil.copytree(root.with_name("as-it-was"), root, symlinks=True)
        lose(year, "control/epoch", "control/written", "control/rows")
        is_over = not killed(year, at)
        assert rebuilt(year).problems == ()
        assert without_time(lab.store()) == without_time(before)
        assert lab.store().epoch > before.epoch
    assert at > 5
    assert without_waits(year.world.plan().plan) == plan


def test_nothing_is_made_again_while_a_reconciler_is_at_work(year: Year) -> None:
    layout = year.world.lab.layout
    before = everything_below(layout.campaigns)
    with (
        hold_lock(layout.lock, command="reconcile apply", since="2026-01-31T12:00:00Z"),
        pytest.raises(LockHeld, match=r"another reconciler holds .*; wait for it, or stop it$"),
    ):
        rebuilt(year)
    assert everything_below(layout.campaigns) == before


def test_a_file_of_rows_that_lies_is_named_and_its_campaign_is_made_from_its_folder(year: Year) -> None:
    lab = year.world.lab
    row = next(row for row in lab.store().campaigns if row.status == "paused")
    path = lab.layout.row_files / "campaigns" / f"{row.uid}.json"
    path.write_text('{"schema_version": 1, "tables": {"campaigns": [{"uid": 7}]}}')
    lab.layout.store.unlink()

    made = rebuilt(year)

    assert made.problems == (f"{path}: a row of CampaignRow without 'name'",)
    assert made.from_folders == (row.name,)


def test_a_root_that_never_had_a_store_is_left_as_it_is(year: Year) -> None:
    layout = year.world.lab.layout
    shutil.rmtree(layout.root)
    layout.root.mkdir()
    with pytest.raises(Blocked, match="has no store and never had one: reconcile apply makes it"):
        rebuilt(year)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_whole_year_in_which_the_store_is_lost_after_every_commit(tmp_path: Path) -> None:
    year = Year(tmp_path)
    year.world.is_watched = False
    for chapter in CHAPTERS:
        live(year, chapter._replace(then=lambda _: None))  # the waits begin anew, so some drops come later
        assert_store_comes_back(year)
    year.world.lab.end()
