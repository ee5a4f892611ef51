"""A specs repository, a root and a home of its own, and the real command line, driven as a person drives it.

The heroes are so small that an update takes milliseconds; what costs is the start of each trainer.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from state.contract.files import ContractError, read
from state.contract.manifest import MANIFEST_NAME, Manifest
from state.contract.process import COOKIE_VARIABLE, ProcessIdentity
from state.ids import checkpoint_step
from state.layout import Layout
from state.store.connection import open_reader
from state.store.rows import LedgerRow, StoreView
from state.store.view import read_view

CHECKOUT = Path(__file__).resolve().parents[2]
IDENTITY = ("-c", "user.name=Kim", "-c", "user.email=kim@lab")
PROC = Path("/proc")
shared_cache: Path | None = None
"""Where what was parsed and looked through is remembered; None: in the home of each laboratory."""


class Process(NamedTuple):
    """One process that no later one can be confused with."""

    pid: int
    start_ticks: str


class Lab:
    """One realm from the outside: what a person types, and what lies on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "specs-repository"
        self.home = folder / "home"
        self.layout = Layout(folder / "root")
        self.variables = {"XDG_CACHE_HOME": str(shared_cache)} if shared_cache else {}
        self._started: list[subprocess.Popen[str]] = []
        for made in (self.repository, self.home):
            made.mkdir(parents=True, exist_ok=True)

    # What a person does.

    def git(self, *arguments: str) -> str:
        """Run git in the specs repository and return what it printed."""
        command = ["git", "-C", str(self.repository), *IDENTITY, *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=self.environment())
        return done.stdout.strip()

    def write(self, name: str, text: str) -> Path:
        """Write a file of the repository."""
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def spec(self, name: str, **content: Any) -> None:
        """Write a spec: JSON is YAML."""
        self.write(f"specs/{name}.yaml", json.dumps(content, indent=1))

    def commit(self, message: str = "specs") -> str:
        """Commit everything and return the commit's id."""
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def environment(self) -> dict[str, str]:
        """Return the environment of a person with an empty home."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(CHECKOUT),
            "OMP_NUM_THREADS": "1",
            "REALM_ROOT": str(self.layout.root),
            **self.variables,
        }

    def reconcile(self, *arguments: str, timeout_seconds: float = 90.0) -> "subprocess.CompletedProcess[str]":
        """Type a command and wait for its end."""
        return subprocess.run(
            [sys.executable, "-m", "reconciler.cli", *arguments],
            cwd=self.repository,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )

    def converge(self) -> "subprocess.CompletedProcess[str]":
        """Apply until nothing is left to do; it must come to that, whatever is blocked (exit code 3) by then."""
        done = self.reconcile("apply", "--until-converged")
        assert done.returncode in (0, 3), done.stdout + done.stderr
        assert "Converged at" in done.stdout + done.stderr, done.stdout + done.stderr
        return done

    def start(self, *arguments: str, log: str = "reconciler.log") -> "subprocess.Popen[str]":
        """Type a command that goes on by itself; what it says is appended to the log."""
        with (self.folder / log).open("a") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "reconciler.cli", *arguments],
                cwd=self.repository,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                text=True,
            )
        self._started.append(process)
        return process

    def said(self, log: str = "reconciler.log") -> str:
        """Return what the started commands said."""
        path = self.folder / log
        return path.read_text() if path.exists() else ""

    def plan(self, *arguments: str) -> dict[str, Any]:
        """Return the plan as programs see it."""
        done = self.reconcile("plan", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    # What is to be seen.

    def store(self) -> StoreView:
        """Return what the realm's store says."""
        with open_reader(self.layout.store) as connection:
            return read_view(connection)

    def has_store(self) -> bool:
        """Was anything applied yet?"""
        return self.layout.store.exists()

    def uid(self, campaign: str) -> str:
        """Return the uid of a campaign."""
        return next(row.uid for row in self.store().campaigns if row.name == campaign)

    def ledger(self, campaign: str) -> tuple[LedgerRow, ...]:
        """Return the campaign's rows of the ledger, in the order in which they were written."""
        uid = self.uid(campaign)
        return tuple(row for row in self.store().ledger if row.campaign_uid == uid)

    def status_of(self, campaign: str, quest: str) -> str | None:
        """Return the status of a quest's job, None while there is no job."""
        if not self.has_store():
            return None
        found = (
            j for j in self.store().jobs if j.quest_id == quest and f"{j.hero_id}/{j.campaign_id}" == campaign
        )
        return next((job.status for job in found), None)

    def newest_step(self, campaign: str) -> int:
        """Return the step of the newest checkpoint that lies there, 0 without one."""
        folder = self.layout.campaign(campaign).checkpoints
        steps = (checkpoint_step(path.name) for path in (folder.iterdir() if folder.is_dir() else ()))
        return max((step for step in steps if step is not None), default=0)

    def manifests(self, campaign: str) -> dict[int, Manifest]:
        """Return the manifest of each checkpoint that lies there, by step."""
        folder = self.layout.campaign(campaign).checkpoints
        found = (path for path in folder.iterdir() if checkpoint_step(path.name) is not None)
        return {m.step: m for m in (read(path / MANIFEST_NAME, Manifest) for path in found)}

    def runs(self) -> list[Path]:
        """Return the folders of all runs."""
        return sorted(self.layout.campaigns.glob("*/*/runs/g*-a*"))

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Return the records of this kind that all runs have measured."""
        lines = (line for run in self.runs() for line in _lines(run / "metrics.jsonl"))
        return [record for record in map(json.loads, lines) if record["kind"] == kind]

    def trainers(self) -> dict[Process, Path]:
        """Return the processes that live and have claimed a run of this root, each with its run's folder."""
        return {process: run for run in self.runs() if (process := claimant(run)) is not None}

    def processes(self) -> list[int]:
        """Return every process that was started for a run of this root, claimed or not."""
        root = os.fsencode(self.layout.root)
        return [
            pid for pid in _pids() if root in _bytes(pid, "cmdline") and b"trainer" in _bytes(pid, "cmdline")
        ]

    # Ends.

    def end(self) -> None:
        """End what was started here and what trains here."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.processes(), 100, "the trainers are gone")


def claimant(run: Path) -> Process | None:
    """Return the process that claimed the run, if it lives: neither a zombie nor a later one of its number."""
    try:
        claim = read(run / "process.json", ProcessIdentity)
        stat = (PROC / str(claim.pid) / "stat").read_text().rpartition(")")[2].split()
        if stat[0] in "ZX" or stat[19] != str(claim.start_ticks):
            return None
        environment = (PROC / str(claim.pid) / "environ").read_bytes().split(b"\0")
    except (OSError, ContractError):
        return None
    is_it = f"{COOKIE_VARIABLE}={claim.cookie}".encode() in environment
    return Process(claim.pid, stat[19]) if is_it else None


def wait_until(holds: Callable[[], Any], seconds: float, what: str, *, say: Callable[[], str] = str) -> None:
    """Wait until it holds; fail with the words when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}\n{say()}"
        time.sleep(0.02)


def rows(numbers: Iterable[int]) -> str:
    """Return one line of a quest for each number, all of them different."""
    lines = (
        {"messages": [{"role": "user", "content": f"{n}+1"}, {"role": "assistant", "content": str(n + 1)}]}
        for n in numbers
    )
    return "".join(json.dumps(line) + "\n" for line in lines)


def tiny_hero(hero: str, **training: Any) -> dict[str, Any]:
    """Return the spec of a hero of a few thousand weights."""
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1}
    return {
        "id": hero,
        "model": {
            "init": "scratch", "family": "qwen3", "architecture": "Qwen3ForCausalLM", "tokenizer": "bytes",
            "vocab_size": 320, "context_length": 64, "config": sizes | {"head_dim": 8, "intermediate_size": 32},
        },
        "training_defaults": {
            "precision": "fp32", "batch_size": 2, "gradient_accumulation": 1, "optimizer": "adamw",
            "learning_rate": 0.001, "warmup_steps": 4, "max_length": 64,
            "loss_guard": {"enabled": False},  # rows are counted here: a wild update of a toy must not be left out
            **training,
        },
    }  # fmt: skip


def realm(active: str | None, **more: Any) -> dict[str, Any]:
    """Return a realm's spec in which nothing is waited for longer than a moment."""
    chosen = {"active": active} if active else {}
    return {
        "id": "flow",
        **chosen,
        "defaults": {
            "evaluation": {"every_updates": 1000, "held_out": 0.05, "max_rows": 4},
            "checkpoint": {"every_updates": 20, "every_minutes": 15},
        },
        "apply": {
            "interval": "1s",
            "retry": {"attempts": 100, "backoff": "100ms", "longest_backoff": "100ms"},
        },
        **more,
    }


def found_realm(lab: Lab, heroes: Sequence[str], active: str | None, quests: Sequence[dict[str, Any]]) -> str:
    """Write and commit a realm with a campaign for each hero."""
    lab.spec("realm", **realm(active))
    for hero in heroes:
        lab.spec(f"heroes/{hero}", **tiny_hero(hero))
        lab.spec(f"campaigns/{hero}/campaign-001", id="campaign-001")
    lab.spec("queue", quests=list(quests))
    return lab.commit("found the realm")


def _lines(path: Path) -> list[str]:
    """Return the whole lines of a file that may be written to."""
    text = path.read_text() if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())


def _bytes(pid: int, name: str) -> bytes:
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""
