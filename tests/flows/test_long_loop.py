"""A loop that runs for weeks: it keeps no file open, no thread and no memory of what it has done."""

import gc
import sys
import threading
from pathlib import Path

import pytest
from lab import found_realm, rows
from worlds import World

from state.store.connection import open_reader

TICKS, WARM, EVERY = 500, 100, 10
OPEN_FILES = Path("/proc/self/fd")


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="what is open is counted in /proc")
def test_five_hundred_ticks_with_fifty_commits_leave_no_file_open_no_thread_and_no_memory(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    world.is_watched = False
    world.lab.write("data/a.jsonl", rows(range(9)))
    found_realm(world.lab, ["one", "two"], None, [])
    seen: dict[int, tuple[int, int, int]] = {}

    def after_each(number: int) -> None:
        if number % EVERY == 0:
            hero = ("one", "two")[number // EVERY % 2]
            world.lab.write("specs/realm.yaml", f"id: flow\nactive: {hero}/campaign-001\n")
            world.lab.commit()
        if number in (WARM, TICKS - 1):
            gc.collect()
            seen[number] = (len(list(OPEN_FILES.iterdir())), threading.active_count(), len(gc.get_objects()))

    world.tick_on(TICKS, after_each)
    with open_reader(world.lab.layout.store) as store:
        (switches,) = store.execute("SELECT count(*) FROM actions WHERE kind = 'ActivateCampaign'").fetchone()
    assert switches == TICKS // EVERY
    (files, threads, objects), (files_then, threads_then, objects_then) = seen[WARM], seen[TICKS - 1]
    assert (files_then, threads_then) == (files, threads)
    assert objects_then < objects * 1.05
