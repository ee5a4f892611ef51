"""The loop: from a commit to the first action, and what it costs while nothing happens."""

import json
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from realms import RECONCILE, Realm, cpu_seconds, memory_mb

NUM_COMMITS, IDLE_SECONDS = 100, 120
"""Several whole intervals: once in each the loop looks at everything."""
_P95 = 95


def measure(folder: Path) -> Iterator[str]:
    realm = Realm(folder)
    realm.commit("queue.yaml", r"quests:(.|\n)*", "quests: []\n")
    process = subprocess.Popen(
        [RECONCILE, "apply", "--json"],
        cwd=realm.specs,
        env=realm.environment,
        stdout=subprocess.DEVNULL,  # a pipe that nobody reads would fill, and stop the loop
    )
    try:
        _wait_until_settled(realm)
        delays = sorted(_switch(realm, number) for number in range(NUM_COMMITS))
        yield (
            f"commit to action   median {statistics.median(delays) * 1000:.0f} ms, "
            f"p95 of {NUM_COMMITS} commits {delays[len(delays) * _P95 // 100] * 1000:.0f} ms (goal: 1 s), "
            f"largest {delays[-1] * 1000:.0f} ms"
        )
        time.sleep(2)
        before, begun = cpu_seconds(process.pid), time.monotonic()
        time.sleep(IDLE_SECONDS)
        share = (cpu_seconds(process.pid) - before) / (time.monotonic() - begun)
        yield f"idle               {share:.2%} of a core, {memory_mb(process.pid):.0f} MB (goal: 0.2 %, 60 MB)"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _switch(realm: Realm, number: int) -> float:
    """Commit the other hero and return the seconds until the pointer names it."""
    hero = ("tiny-muon", "tiny-adamw")[number % 2]
    realm.commit("realm.yaml", r"^active: \S+", f"active: {hero}/campaign-001")
    begun = time.perf_counter()
    pointer = realm.root / "control" / "active_campaign.json"
    while json.loads(pointer.read_text())["hero_id"] != hero:
        time.sleep(0.005)
        assert time.perf_counter() - begun < 60, "the loop does not follow"
    return time.perf_counter() - begun


def _wait_until_settled(realm: Realm) -> None:
    deadline = time.monotonic() + 60
    while "Nothing to do" not in realm.run("plan"):
        assert time.monotonic() < deadline, "the loop does not settle"
        time.sleep(0.2)
