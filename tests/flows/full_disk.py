"""A realm on a disk that becomes full while it trains: full_disk.py FOLDER BALLAST LEFT, in a mount namespace
of its own. LEFT: so many KiB stay free when it is full.

Prints as JSON what test_bad_input.py asserts.
"""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

from lab import Lab, found_realm, realm, rows, tiny_hero, wait_until

from reconciler.app.comparing.curves import records
from reconciler.desired.realm import size_bytes
from reconciler.observed.checkpoints import verify_contents
from reconciler.plan.costs.room import LEAST_FREE_BYTES
from state.atomic import ensure_folder
from state.contract.files import read
from state.contract.status import RunStatus

ONE = "one/campaign-001"
DISK_KIB = 8 * 1024


def main() -> None:
    lab = Lab(Path(sys.argv[1]))
    lab.git("init", "-q", "-b", "main")
    lab.write("data/a.jsonl", rows(range(800)))
    ensure_folder(lab.layout.root)
    ballast, left_kib = sys.argv[2], int(sys.argv[3])
    disk_kib = DISK_KIB + (LEAST_FREE_BYTES + size_bytes(ballast)) // 1024
    mount = ["mount", "-t", "tmpfs", "-o", f"size={disk_kib}k,mode=700", "none", str(lab.layout.root)]
    if subprocess.run(mount, check=False).returncode != 0:
        sys.exit(99)
    found_realm(lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl"}])
    disk = {"floor": "0MB", "ballast": ballast, "preflight": "warn"}  # the trainer's own look is tried
    lab.spec("realm", **realm(ONE, disk=disk))
    lab.spec("heroes/one", **tiny_hero("one", checkpoint={"every_updates": 60}))
    lab.commit()
    try:
        print(json.dumps(_live(lab, left_kib) if ballast == "0MB" else _live_on_ballast(lab, left_kib)))
    finally:
        lab.end()


def _live(lab: Lab, left_kib: int) -> dict[str, object]:
    lab.start("apply")
    wait_until(lambda: lab.has_store() and lab.newest_step(ONE) >= 60, 120, "a checkpoint", say=lab.said)
    filler = _fill(lab, left_kib)
    before = _kept(lab)
    wait_until(lambda: _waiting(lab), 120, "the trainer waits", say=lab.said)
    wait_until(lambda: _blocked(lab), 100, "the plan says so", say=lab.said)
    full = {
        "kept_before": before,
        "kept_while_full": _kept(lab),
        "newest_while_full": lab.newest_step(ONE),
        "message": _waiting(lab),
        "blocked": _blocked(lab),
    }
    filler.unlink()
    wait_until(lambda: lab.status_of(ONE, "a") == "completed", 120, "it goes on", say=lab.said)
    newest = lab.manifests(ONE)[lab.newest_step(ONE)]
    return full | {
        "status": lab.status_of(ONE, "a"),
        "launches": len(lab.runs()),
        "kept_after": _kept(lab),
        "updates": newest.step,
        "recorded": _recorded(lab),
        "examples": newest.measures.examples_seen,
    }


def _live_on_ballast(lab: Lab, left_kib: int) -> dict[str, object]:
    """Fill the disk with the ballast on it, and leave it full: what is to be trained ends all the same."""
    lab.start("apply")
    wait_until(lambda: lab.has_store() and lab.newest_step(ONE) >= 60, 120, "a checkpoint", say=lab.said)
    wait_until(lab.layout.ballast.exists, 100, "the ballast", say=lab.said)
    _fill(lab, left_kib)
    wait_until(lambda: lab.status_of(ONE, "a") == "completed", 120, "it goes on", say=lab.said)
    return {
        "status": lab.status_of(ONE, "a"),
        "said": lab.said(),
        "is_there": lab.layout.ballast.exists(),
        "recorded": max(row.step for row in lab.ledger(ONE)) == lab.newest_step(ONE),
        "kept": len(_kept(lab)),
    }


def _fill(lab: Lab, left_kib: int) -> Path:
    """Leave room for words at most, not for weights, with one call: what is let go meanwhile is not taken, too."""
    filler = lab.layout.root / "somebody-elses-film.mkv"
    with filler.open("wb", buffering=0) as file:
        while not _has_taken(file.fileno(), lab.layout.root, left_kib):
            pass  # somebody wrote between the look at the disk and the call
    return filler


def _has_taken(descriptor: int, root: Path, left_kib: int) -> bool:
    """Take what is free but for so much; say whether it was still free."""
    room = os.statvfs(root)
    try:
        os.posix_fallocate(descriptor, 0, room.f_bavail * room.f_frsize - left_kib * 1024)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


def _recorded(lab: Lab) -> list[int]:
    """Return the step of every update that the metrics tell of."""
    files = [folder / "metrics.jsonl" for folder in lab.runs()]
    return [one.step for file in files for one in records(file) if one.kind == "update"]


def _kept(lab: Lab) -> dict[str, str]:
    """Return the digests of the checkpoints that lie there, every byte of which is as it was written."""
    found = {}
    for step, manifest in lab.manifests(ONE).items():
        assert not verify_contents(lab.layout.campaign(ONE).checkpoint(step), manifest)
        found[str(step)] = manifest.digest
    return found


def _waiting(lab: Lab) -> str | None:
    """Return what the trainer says that it waits for."""
    found = read(lab.runs()[-1] / "status.json", RunStatus)
    return found.waiting_for


def _blocked(lab: Lab) -> str | None:
    """Return how the plan names it."""
    blocked = lab.plan()["blocked"]
    return next((item["message"] for item in blocked if item["code"] == "trainer-waits"), None)


main()
