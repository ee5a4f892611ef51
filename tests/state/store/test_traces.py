"""What shows that a root was in use, each of it alone; and what does not: then the root is new."""

import json
import os
from pathlib import Path

import msgspec
import pytest
from sample_rows import stone

from state.layout import Layout
from state.store.traces import lost_store, newest_epoch, traces, traces_of_office

CAMPAIGN = "campaigns/dio/campaign-001"
ARCHIVED = "campaigns/archive/dio/campaign-001-archived"
OURS = json.dumps({"id": "campaign-001", "hero_id": "dio", "uid": "0123456789abcdef"})
OLDER = json.dumps({"id": "campaign-001", "hero_id": "dio", "status": "active"})
MANIFEST = json.dumps({"schema_version": 99, "campaign_uid": "u", "digest": "blake3:0", "new": {}})
LEFT = {
    "control/epoch": "7\n",
    "control/written": "7 40 feed\n",
    "campaigns/.written": "7 40 feed\n",
    "control/rows/realm.json": "{}",
    "control/rows/campaigns/0123456789abcdef.json": "{}",
    f"control/rows/manifests/{'0' * 64}.json": "{}",
    "backups/store/realm-2026-01-31-e7.db": "",
    "realm.db.damaged-0123456789abcdef": "",
    "trash/7-checkpoint-100.json": json.dumps(msgspec.structs.asdict(stone(7, "trashed"))),
    f"{CAMPAIGN}/campaign.json": OURS,
    f"{ARCHIVED}/campaign.json": OURS,
    f"{CAMPAIGN}/runs/g1-a1/request.json": "{}",
    f"{CAMPAIGN}/checkpoints/checkpoint-100/manifest.json": MANIFEST,
    f"{CAMPAIGN}/segments/1/checkpoint-100/manifest.json": MANIFEST,
    f"{ARCHIVED}/checkpoints/checkpoint-100/manifest.json": MANIFEST,
}
FOREIGN = {
    "realm.db": "",
    "source.json": "{}",
    "control/reconciler.lock": "{}",
    "control/active_campaign.json": OLDER,
    "control/rows/notes.txt": "",
    "backups/store/mine.db": "",
    "trash/notes.json": "{}",
    "trash/7-checkpoint-100/model.safetensors": "",
    "inbox/rows.jsonl": "",
    "campaigns/campaign.json": OURS,
    f"{CAMPAIGN}/campaign.json": OLDER,
    f"{CAMPAIGN}/checkpoints/checkpoint-100/model.safetensors": "",
    f"{CAMPAIGN}/checkpoints/checkpoint-100/manifest.json": '{"name": "a web page"}',
    f"{CAMPAIGN}/checkpoints/mine/manifest.json": MANIFEST,
    f"{CAMPAIGN}/runs/notes.txt": "",
    "current_model/checkpoint-100/manifest.json": MANIFEST,
}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "root")


def write(layout: Layout, place: str, content: str) -> Path:
    path = layout.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.mark.parametrize("place", LEFT)
def test_each_of_these_alone_shows_that_the_store_was_lost(layout: Layout, place: str) -> None:
    path = write(layout, place, LEFT[place])
    assert (found := lost_store(layout)) is not None
    assert found.place == path
    assert [trace.place for trace in traces(layout)] == [path]
    assert newest_epoch(layout) == (7 if "e7" in place or place.endswith(("epoch", "written")) else 0)
    write(layout, "realm.db", "")
    assert lost_store(layout) == found
    write(layout, "realm.db", "a store, however it is with it")
    assert lost_store(layout) is None


@pytest.mark.parametrize("place", FOREIGN)
def test_a_root_with_none_of_it_is_new_whatever_else_lies_there(layout: Layout, place: str) -> None:
    write(layout, place, FOREIGN[place])
    assert lost_store(layout) is None


def test_a_root_that_is_not_there_or_no_folder_never_had_a_store(layout: Layout) -> None:
    assert lost_store(layout) is None
    layout.root.write_text("no folder")
    assert lost_store(layout) is None


def test_a_damaged_file_of_the_epoch_shows_it_too_and_the_others_say_which_it_was(layout: Layout) -> None:
    write(layout, "control/epoch", "\0\0")
    write(layout, "campaigns/.written", "6 40 feed\n")
    write(layout, "backups/store/realm-2026-01-30-e9.db", "")
    assert (lost_store(layout), newest_epoch(layout)) == ((layout.epoch, 0), 9)


def test_no_link_below_the_campaigns_leads_to_what_shows_it(layout: Layout) -> None:
    elsewhere = write(Layout(layout.root.with_name("elsewhere")), "campaign-001/campaign.json", OURS)
    (layout.campaigns / "dio").mkdir(parents=True)
    (layout.campaigns / "dio/campaign-001").symlink_to(elsewhere.parent)
    (layout.campaigns / "mu").symlink_to(elsewhere.parent.parent)
    assert lost_store(layout) is None


def test_checkpoints_that_somebody_carried_here_make_no_root_of_ours(layout: Layout) -> None:
    place = f"{CAMPAIGN}/checkpoints/checkpoint-100/manifest.json"
    write(layout, place, LEFT[place])
    assert (list(traces_of_office(layout)), len(list(traces(layout)))) == ([], 1)


@pytest.mark.parametrize("place", ["campaigns", "trash", f"{CAMPAIGN}/runs"])
def test_where_nobody_may_look_nobody_can_tell(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Root may look everywhere, so the refusal is ours here."""
    write(layout, f"{place}/notes.txt", "")
    listed = os.listdir

    def refused(folder: Path) -> list[str]:
        if folder == layout.root / place:
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(os, "listdir", refused)
    with pytest.raises(PermissionError, match=f"Permission denied: '{layout.root / place}'"):
        lost_store(layout)
