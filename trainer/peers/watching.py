"""A script of another trainer as a run: claimed, watched through its reports, and ended with an `exit.json`.

Called by `python -m trainer watch --run FOLDER -- COMMAND...`. The folder gets what any run's has:
`process.json`, `status.json`, `metrics.jsonl`, `training.log`, `exit.json`. Orders mean nothing to it.
"""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from state.atomic import ensure_folder, write_file
from state.contract.exit import FailureClass, Reason, RunExit
from state.contract.process import EXIT_ALREADY_CLAIMED
from state.layout import RunLayout
from trainer.engine.claim import AlreadyClaimedError, claim_run
from trainer.engine.clock import now_text
from trainer.engine.heartbeat import Heartbeat
from trainer.engine.leaving import LastWord
from trainer.engine.metrics import Metrics
from trainer.peers.progress import Progress
from trainer.peers.server import listening

URL_VARIABLE = "KUBEFLOW_TRAINER_SERVER_URL"
TOKEN_VARIABLE = "KUBEFLOW_TRAINER_SERVER_TOKEN"  # noqa: S105 - the name of the variable
"""The path of a file with the token, as transformers reads it."""
TOKEN_NAME = "token"  # noqa: S105 - the name of the file
SEGMENT = 1
_ALL = 100
"""Percent."""
_NOT_FOUND, _NOT_RUN = 127, 126
"""Exit codes of a shell for a command that is not there, or that cannot be run (POSIX, 2.8.2)."""


class NotStarted(Exception):
    """The command cannot be started; one sentence, and the exit code that a shell has for it."""

    def __init__(self, message: str, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(message)


class Watch:
    """What was heard of the script; told as a run tells it."""

    def __init__(self, run_files: RunLayout) -> None:
        self.heartbeat = Heartbeat(run_files.status)
        self._metrics = Metrics(run_files.metrics, SEGMENT)
        self._total_steps: int | None = None

    def take(self, progress: Progress) -> None:
        """Tell one report on."""
        self._total_steps = progress.total_steps or self._total_steps
        step, note = self._step_of(progress)
        if step > self.heartbeat.status.step:
            self._metrics.record(
                "update",
                step,
                loss=progress.loss,
                learning_rate=progress.learning_rate,
                gradient_norm=progress.gradient_norm,
                note=note,
            )
        self.heartbeat.enter(
            "training",
            step=step,
            loss=progress.loss,
            learning_rate=progress.learning_rate,
            eta_seconds=progress.eta_seconds,
        )

    def _step_of(self, progress: Progress) -> tuple[int, str | None]:
        """Return the step that a report is about, and how that is known where it does not say so itself.

        transformers sends one report at the end, of 100 %, with the last metrics and no step: it counts as of
        the last one, also of a script that ended before it.
        """
        if progress.step is not None:
            return progress.step, None
        if progress.percent == _ALL and self._total_steps is not None:
            return (
                self._total_steps,
                f"told at the end, of 100 % without a step: of {self._total_steps} in all",
            )
        return self.heartbeat.status.step, None


def watch(folder: Path, command: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Run the command as the run of this folder, its output in `training.log`; return its exit code."""
    ensure_folder(folder)
    run_files = RunLayout(folder)
    try:
        claim_run(run_files.process)
    except AlreadyClaimedError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_ALREADY_CLAIMED
    seen, last_word = Watch(run_files), LastWord(run_files.exit)
    last_word.prepare()
    token, token_file = secrets.token_urlsafe(32), folder / TOKEN_NAME
    write_file(token_file, token.encode())
    seen.heartbeat.enter("starting")
    try:
        with listening(token, seen.take) as url, run_files.log.open("ab") as log:
            told = {URL_VARIABLE: url, TOKEN_VARIABLE: str(token_file)}
            script = _started(command, {**environment, **told}, log)
            with _passing_on(script) as asked:
                code = script.wait()
    except NotStarted as error:
        return _never_began(seen.heartbeat, last_word, error)
    finally:
        token_file.unlink(missing_ok=True)
    return _leave(run_files, seen.heartbeat, last_word, code, was_asked=bool(asked))


def _started(
    command: Sequence[str], environment: Mapping[str, str], log: BinaryIO
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    except OSError as error:
        code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUN
        raise NotStarted(f"{command[0]} cannot be started: {error.strerror}", code) from error


def _never_began(heartbeat: Heartbeat, last_word: LastWord, error: NotStarted) -> int:
    sys.stderr.write(f"{error}\n")
    heartbeat.enter("exited")
    last_word.write(
        RunExit(
            reason="failed",
            message=str(error),
            failure_class="environment",
            step=0,
            last_checkpoint_step=None,
            exited_at=now_text(),
        )
    )
    return error.exit_code


@contextmanager
def _passing_on(script: "subprocess.Popen[bytes]") -> Iterator[list[int]]:
    """Pass on what asks to leave, and note it."""
    asked: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        script.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(
    run_files: RunLayout, heartbeat: Heartbeat, last_word: LastWord, code: int, *, was_asked: bool
) -> int:
    reason: Reason = "finished" if code == 0 else "stopped" if was_asked else "failed"
    failure: FailureClass | None = None if code == 0 else "preempted" if was_asked else "unknown"
    ended = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"left with exit code {code}"
    heartbeat.enter("exited")
    left = RunExit(
        reason=reason,
        message=f"the script {ended}; its output is in {run_files.log.name}",
        failure_class=failure,
        step=heartbeat.status.step,
        last_checkpoint_step=None,
        exited_at=now_text(),
    )
    last_word.write(left)
    return code if code >= 0 else 128 - code
