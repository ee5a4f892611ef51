import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.observed.disk import observe_disk

REPOSITORY = Path(__file__).resolve().parents[3]
MOUNTINFO = """\
22 27 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:22 / /data rw master:2 propagate_from:1 - xfs /dev/vdb rw
24 23 0:23 / /data/my\\040share rw - nfs4 server:/x rw
25 22 0:24 / /cloud rw - fuse.rclone remote: rw
26 22 0:25 / /cloud rw - ext4 /dev/vdc rw
torn line
27 22 0:26 / /torn rw -
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTINFO)
    return path


def test_a_root_has_room_and_can_be_written(tmp_path: Path) -> None:
    facts = observe_disk(tmp_path)
    assert (facts.exists, facts.readable, facts.writable) == (True, True, True)
    assert facts.free_bytes is not None
    assert facts.total_bytes is not None
    assert 0 < facts.free_bytes <= facts.total_bytes
    assert facts.problems == ()


def test_a_missing_root_has_the_room_of_the_nearest_folder(tmp_path: Path) -> None:
    facts = observe_disk(tmp_path / "not" / "yet")
    assert (facts.exists, facts.readable, facts.writable) == (False, False, True)
    assert facts.free_bytes
    assert not (tmp_path / "not").exists()


def test_a_file_is_no_root(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("")
    facts = observe_disk(tmp_path / "root")
    assert (facts.exists, facts.readable) == (True, False)
    assert facts.problems == (f"{tmp_path / 'root'}: is not a folder",)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_root_without_write_permission_is_not_writable(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    facts = observe_disk(tmp_path)
    tmp_path.chmod(0o700)
    assert (facts.readable, facts.writable) == (True, False)


def test_a_root_on_a_read_only_file_system_is_not_writable(tmp_path: Path) -> None:
    script = (
        f"mount -t tmpfs -o ro none {tmp_path} && exec {sys.executable} -c "
        f"'from pathlib import Path; from reconciler.observed.disk import observe_disk;"
        f' facts = observe_disk(Path("{tmp_path}")); print(facts.readable, facts.writable, facts.is_read_only)\''
    )
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script]
    outcome = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    if outcome.stderr.startswith(("unshare:", "mount:")):
        pytest.skip(f"this machine lets nobody mount here: {outcome.stderr.strip()}")
    assert outcome.stdout.split() == ["True", "False", "True"]


def test_a_root_inside_a_git_work_tree_is_told_with_its_path(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    assert observe_disk(tmp_path / "repo" / "a" / "root").work_tree == str(tmp_path / "repo")
    assert observe_disk(tmp_path / "repo").work_tree == str(tmp_path / "repo")
    assert observe_disk(tmp_path / "beside").work_tree is None


def test_a_linked_work_tree_and_a_link_into_one_are_seen(tmp_path: Path) -> None:
    (tmp_path / "linked" / "root").mkdir(parents=True)
    (tmp_path / "linked" / ".git").write_text("gitdir: /elsewhere\n")
    (tmp_path / "link").symlink_to(tmp_path / "linked" / "root")
    assert observe_disk(tmp_path / "link").work_tree == str(tmp_path / "linked")


@pytest.mark.parametrize(
    ("path", "file_system", "is_network"),
    [
        ("/home/x", "ext4", False),
        ("/data", "xfs", False),
        ("/database", "ext4", False),
        ("/data/my share/root", "nfs4", True),
        ("/cloud/x", "ext4", False),
    ],
)
def test_the_file_system_is_that_of_the_nearest_and_latest_mount(
    mounts, path, file_system, is_network
) -> None:
    facts = observe_disk(Path(path), mounts)
    assert (facts.file_system, facts.is_network) == (file_system, is_network)


def test_an_unreadable_mount_table_is_unknown_not_an_error(tmp_path: Path) -> None:
    facts = observe_disk(tmp_path, tmp_path / "absent")
    assert (facts.file_system, facts.is_network) == (None, False)


def test_this_machine_tells_its_own_file_system(tmp_path: Path) -> None:
    assert observe_disk(tmp_path).file_system
