from pathlib import Path

import pytest

from reconciler.observed.snapshots import observe_snapshots
from state.layout import Layout

DIGEST = "sha256:" + "ab" * 32


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root")
    layout.data.mkdir(parents=True)
    return layout


def test_snapshots_are_known_by_digest_and_size(layout: Layout) -> None:
    layout.snapshot(DIGEST).write_bytes(b"12345")
    facts = observe_snapshots(layout)
    assert (facts.sizes, facts.problem) == ({DIGEST: 5}, None)


@pytest.mark.parametrize(
    "name", ["x.jsonl", "ab" * 32, "AB" * 32 + ".jsonl", ".staging-" + "ab" * 32, "a\nb"]
)
def test_other_names_are_left_out(layout: Layout, name: str) -> None:
    (layout.data / name).write_bytes(b"")
    assert observe_snapshots(layout).sizes == {}


def test_a_link_or_a_folder_is_no_snapshot(layout: Layout, tmp_path: Path) -> None:
    layout.snapshot(DIGEST).symlink_to(tmp_path)
    layout.snapshot("sha256:" + "cd" * 32).mkdir()
    assert observe_snapshots(layout).sizes == {}


def test_no_data_folder_is_no_snapshot_and_an_unreadable_one_is_unknown(tmp_path: Path) -> None:
    assert observe_snapshots(Layout(tmp_path)).problem is None
    (tmp_path / "data").write_text("")
    assert observe_snapshots(Layout(tmp_path)).problem == f"{tmp_path / 'data'}: is not a folder"
