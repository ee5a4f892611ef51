"""A realm on a disk that becomes full while it trains: full_disk.py FOLDER, in a mount namespace of its own.

Prints as JSON what test_bad_input.py asserts.
"""

import json
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

from lab import Lab, found_realm, rows, tiny_hero, wait_until

from reconciler.observed.checkpoints import verify_contents
from state.atomic import ensure_folder

ONE = "one/campaign-001"
DISK_KIB, LEFT_KIB = 8 * 1024, 64


def main() -> None:
    lab = Lab(Path(sys.argv[1]))
    lab.git("init", "-q", "-b", "main")
    lab.write("data/a.jsonl", rows(range(800)))
    ensure_folder(lab.layout.root)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k,mode=700", "none", str(lab.layout.root)]
    if subprocess.run(mount, check=False).returncode != 0:
        sys.exit(99)
    found_realm(lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl"}])
    lab.spec("heroes/one", **tiny_hero("one", checkpoint={"every_updates": 60}))
    lab.commit()
    try:
        print(json.dumps(_live(lab)))
    finally:
        lab.end()


def _live(lab: Lab) -> dict[str, object]:
    lab.start("apply")
    wait_until(lambda: lab.has_store() and lab.newest_step(ONE) >= 60, 120, "a checkpoint", say=lab.said)
    filler = _fill(lab)
    before = _kept(lab)
    wait_until(lambda: _failure(lab), 120, "a save fails", say=lab.said)
    full = {
        "kept_before": before,
        "kept_while_full": _kept(lab),
        "newest_while_full": lab.newest_step(ONE),
        "message": _failure(lab),
        "history": lab.reconcile("history", "--json").stdout,
    }
    filler.unlink()
    wait_until(lambda: lab.status_of(ONE, "a") == "completed", 120, "it goes on", say=lab.said)
    newest = lab.manifests(ONE)[lab.newest_step(ONE)]
    return full | {
        "status": lab.status_of(ONE, "a"),
        "kept_after": _kept(lab),
        "updates": newest.step,
        "examples": newest.measures.examples_seen,
    }


def _fill(lab: Lab) -> Path:
    """Leave room for words, not for weights."""
    filler = lab.layout.root / "somebody-elses-film.mkv"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(file.tell() - LEFT_KIB * 1024)
    return filler


def _kept(lab: Lab) -> dict[str, str]:
    """Return the digests of the checkpoints that lie there, every byte of which is as it was written."""
    found = {}
    for step, manifest in lab.manifests(ONE).items():
        assert not verify_contents(lab.layout.campaign(ONE).checkpoint(step), manifest)
        found[str(step)] = manifest.digest
    return found


def _failure(lab: Lab) -> str | None:
    messages = (run.message for run in lab.store().runs if run.end == "failed")
    return next((text for text in messages if text and "No space left" in text), None)


main()
