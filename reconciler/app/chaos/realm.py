"""The toy realm: specs, root and processes of its own, far from every other realm."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from reconciler.act.environment import child_environment
from reconciler.app.surroundings.realm_store import read_store
from reconciler.observed.processes import PROC
from state.contract.process import COOKIE_VARIABLE
from state.ids import checkpoint_step
from state.layout import Layout
from state.store.rows import StoreView

CAMPAIGN = "toy/campaign-001"
_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.2
_MOST_LINES = 8


class ChaosStuck(Exception):
    """The toy realm did not come to where it had to come."""


class ToyRealm:
    """A hero of a few thousand weights that learns sums in some seconds."""

    def __init__(self, folder: Path, updates: int) -> None:
        self.folder = folder
        self.repository = folder / "specs"
        self.layout = Layout(folder / "root")
        self._loop: subprocess.Popen[bytes] | None = None
        if not self.repository.exists():
            self._write(updates)

    def _write(self, updates: int) -> None:
        for path, content in _specs(updates).items():
            file = self.repository / "specs" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(content, indent=1), encoding="utf-8")  # JSON is YAML
        rows = (json.dumps({"prompt": f"{i} + {i % 7} = ", "completion": str(i + i % 7)}) for i in range(100))
        (self.repository / "sums.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "A toy realm")):
            self._git(*words)

    def _git(self, *words: str) -> None:
        who = ("-c", "user.name=chaos", "-c", "user.email=chaos@localhost", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(self.repository), *who, *words], check=True, capture_output=True)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of its commands: this one's, without what names another realm."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("REALM_")}
        mine = {"REALM_ROOT": str(self.layout.root), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
        return {**child_environment(ours), **mine, **more}

    def run(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            _command(words),
            cwd=self.repository,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS * 2,
            check=False,
        )

    def start_loop(self, **more: str) -> None:
        """Let `apply` follow the branch in the background, unless it does."""
        if self.loop_lives():
            return
        with (self.folder / "apply.log").open("ab") as log:
            self._loop = subprocess.Popen(
                _command(("apply",)),
                cwd=self.repository,
                env=self.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def loop_lives(self) -> bool:
        """Does the reconciler live?"""
        return self._loop is not None and self._loop.poll() is None

    def kill_loop(self) -> bool:
        """Kill the reconciler as a power cut would; say whether there was one."""
        lived = self.loop_lives()
        if self._loop is not None:
            self._loop.kill()
            self._loop.wait()
        return lived

    def trainers(self) -> list[int]:
        """Return the pids of the trainers of this root that live."""
        return [pid for pid in _pids() if self._is_ours(pid)]

    def _is_ours(self, pid: int) -> bool:
        try:
            environ = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
            words = (PROC / str(pid) / "cmdline").read_bytes()
        except OSError:
            return False
        is_trainer = any(one.startswith(COOKIE_VARIABLE.encode() + b"=") for one in environ)
        return is_trainer and os.fsencode(self.layout.root) + b"/" in words

    def kill_trainers(self) -> int:
        """Kill every trainer; return how many there were."""
        pids = self.trainers()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.trainers(), "the killed trainer is gone")
        return len(pids)

    def store(self) -> StoreView | None:
        """Return what the store says; None before the first apply."""
        try:
            return read_store(self.layout)
        except FileNotFoundError:
            return None

    def newest_step(self) -> int:
        """Return the step of the newest checkpoint that lies there; 0: none."""
        folders = self.layout.campaign(CAMPAIGN).checkpoints.glob("*")
        return max((checkpoint_step(path.name) or 0 for path in folders), default=0)

    def is_done(self) -> bool:
        """Has it learnt everything, and did its trainer leave?"""
        store = self.store()
        jobs = store.jobs if store is not None else ()
        return bool(jobs) and all(job.status == "completed" for job in jobs) and not self.trainers()

    def plan(self) -> Mapping[str, Any]:
        """Return what `plan --json` says."""
        said: dict[str, Any] = msgspec.json.decode(self.run("plan", "--json").stdout)
        return said

    def end(self) -> None:
        """Leave no process behind."""
        self.kill_loop()
        self.kill_trainers()


def last_words(said: "subprocess.CompletedProcess[str]") -> str:
    """Return the last lines that a command printed, whole ones, those about what went wrong at the end."""
    lines = [line.strip() for line in (*said.stdout.splitlines(), *said.stderr.splitlines())]
    return "\n".join([line for line in lines if line][-_MOST_LINES:])


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = _PATIENCE_SECONDS) -> None:
    """Wait for something.

    Raises:
        ChaosStuck: it is not so after that time.
    """
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise ChaosStuck(f"{what}: not so after {seconds:g} s")
        time.sleep(_LOOK_SECONDS)


def _command(words: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "reconciler.cli.hurt", *words]


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]


def _specs(updates: int) -> dict[str, Any]:
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
    model = {
        "init": "scratch",
        "family": "qwen3",
        "architecture": "Qwen3ForCausalLM",
        "tokenizer": "bytes",
        "vocab_size": 320,
        "context_length": 64,
        "config": {**sizes, "head_dim": 16, "intermediate_size": 64},
    }
    training = {
        "precision": "fp32",
        "batch_size": 4,
        "gradient_accumulation": 1,
        "optimizer": "adamw",
        "learning_rate": 0.003,
        "warmup_steps": 10,
        "max_length": 64,
        "loss_guard": {"enabled": False},
    }
    retry = {"attempts": 100, "backoff": "100ms", "longest_backoff": "100ms"}
    return {
        "realm.yaml": {
            "id": "chaos",
            "active": CAMPAIGN,
            "defaults": {
                "evaluation": {"every_updates": 200, "held_out": 0.04, "max_rows": 4},
                "checkpoint": {"every_updates": 50, "every_minutes": 15},
            },
            "apply": {"interval": "1s", "retry": retry},
        },
        "heroes/toy.yaml": {"id": "toy", "model": model, "training_defaults": training},
        f"campaigns/{CAMPAIGN}.yaml": {"id": "campaign-001"},
        "queue.yaml": {"quests": [{"id": "sums", "file": "sums.jsonl", "epochs": max(1, updates // 24)}]},
        "retention.yaml": {"campaigns": {"active": {"keep_checkpoints": 4}}, "minimum_age": "1s"},
    }
