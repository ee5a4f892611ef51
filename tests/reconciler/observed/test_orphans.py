"""What no campaign explains: found by name, measured, and never what a campaign has or will have."""

import os
from pathlib import Path

import msgspec

from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.observed.facts import CampaignFacts
from reconciler.observed.machine_records import Gpu, GpuInventory, GpuProcess
from reconciler.observed.orphans import OrphanFolders, with_names
from state.layout import Layout
from state.store.rows import CampaignRow

ROW = CampaignRow(uid="u", name="pip/campaign-001", status="paused", created_at="2026-01-31T12:00:00Z")


def file_of(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def test_a_folder_of_no_campaign_is_found_with_its_files_and_bytes(tmp_path: Path) -> None:
    file_of(tmp_path / "campaigns/pip/campaign-001/campaign.json", 5)
    file_of(tmp_path / "campaigns/pip/experiment/a/weights", 700)
    file_of(tmp_path / "campaigns/pip/experiment/b", 30)
    file_of(tmp_path / "campaigns/archive/pip/lost-archived/x", 9)
    found = OrphanFolders().look(Layout(tmp_path), [ROW], ())
    assert [(one.path, one.num_files, one.size_bytes) for one in found] == [
        ("campaigns/archive/pip/lost-archived", 1, 9),
        ("campaigns/pip/experiment", 2, 730),
    ]


def test_what_a_campaign_has_had_or_will_have_is_no_orphan(tmp_path: Path) -> None:
    row = msgspec.structs.replace(ROW, name="pip/first-light", former_names="pip/campaign-001")
    for name in ("pip/campaign-001", "pip/next", "pip/.staging-half", "archive/pip/campaign-001-archived"):
        (tmp_path / "campaigns" / name).mkdir(parents=True)
    (tmp_path / "campaigns/active").symlink_to("pip/campaign-001")
    assert OrphanFolders().look(Layout(tmp_path), [row], ["pip/next"]) == ()


def test_a_link_out_of_the_realm_is_named_and_not_followed(tmp_path: Path) -> None:
    file_of(tmp_path / "elsewhere/large", 5000)
    (tmp_path / "root/campaigns/pip").mkdir(parents=True)
    (tmp_path / "root/campaigns/pip/link").symlink_to(tmp_path / "elsewhere")
    (one,) = OrphanFolders().look(Layout(tmp_path / "root"), [], ())
    assert (one.path, one.size_bytes) == ("campaigns/pip/link", 0)


def test_what_is_no_checkpoint_among_the_checkpoints_is_measured(tmp_path: Path) -> None:
    folder = tmp_path / "campaigns/pip/campaign-001/checkpoints"
    file_of(folder / "my-backup/weights", 700)
    file_of(folder / "notes", 30)
    seen = CampaignFacts(checkpoints=observe_checkpoints(folder, tmp_path))
    found = OrphanFolders().among_checkpoints(Layout(tmp_path), [seen])
    assert {path: (one.num_files, one.size_bytes) for path, one in found.items()} == {
        f"{folder}/my-backup": (1, 700),
        f"{folder}/notes": (1, 30),
    }


def test_a_file_beside_the_campaigns_is_one_file(tmp_path: Path) -> None:
    file_of(tmp_path / "campaigns/pip/notes", 5)
    (tmp_path / "campaigns/pip/empty").mkdir()
    found = OrphanFolders().look(Layout(tmp_path), [], ())
    assert [(one.path, one.num_files, one.size_bytes) for one in found] == [
        ("campaigns/pip/empty", 0, 0),
        ("campaigns/pip/notes", 1, 5),
    ]


def test_an_orphan_that_changed_is_measured_again(tmp_path: Path) -> None:
    folder = tmp_path / "campaigns/pip/experiment"
    file_of(folder / "a", 10)
    orphans = OrphanFolders()
    assert orphans.look(Layout(tmp_path), [], ())[0].size_bytes == 10
    file_of(folder / "b", 5)
    os.utime(folder, ns=(1, 1))
    assert orphans.look(Layout(tmp_path), [], ())[0].size_bytes == 15


def test_a_process_on_a_gpu_has_its_name_where_it_can_be_seen() -> None:
    seen = (GpuProcess(pid=os.getpid(), memory_bytes=1), GpuProcess(pid=2**22 + 1, memory_bytes=1))
    gpu = Gpu(
        index=0, uuid="u", name="card", memory_total_bytes=1, memory_used_bytes=1, utilization_percent=0,
        processes=seen,
    )  # fmt: skip
    (named,) = with_names(GpuInventory(gpus=(gpu,), source="given")).gpus
    assert [bool(one.name) for one in named.processes] == [True, False]
