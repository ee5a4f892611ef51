"""Make a session ready to train: device, tokenizer, model, optimizers, and the checkpoint to go on from."""

import gc
import os
import time
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import torch
from msgspec.structs import replace
from safetensors.torch import load_file

from state.amounts import count
from state.atomic import ensure_folder, remove_staging
from state.contract.adapters import AdapterBase
from state.contract.files import ContractError, read
from state.contract.locked import locked_values
from state.contract.request import RunRequest
from state.ids import checkpoint_folder
from state.layout import RunLayout
from trainer.checkpoints.errors import CheckpointError
from trainer.checkpoints.load import check_campaign, read_manifest, verify_files
from trainer.checkpoints.locked import check_locked
from trainer.checkpoints.state import (
    OPTIMIZER_NAME,
    STATE_NAME,
    GuardMemory,
    MemoryState,
    TrainerState,
    check_same_optimizers,
    group_names,
    restore_optimizers,
    restore_random,
)
from trainer.engine.attention import use_documents
from trainer.engine.budget import Budget
from trainer.engine.claim import start_ticks
from trainer.engine.compiling import compile_layers
from trainer.engine.device import Precision, training_device, training_precision
from trainer.engine.failures import EnvironmentFailure
from trainer.engine.fitting import decide_checkpointing, tokens_that_fit
from trainer.engine.heartbeat import Heartbeat
from trainer.engine.host_memory import keep_freed_memory
from trainer.engine.log import say
from trainer.engine.measures import process_bytes
from trainer.engine.metrics import Metrics
from trainer.engine.model import compute_layers_twice, computes_twice, read_config
from trainer.engine.optimizer import Optimizers, build_optimizers
from trainer.engine.probing import probe_memory
from trainer.engine.progress import Progress, resumed
from trainer.engine.quests import QuestShelf
from trainer.engine.recipes import begin_recipe, note_turn
from trainer.engine.repeatable import use_repeatable_kernels
from trainer.engine.run_state import RunState
from trainer.engine.session import Session
from trainer.engine.standing import stand_at_a_checkpoint, stand_at_an_import, stand_at_the_beginning
from trainer.engine.telling import Teller
from trainer.engine.threads import use_threads
from trainer.engine.vocabulary import Vocabulary, check_vocabulary, stop_where_turns_end


def open_session(request: RunRequest, run_files: RunLayout, heartbeat: Heartbeat) -> Session:
    """Return a session that stands where the request says.

    Raises:
        EnvironmentFailure: the device, the model, the tokenizer or the checkpoint is not what it must be.
    """
    heartbeat.tell(libraries_bytes=process_bytes())  # nothing is loaded yet but these
    keep_freed_memory()
    device = training_device(request.device)
    use_repeatable_kernels(device)
    precision = training_precision(request.config.training.precision, device, _hidden_size(request))
    checkpoints = Path(request.checkpoints_dir)
    ensure_folder(checkpoints)
    remove_staging(checkpoints)  # of dead runs: we hold the one lock under which any is written
    vocabulary = requested_vocabulary(request)
    try:
        start = _stand_at(request, vocabulary, device, precision)
    except (CheckpointError, ContractError) as error:
        raise EnvironmentFailure(str(error)) from error
    check_vocabulary(vocabulary, start.model)
    stop_where_turns_end(vocabulary, start.model)
    use_threads(request.threads, start.model.num_parameters())
    state = RunState(
        request=request,
        model=start.model,
        adapter_base=start.base,
        optimizers=start.optimizers,
        vocabulary=vocabulary,
        precision=precision,
        shelf=QuestShelf(request, vocabulary, device, _budget(start, request, precision)),
        progress=start.progress,
        guard=start.saved.guard if start.saved else GuardMemory(),
    )
    begin_recipe(state, device)
    teller = Teller(state, heartbeat, Metrics(run_files.metrics, request.segment), run_files.effective)
    _tell_budget(state, teller, start.saved)
    if request.probe:
        probe_memory(state, teller)
    _tell(state, teller, device)
    return Session(state, teller)


def _hidden_size(request: RunRequest) -> int | None:
    """Return the model's width: of a pretrained one as its folder says; None where nothing does."""
    wanted = request.config.model
    is_ours = wanted.init == "scratch" or request.model_dir is None
    found = (wanted.config if is_ours else read_config(Path(request.model_dir or ""))).get("hidden_size")
    return found if isinstance(found, int) else None


def _budget(start: "_Start", request: RunRequest, precision: Precision) -> Budget:
    """Return how much goes through at once: as it was saved, else as much as fits by the estimate."""
    training = replace(request.config.training, precision=precision)
    granted = training.batch_size * training.max_length
    saved = start.saved.memory if start.saved else None
    if _is_known(saved, granted):
        return Budget(granted, saved.tokens)
    is_checkpointing = computes_twice(start.model)
    device = torch.device(request.device)
    fit = tokens_that_fit(training, start.model, device, is_checkpointing=is_checkpointing)
    return Budget(granted, fit)


def _is_known(saved: MemoryState | None, granted: int) -> TypeGuard[MemoryState]:
    """Was it saved how much goes through at once, under the same settings?"""
    return saved is not None and saved.granted_tokens == granted


def _tell_budget(state: RunState, teller: Teller, saved: TrainerState | None) -> None:
    """Note how much goes through at once where the estimate has just said so, for a replay and for people."""
    budget = state.shelf.budget
    if budget.tokens == budget.granted_tokens or _is_known(
        saved.memory if saved else None, budget.granted_tokens
    ):
        return
    note_turn(state, tokens_at_once=budget.tokens)
    note = (
        f"by the estimate of memory: at most {budget.tokens} tokens at once; granted {budget.granted_tokens}"
    )
    teller.record("memory", note=note)
    say("memory", note=note)


def requested_vocabulary(request: RunRequest) -> Vocabulary:
    """Return the tokenizer and template of a request; a pretrained one is that of its model folder."""
    config = request.config
    folder = None
    if config.tokenizer.kind == "pretrained" and request.model_dir is not None:
        folder = Path(request.model_dir)
    texts = Path(request.template_dir) if request.template_dir is not None else folder
    return Vocabulary(config.tokenizer, config.chat, config.training.max_length, folder, texts)


class _Start(NamedTuple):
    """Where a run stands before its first update."""

    model: Any
    base: AdapterBase | None
    optimizers: Optimizers
    progress: Progress
    saved: TrainerState | None
    """What lay beside the weights; None at a beginning."""


def _stand_at(
    request: RunRequest, vocabulary: Vocabulary, device: torch.device, precision: Precision
) -> _Start:
    torch.manual_seed(request.config.training.seed)
    if request.resume_step is None:
        model, base = stand_at_the_beginning(request, vocabulary.special_ids, precision)
        optimizers = build_optimizers(
            _prepared(model.to(device), request, precision), request.config.training
        )
        return _Start(model, base, optimizers, Progress(), None)
    folder = Path(request.checkpoints_dir) / checkpoint_folder(request.resume_step)
    folder = Path(request.resume_dir) if request.resume_dir is not None else folder
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    check_campaign(manifest, request.campaign_uid, request.campaign)
    if manifest.imported is not None and not manifest.imported.is_ours:
        model, base = stand_at_an_import(request, precision, folder, manifest)
        optimizers = build_optimizers(
            _prepared(model.to(device), request, precision), request.config.training
        )
        return _Start(model, base, optimizers, resumed(manifest), None)
    state = read(folder / STATE_NAME, TrainerState)
    check_locked(state.locked, locked_values(request.config), folder.name, is_start=manifest.is_start)
    model, base = stand_at_a_checkpoint(request, vocabulary.special_ids, precision, folder, manifest)
    optimizers = build_optimizers(_prepared(model.to(device), request, precision), request.config.training)
    if request.optimizer_state == "resume":
        check_same_optimizers(state.optimizers, group_names(optimizers), folder.name)
        restore_optimizers(optimizers, load_file(folder / OPTIMIZER_NAME), folder / OPTIMIZER_NAME)
    restore_random(state.random)
    return _Start(model, base, optimizers, resumed(manifest), state)


def _prepared(model: Any, request: RunRequest, precision: Precision) -> Any:
    training = replace(request.config.training, precision=precision)
    if decide_checkpointing(training, model, torch.device(request.device)):
        compute_layers_twice(model)
    use_documents(model)
    if training.compile and not compile_layers(model, torch.device(request.device)):
        say("not compiled", note="compile: true has no effect on a CPU: there it does not pay back")
    return model.train()


def _tell(state: RunState, teller: Teller, device: torch.device) -> None:
    """Record that the model is loaded and where it goes on; from now on garbage is only what is new."""
    gc.collect()
    gc.freeze()
    gc.enable()
    progress = state.progress
    seconds = round(_seconds_since_start(), 3)
    millions = sum(p.numel() for p in state.model.parameters()) / 1e6
    trained = sum(p.numel() for p in state.model.parameters() if p.requires_grad) / 1e6
    threads = count(torch.get_num_threads(), "thread")
    note = f"{device} {state.precision}, {threads}, {millions:.1f}M parameters"
    note += f", {trained:.2f}M of them trained" if state.adapter_base else ""
    teller.record("started", seconds=seconds, note=note)
    say("started", step=progress.step, seconds=seconds, on=note)
    last = progress.parent.step if progress.parent else None
    teller.config()
    teller.heartbeat.tell(step=progress.step, last_checkpoint_step=last)


def _seconds_since_start() -> float:
    """Return the age of this process."""
    ticks = start_ticks(Path("/proc/self/stat").read_text(encoding="utf-8"))
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
