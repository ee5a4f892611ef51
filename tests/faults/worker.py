"""A small process that does the trials: forking it is cheap. One request a line in, one answer a line out."""

import gc
import json
import os
import sys
import traceback
from collections.abc import Iterator
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

from injector import kinds_at
from protocols import Protocol, without
from swaps import swap_everywhere
from trials import CHAIN_LENGTH, Trials, fast_folder

from reconciler.act import environment, purging


def do_trials(name: str, num_chains: int, *, only_look: bool = False) -> dict[str, Any]:
    """Hit a scenario by every fault at every point, then by chains of them; or only look where it would be hit."""
    if only_look and name in _points:
        return _answer(name, num_chains)
    with fast_folder() as folder:
        trials = Trials(name, folder)
        try:
            planned = trials.planned()
            for at, fault in () if only_look else planned:
                trials.single(at, fault)
            for seed in range(0 if only_look else num_chains):
                trials.chain(seed)
        finally:
            trials.close()
    _points[name] = trials.points
    return {**_answer(name, num_chains), "faults": dict(trials.num_faults)}


_points: dict[str, list[str]] = {}
"""Of each scenario that was looked at: the failpoints on its way."""


def _answer(name: str, num_chains: int) -> dict[str, Any]:
    num_planned = sum(len(kinds_at(point)) for point in _points[name]) + num_chains * CHAIN_LENGTH
    return {"points": _points[name], "planned": num_planned}


def cut_power(name: str, most_recoveries: int) -> dict[str, Any]:
    """Cut the power at each place of a scenario's protocol, also of tries that failed at a sync before."""
    with fast_folder() as folder:
        trials = Trials(name, folder)
        try:
            protocol = Protocol(trials)
            problems = protocol.problems(protocol.events)
            for where, events in () if problems else protocol.tries_after_failures():
                problems += [f"{where}: {problem}" for problem in protocol.problems(events)]
            num_recovered = 0 if trials.scenario.starts_trainer else protocol.recoveries(most_recoveries)
        finally:
            trials.close()
    num_states = sum(1 for _ in protocol.cuts(protocol.events))
    return {"problems": problems[:9], "states": num_states, "recovered": num_recovered}


def leave_out_syncs(name: str, *, with_failures: bool) -> dict[str, Any]:
    """Leave out each line that syncs, one at a time; return which lines were met and which were missed."""
    with fast_folder() as folder:
        trials = Trials(name, folder)
        try:
            protocol = Protocol(trials)
            sites = {event.site for event in protocol.events if event.site}
            missed = {site for site in sites if protocol.problems(without(protocol.events, site))}
            for _, events in islice(protocol.tries_after_failures(), 2 if with_failures else 0):
                synced = {event.site for event in events if event.what == "syncfs"}
                sites |= synced
                missed |= {site for site in synced if protocol.problems(without(events, site))}
        finally:
            trials.close()
    return {"met": sorted(sites), "missed": sorted(missed)}


@contextmanager
def _following(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def swap_links(name: str, *, follows_links: bool) -> dict[str, Any]:
    """Put links in the place of folders under a deletion; with `follows_links`, one that opens them as others do."""
    kept = purging.opened
    if follows_links:
        purging.opened = _following
    with fast_folder() as folder:
        trials = Trials(name, folder)
        try:
            num_swaps, problems = swap_everywhere(trials, heals=not follows_links)
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
