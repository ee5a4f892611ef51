"""Runs: launch a trainer at most once per run key, confirm its claim, close what is over.

A launch: the row with its cookie is committed, the run's folder is filled, and only then a process is
spawned. Which process has the run is decided by the one claim file that the trainer creates. So a launch
that was killed anywhere may be done again: a process that was spawned before is found by its claim or its
cookie, and if two were spawned, only one can claim.
"""

import os
import sys

import msgspec

from reconciler.act.damaged import verified_to_resume
from reconciler.act.derived import campaign_row, places_of, write_campaign_file
from reconciler.act.environment import child_environment
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.held_out import held_out_of_run
from reconciler.act.lying import find_lying
from reconciler.act.orders import need_work, quest_orders
from reconciler.act.run_files import (
    claim_of,
    exit_of,
    files_of,
    find_run,
    is_revoked,
    living,
    need_run,
    peak_of,
    refuse_ended,
    revoke,
)
from reconciler.act.run_measures import measured
from reconciler.act.status_files import write_status_files
from reconciler.act.tools import Tools
from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.actions import CloseRun, ConfirmRun, LaunchRun, ReopenRun, RunAction
from state.atomic import create_file, ensure_folder, remove_staging, replace_link, write_json
from state.contract.files import ContractError, read
from state.contract.goals import as_order, goals_in
from state.contract.orders import Orders
from state.contract.process import COOKIE_VARIABLE
from state.contract.request import CodeVersion, HeldOutFile, RunRequest
from state.ids import checkpoint_folder
from state.layout import CampaignLayout, RunLayout
from state.store.rows import RunRow
from state.store.tables import get_meta, put, select

_OF_ITS_END = (
    *("ended_at", "end", "failure_class", "message", "quest_id", "final_step", "last_checkpoint_step"),
    *("peak_memory_bytes", "num_updates", "num_tokens", "busy_seconds", "energy_joules"),
    *("expected_seconds", "expected_low_seconds", "expected_high_seconds"),
)
"""What a run's row knows only once it is over."""


def launch(action: LaunchRun, tools: Tools) -> str:
    """Start the trainer of this run, or find the one that was started before.

    Raises:
        Temporary: another run is not over yet, a quest has no content, the run is over already, its folder
            is that of a run which the store does not know, the checkpoint to go on from is damaged, or what
            it measures with is not in the realm.
        Permanent: the run was asked for with another config before.
    """
    files = files_of(tools, action)
    row = find_run(tools, action)
    if row is not None:
        refuse_ended(row, action)
        if files.process.exists():
            return _adopt(tools, action, row)
    elif files.folder.exists():
        raise Temporary(
            f"{files.folder} was used by a run that the store does not know, and is left as it is; "
            "the next plan takes another number"
        )
    held_out = held_out_of_run(action, tools)
    need_work(tools, action.job_uids)
    row, code_version = _commit_row(tools, action, row)
    request = _request(tools, action, row, code_version, held_out)
    _fill_folder(tools, action, files, row, request)
    write_campaign_file(tools, action.campaign_uid, action.campaign)
    write_status_files(tools, action.campaign_uid, action.campaign)
    if living(tools, files, row.cookie) is None:
        _spawn(tools, action, files, row)
    return _adopt(tools, action, row)


def confirm(action: ConfirmRun, tools: Tools) -> str:
    """Write down that the trainer claimed its run."""
    row = need_run(tools, action)
    refuse_ended(row, action)
    _put_run(tools, msgspec.structs.replace(row, state="running", pid=action.pid))
    return f"pid {action.pid}"


def close(action: CloseRun, tools: Tools) -> str:
    """Write down how the run ended.

    Raises:
        Temporary: its trainer lives, or claimed the run after all.
    """
    row = need_run(tools, action)
    if row.state == "ended":
        write_status_files(tools, action.campaign_uid, action.campaign)
        return f"closed before: {row.end}"
    files = files_of(tools, action)
    if action.end == "never_started":
        if not revoke(tools, files):
            raise Temporary("claimed after all: its trainer was only slow to start; nothing was closed")
    elif (found := living(tools, files, row.cookie)) is not None:
        where = "in another PID namespace" if found.pid is None else f"(pid {found.pid})"
        raise Temporary(f"its trainer lives {where}; nothing was closed")
    end_run(tools, files, row, action)
    return f"{action.end}: {action.message}"


def reopen(action: ReopenRun, tools: Tools) -> str:
    """Write down that the run is not over.

    Raises:
        Temporary: its trainer has left since, or another run is not over.
    """
    row, files = need_run(tools, action), files_of(tools, action)
    if row.state == "ended":
        if exit_of(files) is not None or living(tools, files, row.cookie) is None:
            raise Temporary("its trainer has left meanwhile; the run stays closed")
        _put_open(tools, action, row)
    write_status_files(tools, action.campaign_uid, action.campaign)
    return f"pid {action.pid}: it trains on"


def _put_open(tools: Tools, action: ReopenRun, row: RunRow) -> None:
    without_end = dict.fromkeys(_OF_ITS_END)
    with tools.writer.transaction() as store:
        for other in select(store, RunRow, "WHERE state != 'ended'"):
            _refuse_second(other, row, action)
        put(store, [msgspec.structs.replace(row, **without_end, state="running", pid=action.pid)])


def end_run(tools: Tools, files: RunLayout, row: RunRow, how: CloseRun) -> None:
    """Write the end into the run's row; then nobody works in its folder any more."""
    with tools.writer.transaction() as store:
        fields = measured(store, row, files.metrics)
    _put_run(
        tools,
        msgspec.structs.replace(
            row,
            **fields,
            state="ended",
            pid=row.pid or _claimed_pid(files),
            ended_at=how.ended_at or tools.now(),
            end=how.end,
            failure_class=how.failure_class,
            message=how.message,
            quest_id=how.quest_id,
            final_step=how.final_step,
            last_checkpoint_step=how.last_checkpoint_step,
            peak_memory_bytes=peak_of(files),
        ),
    )
    write_status_files(tools, how.campaign_uid, how.campaign)
    remove_staging(files.folder)


def _commit_row(tools: Tools, action: LaunchRun, row: RunRow | None) -> tuple[RunRow, CodeVersion]:
    """Write the launch into the store, with the cookie that its process will carry."""
    code_version = tools.code_version()
    found = _found_to_resume(tools, action)
    row = RunRow(
        campaign_uid=action.campaign_uid,
        generation=action.generation,
        attempt=action.attempt,
        state="launching",
        cookie=row.cookie if row else tools.new_cookie(),
        config_hash=action.config_hash,
        config_json=msgspec.json.encode(action.config).decode(),
        code_version=str(code_version),
        specs_commit=action.specs_commit,
        device=action.device,
        resume_step=found.step if found else None,
        launched_at=row.launched_at if row else tools.now(),
    )
    with tools.writer.transaction() as store:
        for other in select(store, RunRow, "WHERE state != 'ended'"):
            _refuse_second(other, row, action)
        campaign = campaign_row(store, action.campaign_uid, action.campaign)
        row = msgspec.structs.replace(row, segment=action.segment or campaign.segment)
        put(store, [row, msgspec.structs.replace(campaign, **_provenance(row))])
    return row, code_version


def _found_to_resume(tools: Tools, action: LaunchRun) -> FoundCheckpoint | None:
    segment, parent = action.segment, action.parent_digest
    return verified_to_resume(
        tools, action.campaign, action.campaign_uid, segment=segment, parent_digest=parent
    )


def _refuse_second(other: RunRow, row: RunRow, action: RunAction) -> None:
    key = (other.campaign_uid, other.generation, other.attempt)
    if key != (row.campaign_uid, row.generation, row.attempt):
        raise Temporary(
            f"run g{other.generation}-a{other.attempt} of campaign uid {other.campaign_uid} is not over; "
            f"{action.campaign} starts after it"
        )


def _provenance(row: RunRow) -> dict[str, str | int]:
    return {
        "generation": row.generation,
        "config_hash": row.config_hash,
        "code_version": row.code_version,
        "specs_commit": row.specs_commit,
    }


def _fill_folder(tools: Tools, action: LaunchRun, files: RunLayout, row: RunRow, request: RunRequest) -> None:
    """Write request and orders; a request that a killed launch left is kept if it asks for the same."""
    ensure_folder(files.folder)
    if not create_file(files.request, msgspec.json.format(msgspec.json.encode(request), indent=2) + b"\n"):
        _check_same(files, request)
    orders = Orders(
        sequence=1, quests=quest_orders(tools, action.job_uids, row), **as_order(goals_in(action))
    )
    write_json(files.orders, orders)


def _request(
    tools: Tools,
    action: LaunchRun,
    row: RunRow,
    code_version: CodeVersion,
    held_out: HeldOutFile | None,
) -> RunRequest:
    with tools.writer.transaction() as store:
        realm_uid = get_meta(store, "realm_uid") or ""
    places = places_of(tools, action.campaign_uid, action.campaign)
    return RunRequest(
        realm_uid=realm_uid,
        campaign_uid=action.campaign_uid,
        campaign=action.campaign,
        generation=action.generation,
        attempt=action.attempt,
        segment=row.segment,
        config=action.config,
        config_hash=action.config_hash,
        code_version=code_version,
        specs_commit=action.specs_commit,
        device=action.device,
        threads=action.threads,
        checkpoints_dir=str(places.checkpoints if action.segment is None else places.segment(action.segment)),
        model_dir=action.model_dir,
        trainer_lock=str(tools.layout.trainer_lock),
        held_out=held_out,
        resume_step=row.resume_step,
        optimizer_state=action.optimizer_state,
        resume_dir=_resume_dir(tools, action, row, places),
        decay=action.decay,
        probe=action.probe,
    )


def _resume_dir(tools: Tools, action: LaunchRun, row: RunRow, places: CampaignLayout) -> str | None:
    """Return where the checkpoint lies that a branch goes on from; None: in its own folder, as usual.

    Raises:
        Temporary: it is gone.
    """
    own = (
        None
        if action.segment is None
        else places.segment(action.segment) / checkpoint_folder(row.resume_step or 0)
    )
    if own is None or own.is_dir():
        return None
    found = find_lying(tools, action.campaign_uid, action.campaign, action.parent_digest or "")
    if found is None:
        raise Temporary(f"{own}: what it branches off from is gone; planned again")
    return found.path


def _check_same(files: RunLayout, request: RunRequest) -> None:
    found = read(files.request, RunRequest)
    if found != request:
        names = [n for n in RunRequest.__struct_fields__ if getattr(found, n) != getattr(request, n)]
        raise Permanent(
            f"{files.request}: this run was asked for before, and differs in {', '.join(names)}; "
            "the next plan closes it and starts the next attempt"
        )


def _spawn(tools: Tools, action: LaunchRun, files: RunLayout, row: RunRow) -> None:
    link = places_of(tools, action.campaign_uid, action.campaign).training_log
    ensure_folder(link.parent)
    replace_link(link, os.path.relpath(files.log, link.parent))
    # The plan numbers GPUs as NVML does; torch is to number them the same.
    more = {COOKIE_VARIABLE: row.cookie, "PYTHONSAFEPATH": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    env = child_environment(os.environ, **more)
    env.pop("CUDA_VISIBLE_DEVICES", None)
    tools.launcher.spawn(
        [sys.executable, "-m", "trainer", "run", "--request", str(files.request)],
        env=env,
        log=files.log,
        cwd=files.folder,
    )


def _adopt(tools: Tools, action: RunAction, row: RunRow) -> str:
    """Write down the claim, if it is there by now; else the next plan does.

    Raises:
        Temporary: the claim was taken away from every trainer.
    """
    files = files_of(tools, action)
    pid = _claimed_pid(files)
    if pid is None and is_revoked(files):
        raise Temporary("this launch was given up before a trainer came; the next plan closes it")
    if pid is None:
        return "started; it is loading"
    _put_run(tools, msgspec.structs.replace(row, state="running", pid=pid))
    return f"pid {pid}, config {row.config_hash.removeprefix('sha256:')[:8]}, code {row.code_version[:12]}"


def _claimed_pid(files: RunLayout) -> int | None:
    try:
        claim = claim_of(files)
    except ContractError:
        return None
    return claim.pid if claim and claim.pid else None


def _put_run(tools: Tools, row: RunRow) -> None:
    with tools.writer.transaction() as store:
        put(store, [row])
