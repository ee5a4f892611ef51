"""'kill -9' of reconciler or trainer at random moments of a realm's life changes nothing that counts."""

import json
import os
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from lab import Lab, Process, claimant, found_realm, realm, rows, wait_until

from state.contract.files import read
from state.contract.manifest import Manifest
from state.contract.orders import RowShape
from state.contract.process import COOKIE_VARIABLE, ProcessIdentity
from state.contract.quest_rows import is_held_out, row_digest
from state.contract.quest_rows import rows as read_rows
from state.contract.request import RunRequest
from state.contract.run_config import RunConfig
from state.store.rows import JobRow, LedgerRow
from trainer.data.order import EpochOrder

pytestmark = pytest.mark.train
ONE, TWO = "one/campaign-001", "two/campaign-001"
LOOK_SECONDS = 0.05
"""Between two looks. A trainer that claimed its run lives on for seconds: what it imports takes them."""
EVERY_UPDATES = 20
A: dict[str, Any] = {"id": "a", "file": "data/a.jsonl", "epochs": 2, "for": [ONE]}
B: dict[str, Any] = {"id": "b", "file": "data/b.jsonl", "epochs": 3, "for": [ONE]}
C: dict[str, Any] = {"id": "c", "file": "data/c.jsonl", "epochs": 1, "for": [TWO]}
LIFE_SECONDS = 400


class Chapter(NamedTuple):
    """A commit, and what must have happened before it is made."""

    when: Callable[[Lab], bool]
    commit: Callable[[Lab], str]


def _found(lab: Lab) -> str:
    lab.write("data/a.jsonl", rows(range(250)))
    lab.write("data/b.jsonl", rows(range(300, 340)))
    lab.write("data/c.jsonl", rows(range(400, 600)))
    return found_realm(lab, ["one", "two"], ONE, [A])


def _queue(lab: Lab, *quests: dict[str, Any]) -> str:
    lab.spec("queue", quests=list(quests))
    return lab.commit("queue")


def _switch(lab: Lab, campaign: str) -> str:
    lab.spec("realm", **realm(campaign))
    return lab.commit(f"switch to {campaign}")


CHAPTERS = (
    Chapter(lambda _lab: True, _found),
    Chapter(lambda lab: lab.newest_step(ONE) >= 20, lambda lab: _queue(lab, A, B, C)),
    Chapter(lambda lab: lab.newest_step(ONE) >= 40, lambda lab: _switch(lab, TWO)),
    Chapter(lambda lab: lab.newest_step(TWO) >= 20, lambda lab: _switch(lab, ONE)),
    Chapter(lambda lab: lab.status_of(ONE, "b") == "completed", lambda lab: _switch(lab, TWO)),
)


class Life:
    """A realm from its first commit to the end of its last quest, with a killer about."""

    def __init__(self, lab: Lab, *, seed: int, kills: int) -> None:
        self.lab = lab
        self.kills_left = kills
        self.killed: Counter[str] = Counter()
        self.commits: list[str] = []
        self._chance = random.Random(seed)
        self._next_kill_at = 0.0
        self._reconciler: subprocess.Popen[str] | None = None

    def live(self) -> None:
        """Go through the chapters while the killer strikes, until nothing is left to do."""
        self.commits.append(CHAPTERS[0].commit(self.lab))
        self._next_kill_at = time.monotonic() + self._chance.uniform(0.2, 2)
        deadline = time.monotonic() + LIFE_SECONDS
        while not self._is_over():
            assert time.monotonic() < deadline, f"{self.killed}\n{self.lab.said()[-6000:]}"
            self._keep_reconciler()
            self._turn_page()
            self._strike()
            time.sleep(LOOK_SECONDS)
        self._leave()

    def _is_over(self) -> bool:
        if self.kills_left or len(self.commits) < len(CHAPTERS) or not self.lab.has_store():
            return False
        return self.lab.store().applied_commit == self.commits[-1]

    def _keep_reconciler(self) -> None:
        running = self._reconciler
        if running is not None and running.poll() is not None:
            assert running.returncode == -9, f"it left by itself: {running.returncode}\n{self.lab.said()}"
            running = None
        self._reconciler = running or self.lab.start("apply", "--lock-timeout", "20")

    def _turn_page(self) -> None:
        if len(self.commits) < len(CHAPTERS) and CHAPTERS[len(self.commits)].when(self.lab):
            self.commits.append(CHAPTERS[len(self.commits)].commit(self.lab))

    def _strike(self) -> None:
        if not self.kills_left or time.monotonic() < self._next_kill_at:
            return
        self._next_kill_at = time.monotonic() + self._chance.uniform(0.1, 3)
        trainers = self.lab.processes()
        if trainers and self._chance.random() < 0.5:
            subprocess.run(["kill", "-9", str(trainers[0])], check=False, stderr=subprocess.DEVNULL)
            self.killed["trainer"] += 1
        elif self._reconciler is not None:
            self._reconciler.kill()
            self._reconciler.wait()
            self.killed["reconciler"] += 1
        self.kills_left -= 1

    def _leave(self) -> None:
        assert self._reconciler is not None
        self._reconciler.terminate()
        self._reconciler.wait(20)


class Watcher(threading.Thread):
    """Looks at the process table all the time, and remembers whoever claimed a run, and any two at once."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(daemon=True)
        self._lab, self._over = lab, threading.Event()
        self.seen: dict[Path, set[Process]] = {}
        self.together: list[tuple[Path, ...]] = []

    def run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            found = self._lab.trainers()
            for process, folder in found.items():
                self.seen.setdefault(folder, set()).add(process)
            if len(found) > 1:
                self._look_again(list(found.values()))

    def _look_again(self, folders: list[Path]) -> None:
        """Two count as together when the first still lives after the last was seen to."""
        alive = tuple(folder for folder in (*folders, *folders) if claimant(folder) is not None)
        if len(set(alive)) < len(alive) and len(set(alive)) > 1:
            self.together.append(alive)

    def end(self) -> None:
        self._over.set()
        self.join()


def _lived(folder: Path, seed: int, kills: int) -> tuple[Life, Watcher]:
    lab = Lab(folder)
    lab.git("init", "-q", "-b", "main")
    life, watcher = Life(lab, seed=seed, kills=kills), Watcher(lab)
    watcher.start()
    try:
        life.live()
        wait_until(lambda: not lab.processes(), 100, "no trainer is left")
    finally:
        watcher.end()
        lab.end()
    return life, watcher


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return _lived(tmp_path_factory.mktemp("undisturbed"), seed=0, kills=0)[0].lab


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 6))])
def test_a_life_under_fire_ends_as_the_undisturbed_one(seed: int, undisturbed: Lab, tmp_path: Path) -> None:
    life, watcher = _lived(tmp_path, seed, kills=20)

    assert sum(life.killed.values()) == 20
    _assert_life_ends_as_undisturbed(life, watcher, undisturbed)


def _assert_life_ends_as_undisturbed(life: Life, watcher: Watcher, undisturbed: Lab) -> None:
    assert _outcome(life.lab) == _outcome(undisturbed)
    assert life.lab.store().applied_commit == life.lab.git("rev-parse", "HEAD")
    assert life.lab.plan()["changes"] == []
    _check_launches(life.lab, watcher)
    for campaign, quests in ((ONE, (A, B)), (TWO, (C,))):
        learnt = _check_each_row(life.lab, campaign, quests)
        _check_proof(life.lab, campaign, learnt)


SOAK_MINUTES = float(os.environ.get("SOAK_MINUTES", "15"))


@pytest.mark.long
@pytest.mark.train
@pytest.mark.timeout(SOAK_MINUTES * 60 + 3600)
def test_life_after_life_under_fire_ends_as_the_undisturbed_one(
    undisturbed: Lab, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """For as many minutes as SOAK_MINUTES says."""
    until, seed = time.monotonic() + 60 * SOAK_MINUTES, 100
    killed: Counter[str] = Counter()
    while time.monotonic() < until:
        life, watcher = _lived(tmp_path / str(seed), seed, kills=30)
        _assert_life_ends_as_undisturbed(life, watcher, undisturbed)
        killed += life.killed
        seed += 1
    record_property("faults", {f"kill of a {who}": count for who, count in killed.items()})


def test_the_watcher_would_see_two_trainers_at_once_and_two_launches_of_one_run(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    watcher = Watcher(lab)
    sleepers = [_claiming_sleeper(lab, name) for name in ("one", "two")]
    watcher.start()
    wait_until(lambda: watcher.together, 100, "both are seen")
    sleepers.append(_claiming_sleeper(lab, "two"))
    wait_until(lambda: 2 in map(len, watcher.seen.values()), 100, "the second launch is seen")
    watcher.end()
    for sleeper in sleepers:
        sleeper.kill()
        sleeper.wait()

    assert {folder.parts[-4] for folder in watcher.together[0]} == {"one", "two"}
    assert not lab.trainers()


def _claiming_sleeper(lab: Lab, hero: str) -> "subprocess.Popen[bytes]":
    """Return a process that claimed a run, as its claim file says, and does nothing."""
    sleeper = subprocess.Popen(["sleep", "60"], env={COOKIE_VARIABLE: hero})
    stat = Path(f"/proc/{sleeper.pid}/stat")
    ticks = stat.read_text().rpartition(")")[2].split()[19]
    claim = ProcessIdentity(
        pid=sleeper.pid, boot_id="", start_ticks=int(ticks), cookie=hero, claimed_at="2026-01-31T12:00:00Z"
    )
    folder = lab.layout.campaigns / hero / "campaign-001" / "runs" / "g1-a1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "process.json").write_bytes(msgspec.json.encode(claim))
    return sleeper


def _outcome(lab: Lab) -> dict[str, Any]:
    """Return what must be equal in every life of the same commits."""
    specs = lab.git("ls-tree", "-r", "HEAD")
    return {
        "specs": specs.replace(str(lab.folder), ""),
        "pointer": _pointer(lab),
        "jobs": sorted(map(_job, lab.store().jobs)),
        "goal steps": {campaign: lab.newest_step(campaign) for campaign in (ONE, TWO)},
        "ledger": {campaign: _regular(lab, campaign) for campaign in (ONE, TWO)},
        "kept": {campaign: _kept(lab, campaign) for campaign in (ONE, TWO)},
        "open": [run for run in lab.store().runs if run.state != "ended"],
    }


def _pointer(lab: Lab) -> tuple[str, Any, Any]:
    pointer = msgspec.json.decode(lab.layout.active_pointer.read_bytes())
    return str(lab.layout.active_link.readlink()), pointer["hero_id"], pointer["campaign_id"]


def _job(job: JobRow) -> tuple[Any, ...]:
    told = job.quest_id, job.hero_id, job.campaign_id, job.status, job.epochs, job.num_examples
    return (*told, job.start_step, job.final_step, job.final_loss, job.final_val_loss, job.config_hash)


def _is_regular(lab: Lab, campaign: str, step: int) -> bool:
    """Is a save due at this step, whatever happens around it? Others were made by a stop or a switch."""
    ends = {job.final_step for job in lab.store().jobs if f"{job.hero_id}/{job.campaign_id}" == campaign}
    return step % EVERY_UPDATES == 0 or step in ends


def _regular(lab: Lab, campaign: str) -> list[tuple[Any, ...]]:
    """Return the regular rows of the ledger, without times, attempts and what hangs on them."""
    return [_row(row) for row in lab.ledger(campaign) if _is_regular(lab, campaign, row.step)]


def _row(row: LedgerRow) -> tuple[Any, ...]:
    losses = row.train_loss, row.val_loss, row.learning_rate
    told = row.training_file, row.total_examples_trained, row.has_optimizer, row.healthy, row.config_hash
    return (row.segment, row.step, *losses, *told)


def _kept(lab: Lab, campaign: str) -> list[tuple[Any, ...]]:
    """Return the regular checkpoints that lie there; the ledger knows each of them, and no other."""
    manifests = lab.manifests(campaign)
    assert set(manifests) == {row.step for row in lab.ledger(campaign)}
    assert {m.digest for m in manifests.values()} == {row.digest for row in lab.ledger(campaign)}
    regular = (m for step, m in sorted(manifests.items()) if _is_regular(lab, campaign, step))
    return [(m.step, m.cursor, m.measures, _weights(m)) for m in regular]


def _weights(manifest: Manifest) -> str:
    return next(entry.blake3 for entry in manifest.files if entry.path == "model.safetensors")


def _check_launches(lab: Lab, watcher: Watcher) -> None:
    """Never two trainers at once, never two launches of one run key."""
    assert watcher.together == []
    assert {folder: len(processes) for folder, processes in watcher.seen.items() if len(processes) > 1} == {}
    for folder in lab.runs():
        log = folder / "training.log"
        assert (log.read_text() if log.exists() else "").count(" claimed") <= 1, folder
        metrics = folder / "metrics.jsonl"
        assert (metrics.read_text() if metrics.exists() else "").count('"started"') <= 1, folder
    keys = [(run.campaign_uid, run.generation, run.attempt) for run in lab.store().runs]
    assert len(keys) == len(set(keys)) >= len(lab.runs())


def _check_each_row(lab: Lab, campaign: str, quests: tuple[dict[str, Any], ...]) -> Counter[tuple[str, int]]:
    """Count each row along the ancestry of the newest checkpoint, and return what was counted."""
    learnt: Counter[tuple[str, int]] = Counter()
    config = _config(lab)
    jobs = {job.quest_id: job for job in lab.store().jobs}
    for manifest in _ancestry(lab, campaign):
        for part in manifest.learnt:
            training, _ = _split(lab, jobs[part.quest_id], config.evaluation.held_out_fraction)
            order = EpochOrder(
                seed=config.training.seed, quest_digest=part.digest, epoch=part.epoch, num_rows=len(training)
            )
            learnt.update((part.quest_id, training[order.row_at(p)]) for p in range(part.start, part.stop))
    expected: Counter[tuple[str, int]] = Counter()
    for quest in quests:
        training, held_out = _split(lab, jobs[quest["id"]], config.evaluation.held_out_fraction)
        assert held_out
        expected.update({(quest["id"], row): quest["epochs"] for row in training})
    assert learnt == expected
    return learnt


def _config(lab: Lab) -> RunConfig:
    """Return the settings of all runs; one that was killed before its request lay there left a folder without."""
    requests = (folder / "request.json" for folder in lab.runs())
    return next(read(request, RunRequest).config for request in requests if request.exists())


def _check_proof(lab: Lab, campaign: str, learnt: Counter[tuple[str, int]]) -> None:
    """`reconcile prove` comes to the same counts by itself."""
    proof = json.loads(lab.reconcile("prove", campaign, "--json").stdout)
    assert proof["is_proven"], proof["problems"]
    told = {
        (quest["quest"], row - 1): one["times"]
        for quest in proof["quests"]
        for one in quest["times"]
        for first, last in one["rows"]
        for row in range(first, last + 1)
    }
    assert told == learnt


def _ancestry(lab: Lab, campaign: str) -> list[Manifest]:
    """Return the newest checkpoint and all that it was trained from, each link checked."""
    manifests = lab.manifests(campaign)
    line = [manifests[max(manifests)]]
    while line[-1].parent_step is not None:
        parent = manifests[line[-1].parent_step]
        assert parent.digest == line[-1].parent_digest
        assert parent.step < line[-1].step
        line.append(parent)
    return line


def _split(lab: Lab, job: JobRow, fraction: float) -> tuple[list[int], list[int]]:
    """Return the numbers of a quest's rows that are trained on, and of those that are held out."""
    path = lab.layout.snapshot(job.digest)
    found = list(read_rows(path.read_bytes(), str(path), msgspec.json.decode(job.shape_json, type=RowShape)))
    held_out = [row.index for row in found if is_held_out(row_digest(row.messages), fraction)]
    return [row.index for row in found if row.index not in held_out], held_out
