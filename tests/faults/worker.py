"""A small process that does the trials: forking it is cheap. One request a line in, one answer a line out."""

import gc
import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

sys.path[:0] = [
    str(Path(__file__).parent),
    str(Path(__file__).parents[1] / "reconciler" / "act"),
    str(Path(__file__).parents[1]),
    str(Path(__file__).parents[2]),
]

from protocols import Protocol, without
from swaps import DELETING, WRITING, swap_everywhere
from tape import Event
from trials import CHAIN_LENGTH, NUM_CHAINS, Trials, fast_folder

from reconciler.act import environment, purging


def do_trials(name: str, num_chains: int) -> dict[str, Any]:
    """Hit a scenario by every fault at every point, then by chains of them."""
    with fast_folder() as folder:
        trials = Trials(name, folder)
        try:
            for at, fault in trials.planned():
                trials.single(at, fault)
            for seed in range(num_chains):
                trials.chain(seed)
        finally:
            trials.close()
    return {"planned": _num_planned(trials, num_chains), "faults": dict(trials.num_faults)}


def _num_planned(trials: Trials, num_chains: int) -> int:
    return len(trials.planned()) + num_chains * CHAIN_LENGTH


def cut_power(name: str, most_recoveries: int) -> dict[str, Any]:
    """Cut the power at each place of a scenario's protocol, also of tries that failed at a sync before."""
    with fast_folder() as folder:
        trials = Trials(name, folder)
        try:
            protocol = Protocol(trials)
            problems = list(protocol.problems(protocol.events))
            num_states = protocol.num_states
            for where, events in () if problems else protocol.tries_after_failures():
                problems += [f"{where}: {problem}" for problem in protocol.problems(events)]
            num_recovered = 0 if trials.scenario.starts_trainer else protocol.recoveries(most_recoveries)
        finally:
            trials.close()
    return {"problems": problems[:9], "states": num_states, "recovered": num_recovered}


def leave_out_syncs(name: str, *, known: list[str], with_failures: bool) -> dict[str, Any]:
    """Leave out each line that syncs, one at a time; return which were met and missed, and its failpoints.

    `known`: lines that were missed elsewhere, and are not tried again.
    """
    with fast_folder() as folder:
        trials = Trials(name, folder)
        try:
            protocol = Protocol(trials)
            sites = {event.site for event in protocol.events if event.site}
            missed = {site for site in sites - {*known} if _is_missed(protocol, protocol.events, site)}
            for _, events in islice(protocol.tries_after_failures(), 2 if with_failures else 0):
                synced = {event.site for event in events if event.what == "syncfs"}
                sites |= synced
                missed |= {site for site in synced - {*known} if _is_missed(protocol, events, site)}
        finally:
            trials.close()
    planned = _num_planned(trials, NUM_CHAINS)
    return {"met": sorted(sites), "missed": sorted(missed), "points": trials.points, "planned": planned}


def _is_missed(protocol: Protocol, events: Sequence[Event], site: str) -> bool:
    """Does a power cut break a promise where this line is missing?"""
    return next(protocol.problems(without(events, site)), None) is not None


@contextmanager
def _following(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def swap_links(name: str, *, follows_links: bool = False, while_writing: bool = False) -> dict[str, Any]:
    """Put links in the place of folders under a deletion; with `follows_links`, one that opens them as others do.

    `while_writing`: where something is made instead of where something goes.
    """
    kept = purging.opened
    if follows_links:
        purging.opened = _following
    with fast_folder() as folder:
        trials = Trials(name, folder)
        try:
            points = WRITING if while_writing else DELETING
            num_swaps, problems = swap_everywhere(trials, points, heals=not follows_links)
        finally:
            purging.opened = kept
            trials.close()
    return {"swaps": num_swaps, "problems": problems[:9]}


TASKS = {"swaps": swap_links, "trials": do_trials, "power": cut_power, "syncs": leave_out_syncs}


def main() -> None:
    """Answer until nobody asks any more."""
    environment._finds_this_software()  # asked once here, so that not every forked child asks
    gc.collect()
    gc.freeze()
    said, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        try:
            request = json.loads(line)
            answer = TASKS[request.pop("task")](**request)
        except BaseException:  # noqa: BLE001 - told to who asked
            answer = {"problem": traceback.format_exc()}
        print(json.dumps(answer), file=said, flush=True)


main()
