"""One run, from claim to exit: what `python -m trainer run` does. Imports torch only once the run is ours.

Whatever happens after the claim, `exit.json` is written last and says why the run ended.
"""

import gc
import sys
import traceback
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from state.contract.exit import RunExit
from state.contract.files import ContractError, read
from state.contract.process import EXIT_ALREADY_CLAIMED
from state.contract.request import RunRequest
from state.failpoints import arm_from_environment
from state.layout import RunLayout
from trainer.engine.claim import AlreadyClaimedError, LockBusyError, claim_run, held_lock
from trainer.engine.clock import now_text
from trainer.engine.control import Control
from trainer.engine.failures import DivergedError, EnvironmentFailure, TrainingError, translated
from trainer.engine.heartbeat import Heartbeat
from trainer.engine.leaving import LastWord
from trainer.engine.log import put, say
from trainer.engine.outcome import Outcome
from trainer.engine.stuck import Escape
from trainer.engine.watchdog import watching

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 64


def run(request_file: Path) -> int:
    """Claim the run, train as its orders say, and return the process's exit code."""
    arm_from_environment()
    run_files = RunLayout(request_file.resolve().parent)
    if not request_file.is_file():
        sys.stderr.write(f"{request_file}: there is no such file\n")
        return EXIT_USAGE
    control = Control(run_files.orders)
    control.listen()  # before the claim: from then on whoever asks to leave gets an exit.json
    try:
        claim_run(run_files.process)
    except AlreadyClaimedError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_ALREADY_CLAIMED
    heartbeat, last_word = Heartbeat(run_files.status), LastWord(run_files.exit)
    leave = partial(_leave, last_word, heartbeat)
    with ExitStack() as until_left:
        try:
            _collect_no_garbage(until_left)
            last_word.prepare()
            request = _read_request(request_file)
            heartbeat.enter(
                "starting",
                step=request.resume_step or 0,
                last_checkpoint_step=request.resume_step,
                config_hash=request.config_hash,
            )
            until_left.enter_context(_only_trainer(request))
            escape = Escape(heartbeat, leave)
            until_left.enter_context(watching(heartbeat, escape.take))
            outcome = _train(request, run_files, control, heartbeat, escape)
        except BaseException as error:  # noqa: BLE001 - whatever it is, exit.json says so
            return leave(_failed(error))
        return leave(outcome)


def _collect_no_garbage(until_left: ExitStack) -> None:
    """Looking for garbage is a fifth of the imports' time, and there is hardly any. Setup goes on with it."""
    gc.disable()
    until_left.callback(gc.enable)


def _only_trainer(request: RunRequest) -> AbstractContextManager[object]:
    try:
        return held_lock(Path(request.trainer_lock))
    except LockBusyError as error:
        raise EnvironmentFailure(str(error)) from error


def _train(
    request: RunRequest, run_files: RunLayout, control: Control, heartbeat: Heartbeat, escape: Escape
) -> Outcome:
    say("claimed", campaign=request.campaign, run=run_files.folder.name, config=request.config_hash)
    if control.has_signal():
        why = control.stop_reason() or "asked to leave"
        is_preempted = control.is_preempted()
        return Outcome(reason="stopped", message=why, failure_class="preempted" if is_preempted else None)
    from trainer.engine.loop import train
    from trainer.engine.setup import open_session

    gc.freeze()  # what was imported stays: no look for garbage goes through it, the one of setup neither
    escape.session = open_session(request, run_files, heartbeat)
    return train(escape.session, control)


def _read_request(path: Path) -> RunRequest:
    try:
        return read(path, RunRequest)
    except ContractError as error:
        raise EnvironmentFailure(str(error)) from error


def _failed(error: BaseException) -> Outcome:
    put("".join(traceback.format_exception(error)))
    failure: TrainingError = translated(error)
    return Outcome(
        reason="failed",
        message=str(failure),
        failure_class=failure.failure_class,
        healthy_step=failure.healthy_step if isinstance(failure, DivergedError) else None,
    )


def _leave(last_word: LastWord, heartbeat: Heartbeat, outcome: Outcome) -> int:
    """Tell the end."""
    last = heartbeat.status
    record = RunExit(
        reason=outcome.reason,
        message=outcome.message,
        failure_class=outcome.failure_class,
        quest_id=last.quest_id,
        step=last.step,
        last_checkpoint_step=last.last_checkpoint_step,
        healthy_step=outcome.healthy_step,
        exited_at=now_text(),
    )
    say(outcome.reason, message=outcome.message, step=last.step)
    try:
        heartbeat.enter("exited")
    except OSError as error:
        say("no status", error=error)
    is_written = last_word.write(record)
    return EXIT_FAILED if outcome.reason == "failed" or not is_written else EXIT_DONE
