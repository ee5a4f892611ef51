"""A plan with nothing to do at 1, 100, 1,000 and 5,000 objects, and what one durable change takes, beside others.

An object of ours is a checkpoint: five of each campaign, whose spec, row, record and status file are looked at,
too. The peers are Terraform and pyinfra, where they are there; a peer that took longer than half a minute is not
asked for more.
"""

import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import large_plan
from peers.infrastructure import Peer, missing, peers
from realms import RECONCILE, Realm

SIZES = (1, 100, 1_000, 5_000)
NUM_CHANGES = 100
LONGEST_SECONDS = 30.0
_PER_CAMPAIGN = 5
_REPEAT = 3
_Place = tuple[Path, Mapping[str, str]]


def measure(folder: Path) -> Iterator[str]:
    yield from missing()
    slow: set[str] = set()
    for count in SIZES:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            yield from _at_rest(Path(place), count, slow)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        yield from _changes(Path(place))


def _at_rest(folder: Path, count: int, slow: set[str]) -> Iterator[str]:
    """Yield how long each tool takes to see that nothing is to be done; the best of a few runs."""
    ours = _realm_of(folder, count)
    mine = _best([RECONCILE, "plan", "--detailed-exitcode"], (ours.specs, ours.environment))
    yield f"{count:>5,} objects   reconcile plan   {mine}"
    for peer in (one for one in peers(folder, count, made=True) if one.name not in slow):
        theirs = _best(peer.plan, (peer.folder, peer.environment))
        yield f"{'':>5}           {peer.name + ' plan':<15}  {theirs} {theirs.seconds / mine.seconds:6.1f} x ours"
        if theirs.seconds > LONGEST_SECONDS:
            slow.add(peer.name)


def _realm_of(folder: Path, count: int) -> Realm:
    """Return a realm with so many checkpoints, and nothing to do."""
    realm = _small_realm(folder)
    campaigns = max(1, count // _PER_CAMPAIGN)
    large_plan.NUM_HEROES = min(20, campaigns)
    large_plan.CAMPAIGNS_PER_HERO = campaigns // large_plan.NUM_HEROES
    large_plan.CHECKPOINTS_PER_CAMPAIGN = min(count, _PER_CAMPAIGN)
    large_plan._write_world(realm, large_plan._write_specs(realm))
    realm.run("apply", "--until-converged")  # the commit is taken up, as those of the peers are
    return realm


def _small_realm(folder: Path) -> Realm:
    (folder / "realm").mkdir()
    realm = Realm(folder / "realm")
    realm.commit("queue.yaml", r"quests:(.|\n)*", "quests: []\n")
    realm.run("apply", "--until-converged")
    return realm


class Took(NamedTuple):
    """What a command took."""

    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:8.3f} s ({self.cpu_seconds:.3f} s of processor time)"


def _best(command: Sequence[str], place: _Place) -> Took:
    """Return what the best of a few runs took, after one to warm up; of a slow one that first run."""
    first = _run(command, place)
    if first.seconds > LONGEST_SECONDS:
        return first
    return min(_run(command, place) for _ in range(_REPEAT))


def _run(command: Sequence[str], place: _Place) -> Took:
    folder, environment = place
    begun, before = time.perf_counter(), _of_children()
    subprocess.run(command, cwd=folder, env=dict(environment), check=True, capture_output=True)
    return Took(time.perf_counter() - begun, _of_children() - before)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _changes(folder: Path) -> Iterator[str]:
    """Yield what one of many small changes takes: that of ours is written down before, and synced after it."""
    realm = _small_realm(folder)
    large_plan.NUM_HEROES, large_plan.CAMPAIGNS_PER_HERO = 1, NUM_CHANGES
    large_plan._write_specs(realm)
    place = (realm.specs, realm.environment)
    mine = _per_change([RECONCILE, "apply", "--once"], [RECONCILE, "plan"], place)
    yield f"one change of {NUM_CHANGES}  reconcile apply  {mine * 1000:8.1f} ms   (journalled, synced)"
    for peer in peers(folder, NUM_CHANGES, made=False):
        theirs = _of_peer(peer)
        yield f"{'':>17} {peer.name + ' apply':<15}  {theirs * 1000:8.1f} ms   {theirs / mine:6.1f} x ours"


def _of_peer(peer: Peer) -> float:
    return _per_change(
        peer.apply, peer.plan[:-1] if peer.name == "terraform" else peer.plan, (peer.folder, peer.environment)
    )


def _per_change(apply: Sequence[str], plan: Sequence[str], place: _Place) -> float:
    """Return the seconds that a change adds to an apply of many; what a plan of nothing takes is no part of it."""
    all_of_them = _run(apply, place).seconds
    return max(0.0, all_of_them - _run(plan, place).seconds) / NUM_CHANGES
