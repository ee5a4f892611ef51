"""`plan` needs no write permission anywhere but in the user's own cache, and not even there."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lab import Lab, found_realm, rows

MOUNT = "for folder in {folders}; do mount --bind -o ro $folder $folder || exit 99; done; exec {command}"
NEW_NAMESPACES = ("unshare", "--user", "--map-root-user", "--mount", "--")


def test_plan_and_status_work_where_nothing_can_be_written(the_lab: Lab) -> None:
    the_lab.write("data/a.jsonl", rows(range(9)))
    found_realm(the_lab, ["one"], None, [{"id": "a", "file": "data/a.jsonl"}])
    the_lab.converge()
    the_lab.spec("campaigns/one/campaign-002", id="campaign-002")
    the_lab.commit()
    leave_a_hot_journal(the_lab)
    expected = the_lab.plan()

    found = read_only(the_lab, the_lab.folder)
    assert found["changes"] == expected["changes"]
    assert len(found["changes"]) == 1


def leave_a_hot_journal(lab: Lab) -> None:
    """Die in the middle of a transaction, as a power cut would have it."""
    script = (
        "import os, apsw, sys; c = apsw.Connection(sys.argv[1]); c.pragma('journal_mode', 'truncate'); "
        "c.execute('PRAGMA cache_spill = 1'); c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN IMMEDIATE'); "
        "[c.execute('INSERT INTO meta VALUES (?, ?)', (f'k{i}', 'x' * 3000)) for i in range(40)]; "
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(lab.layout.store)], check=False)
    journal = lab.layout.store.with_name("realm.db-journal")
    assert journal.stat().st_size > 0


def read_only(lab: Lab, *folders: Path) -> dict[str, list[object]]:
    """Return the plan that is made with these folders mounted read-only."""
    if shutil.which("unshare") is None or sys.platform != "linux":
        pytest.skip("there is no unshare(1) to mount something read-only with")
    command = f"{sys.executable} -m reconciler.cli plan --json"
    script = MOUNT.format(folders=" ".join(map(str, folders)), command=command)
    done = subprocess.run(
        [*NEW_NAMESPACES, "sh", "-c", script],
        cwd=lab.repository, env=lab.environment() | {"TMPDIR": "/tmp"}, capture_output=True, text=True, check=False,  # noqa: S108
    )  # fmt: skip
    if done.returncode == 99 or "unshare failed" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"this machine lets nobody mount in a namespace of their own: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    probe = [*NEW_NAMESPACES, "sh", "-c", script.replace(command, f"touch {folders[0]}/probe")]
    assert (
        "Read-only file system" in subprocess.run(probe, capture_output=True, text=True, check=False).stderr
    )
    plan: dict[str, list[object]] = json.loads(done.stdout)
    return plan
