"""A campaign's folder that nobody touched is not read again; whatever is touched is seen."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from memory_cache import MemoryCache

from reconciler.observed.campaign_folders import FolderCaches, observe_campaign_folder
from reconciler.observed.folder_memory import FolderMemory
from reconciler.observed.folders import Neighbours, open_folder
from reconciler.observed.records import SeenFolder
from state.contract.exit import RunExit
from state.contract.orders import Orders
from state.contract.process import ProcessIdentity
from state.contract.status import RunStatus
from state.homes import Home
from state.layout import CampaignLayout, Layout

BOOT = "11111111-2222-3333-4444-555555555555"
NOW = "2026-01-31T12:00:00Z"
CLAIM = ProcessIdentity(pid=42, boot_id=BOOT, start_ticks=500, cookie="biscuit", claimed_at=NOW)
RUN = {
    "process": CLAIM,
    "status": RunStatus(phase="training", updated_at=NOW, orders_sequence=1, step=7),
    "orders": Orders(sequence=1, quests=()),
    "exit": RunExit(reason="finished", message="Done.", step=9, last_checkpoint_step=9, exited_at=NOW),
}


@pytest.fixture
def campaign(tmp_path: Path, save_checkpoint: Callable[..., Path]) -> CampaignLayout:
    """A campaign with two checkpoints and one run that is over."""
    campaign = Layout(tmp_path / "root").campaign("tiny/campaign-001")
    run = campaign.runs / "g1-a1"
    for folder in (campaign.status, campaign.logs, run):
        folder.mkdir(parents=True)
    for step in (5, 6):
        save_checkpoint(campaign.checkpoints, step)
    for name, record in RUN.items():
        (run / f"{name}.json").write_bytes(msgspec.json.encode(record))
    (run / "request.json").write_bytes(b"{}")
    campaign.record.write_bytes(b'{"id":"campaign-001"}')
    campaign.training_status.write_bytes(b'{"status":"idle"}')
    return campaign


@pytest.fixture
def look(tmp_path: Path, campaign: CampaignLayout) -> Callable[[FolderCaches], SeenFolder]:
    def observe(caches: FolderCaches) -> SeenFolder:
        with Neighbours(tmp_path / "root") as below:
            return observe_campaign_folder(Home(str(campaign.folder), "home"), below, "aaaa", caches)

    return observe


@pytest.fixture
def is_known(campaign: CampaignLayout, fake_proc) -> Callable[[FolderMemory], bool]:
    def ask(memory: FolderMemory) -> bool:
        with open_folder(campaign.folder, campaign.folder) as folder:
            return memory.unchanged(folder, "aaaa") is not None

    return ask


def edited_in_place(file: Path) -> None:
    """Change a file to another of the same size, and give it back the time of its last change."""
    status = file.stat()
    with file.open("r+b") as opened:
        opened.write(b"[")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def replaced_by_a_link(path: Path) -> None:
    away = path.with_name("elsewhere")
    path.rename(away)
    path.symlink_to(away)


TOUCHES: dict[str, Callable[[CampaignLayout], object]] = {
    "its record is edited in place": lambda c: edited_in_place(c.record),
    "its record is written again": lambda c: c.record.write_bytes(b"{}"),
    "its record is gone": lambda c: c.record.unlink(),
    "its record is a link": lambda c: replaced_by_a_link(c.record),
    "its status is edited in place": lambda c: edited_in_place(c.training_status),
    "its status is gone": lambda c: c.training_status.unlink(),
    "its status folder is gone": lambda c: shutil.rmtree(c.status),
    "its status folder is a link": lambda c: replaced_by_a_link(c.status),
    "its runs are gone": lambda c: shutil.rmtree(c.runs),
    "its runs are a link": lambda c: replaced_by_a_link(c.runs),
    "another run": lambda c: (c.runs / "g1-a2").mkdir(),
    "a run's status is edited in place": lambda c: edited_in_place(c.runs / "g1-a1" / "status.json"),
    "a run's orders are edited in place": lambda c: edited_in_place(c.runs / "g1-a1" / "orders.json"),
    "a run's claim is edited in place": lambda c: edited_in_place(c.runs / "g1-a1" / "process.json"),
    "a run's exit is gone": lambda c: (c.runs / "g1-a1" / "exit.json").unlink(),
    "a run has one file more": lambda c: (c.runs / "g1-a1" / "effective.json").write_bytes(b"{}"),
    "a run's folder is renamed": lambda c: (c.runs / "g1-a1").rename(c.runs / "g2-a1"),
    "another checkpoint": lambda c: (c.checkpoints / "checkpoint-7").mkdir(),
    "an unfinished save": lambda c: (c.checkpoints / ".staging-7-x").mkdir(),
    "a checkpoint is gone": lambda c: shutil.rmtree(c.checkpoints / "checkpoint-5"),
    "a checkpoint is renamed": lambda c: (c.checkpoints / "checkpoint-5").rename(c.checkpoints / "mine"),
    "a checkpoint's manifest is edited in place": lambda c: edited_in_place(
        c.checkpoint(5) / "manifest.json"
    ),
    "a checkpoint's file is cut short": lambda c: os.truncate(c.checkpoint(5) / "model.safetensors", 3),
    "a checkpoint has one file more": lambda c: (c.checkpoint(5) / "mine").write_bytes(b""),
    "a checkpoint's file is edited in place": lambda c: edited_in_place(
        c.checkpoint(5) / "model.safetensors"
    ),
    "its logs are a link": lambda c: replaced_by_a_link(c.logs),
    "its saga is a pipe": lambda c: os.mkfifo(c.saga),
    "its checkpoint ledger is a folder": lambda c: (c.status / "checkpoint_ledger.json").mkdir(),
    "its checkpoints are gone": lambda c: shutil.rmtree(c.checkpoints),
    "its checkpoints are a link": lambda c: replaced_by_a_link(c.checkpoints),
}


UNREAD = ("a run has one file more", "a checkpoint's file is edited in place")
"""A run's file that is read only while it lives; contents that only hashing tells apart."""


@pytest.mark.parametrize("touch", TOUCHES)
def test_whatever_is_touched_is_seen(look, campaign, touch) -> None:
    kept = MemoryCache()
    before = look(FolderCaches(kept, settled_seconds=0))
    TOUCHES[touch](campaign)
    afresh = look(FolderCaches())
    assert look(FolderCaches(kept)) == afresh
    if touch not in UNREAD:
        assert afresh != before


def look_ahead(caches: FolderCaches, campaign: CampaignLayout, root: Path) -> None:
    """Let a second process look, and wait until it has looked at everything."""
    caches.rest.recall(str(campaign.folder.parents[1]))
    caches.rest.look_ahead(root, fewest=1)
    os.waitpid(caches.rest._second._process, 0)


@pytest.mark.parametrize("touch", TOUCHES)
def test_whatever_is_touched_is_seen_by_a_second_process(look, campaign, tmp_path, touch) -> None:
    kept = MemoryCache()
    look(FolderCaches(kept, settled_seconds=0))
    TOUCHES[touch](campaign)
    caches = FolderCaches(kept)
    look_ahead(caches, campaign, tmp_path / "root")
    assert caches.rest.found_untouched(str(campaign.folder), "aaaa") is None
    assert look(caches) == look(FolderCaches())
    caches.rest.end_of_look()


@pytest.mark.parametrize(("uid", "is_known"), [("aaaa", True), ("bbbb", False)])
def test_what_the_second_process_found_untouched_is_not_looked_at_again(
    look, campaign, tmp_path, uid, is_known
) -> None:
    kept = MemoryCache()
    before = look(FolderCaches(kept, settled_seconds=0))
    caches = FolderCaches(kept)
    look_ahead(caches, campaign, tmp_path / "root")
    campaign.folder.rename(tmp_path / "away")
    assert (caches.rest.found_untouched(str(campaign.folder), uid) is not None) == is_known
    assert not is_known or look(caches) == before
    caches.rest.end_of_look()


def test_what_nobody_touched_is_not_read_again_by_the_next_command(look, campaign, is_known) -> None:
    kept = MemoryCache()
    assert not is_known(FolderMemory(kept))
    first = look(FolderCaches(kept, settled_seconds=0))
    assert is_known(FolderMemory(kept))
    assert look(FolderCaches(kept)) == first == look(FolderCaches())
    assert [run.exit for run in first.runs.runs] == [RUN["exit"]]


@pytest.mark.parametrize(("below", "is_there"), [("campaigns", True), ("campaigns/ti", False)])
def test_what_was_kept_below_a_folder_is_recalled_at_once(look, campaign, is_known, below, is_there) -> None:
    kept = MemoryCache()
    look(FolderCaches(kept, settled_seconds=0))
    memory = FolderMemory(kept)
    memory.recall(str(campaign.folder.parents[2] / below))
    found = kept._answers.copy()
    kept._answers.clear()
    assert is_known(memory) == is_there
    assert len(found) == 2  # the folder, and its checkpoints


def test_what_has_just_changed_is_not_remembered(look, is_known) -> None:
    """A file that changes again within one tick of the file system's clock looks as if nobody touched it."""
    kept = MemoryCache()
    look(FolderCaches(kept))
    assert not is_known(FolderMemory(kept))


UNREST: dict[str, Callable[[CampaignLayout], object]] = {
    "a record with a problem": lambda c: c.record.write_bytes(b"[]"),
    "a status with a problem": lambda c: c.training_status.write_bytes(b""),
    "a strange run": lambda c: (c.runs / "mine").mkdir(),
    "a run that did not say why it left": lambda c: (c.runs / "g1-a1" / "exit.json").unlink(),
    "a torn file of a run": lambda c: (c.runs / "g1-a1" / "status.json").write_bytes(b"{"),
}


@pytest.mark.parametrize("unrest", UNREST)
def test_a_problem_or_a_run_that_is_not_over_is_looked_at_each_time(look, campaign, is_known, unrest) -> None:
    kept = MemoryCache()
    UNREST[unrest](campaign)
    look(FolderCaches(kept, settled_seconds=0))
    assert not is_known(FolderMemory(kept))


def test_a_process_that_lives_after_all_is_looked_at(look, campaign, is_known, fake_proc) -> None:
    kept = MemoryCache()
    look(FolderCaches(kept, settled_seconds=0))
    fake_proc.add(42, cookie="biscuit")
    assert is_known(FolderMemory(kept))
    assert not is_known(FolderMemory(kept, proc=fake_proc.folder))


def test_a_foreign_checkpoint_is_looked_at_each_time(look, campaign, save_checkpoint) -> None:
    kept = MemoryCache()
    manifest = (campaign.checkpoint(5) / "manifest.json").read_bytes()
    (campaign.checkpoint(5) / "manifest.json").write_bytes(b"{}")
    (foreign,) = look(FolderCaches(kept, settled_seconds=0)).checkpoints.foreign
    assert foreign.name == "checkpoint-5"
    (campaign.checkpoint(5) / "manifest.json").write_bytes(manifest)
    assert [one.step for one in look(FolderCaches(kept)).checkpoints.complete] == [5, 6]


def test_a_remembered_checkpoint_is_still_foreign_to_another_campaign(tmp_path, campaign) -> None:
    kept = MemoryCache()
    for uid, steps in (("aaaa", [5, 6]), ("bbbb", []), ("aaaa", [5, 6])):
        with Neighbours(tmp_path / "root") as below:
            caches = FolderCaches(kept, settled_seconds=0)
            seen = observe_campaign_folder(Home(str(campaign.folder), "home"), below, uid, caches)
        assert [one.step for one in seen.checkpoints.complete] == steps


@pytest.mark.parametrize("entry", [b"", b"\x93\x90\x90\xc0", b'["of another version"]'])
def test_a_memory_that_is_damaged_or_of_another_version_costs_only_time(look, campaign, entry) -> None:
    kept = MemoryCache()
    first = look(FolderCaches(kept, settled_seconds=0))
    for key in list(kept._answers):
        kept.put(key, entry)
    assert look(FolderCaches(kept)) == first
