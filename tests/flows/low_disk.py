"""A realm that trains until its disk has come to the floor: low_disk.py FOLDER, in a mount namespace of its own.

Prints as JSON what test_room.py asserts. Saves are five seconds apart and take megabytes, so that what else is
written, and how long a look takes, decides nothing.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

from lab import Lab, found_realm, realm, rows, tiny_hero, wait_until

from state.atomic import ensure_folder
from state.contract.files import ContractError, read
from state.contract.status import RunStatus

ONE = "one/campaign-001"
DISK_MIB, FLOOR = 20, "2MB"


def main() -> None:
    lab = Lab(Path(sys.argv[1]))
    lab.git("init", "-q", "-b", "main")
    lab.write("data/a.jsonl", rows(range(800)))
    ensure_folder(lab.layout.root)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=700", "none", str(lab.layout.root)]
    if subprocess.run(mount, check=False).returncode != 0:
        sys.exit(99)
    found_realm(lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl", "epochs": 1000}])
    lab.spec("realm", **realm(ONE, disk={"floor": FLOOR, "preflight": "warn"}))
    lab.spec("heroes/one", **_hero())
    lab.commit()
    try:
        print(json.dumps(_live(lab)))
    finally:
        lab.end()


def _hero() -> dict[str, Any]:
    """Return a hero whose saves take about 4 MB."""
    hero = tiny_hero("one", checkpoint={"every_updates": 1_000_000, "every_minutes": 0.08})
    hero["model"]["config"] |= {"hidden_size": 128, "head_dim": 64, "intermediate_size": 384}
    return hero


def _live(lab: Lab) -> dict[str, object]:
    least, waited = _free(lab), set()

    def is_paused() -> bool:
        nonlocal least
        least = min(least, _free(lab))
        status = _status(lab)
        waited.add(status.waiting_for if status else None)
        return status is not None and status.phase == "paused"

    lab.start("apply")
    wait_until(is_paused, 200, "it pauses", say=lab.said)
    status = _status(lab)
    saves = [sum(file.size_bytes for file in one.files) for one in lab.manifests(ONE).values()]
    return {
        "step": status.step if status else None,
        "newest_step": lab.newest_step(ONE),
        "num_saves": len(saves),
        "save_bytes": max(saves),
        "least_free_bytes": least,
        "waited": [text for text in waited if text],
        "blocked": [item["message"] for item in lab.plan()["blocked"] if item["code"] == "disk-low"],
    }


def _free(lab: Lab) -> int:
    room = os.statvfs(lab.layout.root)
    return room.f_bavail * room.f_frsize


def _status(lab: Lab) -> RunStatus | None:
    try:
        return read(lab.runs()[-1] / "status.json", RunStatus)
    except (IndexError, FileNotFoundError, ContractError):
        return None


main()
