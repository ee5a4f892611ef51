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


class Watch:
    """What was heard of the script; told as a run tells it."""

    def __init__(self, run_files: RunLayout) -> None:
        self.heartbeat = Heartbeat(run_files.status)
        self._metrics = Metrics(run_files.metrics, SEGMENT)

    def take(self, progress: Progress) -> None:
        """Tell one report on."""
        step = self.heartbeat.status.step if progress.step is None else progress.step
        if step > self.heartbeat.status.step:
            self._metrics.record(
                "update",
                step,
                loss=progress.loss,
                learning_rate=progress.learning_rate,
                gradient_norm=progress.gradient_norm,
            )
        self.heartbeat.enter(
            "training",
            step=step,
            loss=progress.loss,
            learning_rate=progress.learning_rate,
            eta_seconds=progress.eta_seconds,
        )


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
            script = subprocess.Popen(
                command, env={**environment, **told}, stdout=log, stderr=subprocess.STDOUT
            )
            with _passing_on(script) as asked:
                code = script.wait()
    finally:
        token_file.unlink(missing_ok=True)
    return _leave(run_files, seen.heartbeat, last_word, code, was_asked=bool(asked))


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
