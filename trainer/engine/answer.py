"""Greedy answers from a checkpoint, or from the weights that a campaign begins with."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from state.contract.files import ContractError, read
from state.contract.request import RunRequest
from trainer.checkpoints.errors import CheckpointError
from trainer.checkpoints.load import read_manifest, verify_files
from trainer.checkpoints.state import STATE_NAME, TrainerState
from trainer.data.rendering import RowError
from trainer.engine.device import training_device
from trainer.engine.failures import TrainingError
from trainer.engine.generating import answers
from trainer.engine.model import saved_model
from trainer.engine.setup import requested_vocabulary
from trainer.engine.standing import adapted_model, initial_model
from trainer.engine.threads import use_threads
from trainer.engine.vocabulary import Vocabulary

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 64


class PromptError(Exception):
    """Prompts that cannot be read; says where."""


def main(options: argparse.Namespace) -> int:
    """Answer every prompt, in the order given; return the process's exit code."""
    try:
        prompts = _prompts(options)
        model, vocabulary = _load(options)
        use_threads(options.threads, model.num_parameters())
        model = model.to(training_device(options.device)).eval()
        for prompt, answer in zip(
            prompts, answers(model, vocabulary, prompts, options.max_new_tokens), strict=True
        ):
            _show(prompt, answer, as_json=options.json)
    except (PromptError, RowError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    except (TrainingError, CheckpointError, ContractError, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    return EXIT_DONE


def _load(options: argparse.Namespace) -> tuple[Any, Vocabulary]:
    if options.checkpoint is not None:
        return load_checkpoint(options.checkpoint, options.base, is_trusted=options.no_verify)
    request = read(options.request, RunRequest)
    vocabulary = requested_vocabulary(request)
    return initial_model(request, vocabulary.special_ids), vocabulary


def load_checkpoint(
    folder: Path, base: Path | None = None, *, is_trusted: bool = False
) -> tuple[Any, Vocabulary]:
    """Return model and vocabulary of a checkpoint; of adapters, on the weights that they belong to.

    `base` is the folder of the hero's pretrained weights, where the adapters belong to those.

    Raises:
        CheckpointError: it is damaged, or what its adapters belong to is.
        EnvironmentFailure: `base` is not what its adapters belong to.
    """
    manifest = read_manifest(folder)
    if not is_trusted:
        verify_files(folder, manifest)
    if manifest.imported is not None and not manifest.imported.is_ours:
        raise CheckpointError(
            f"{folder}: imported from {manifest.imported.source}: nothing says which tokenizer and chat "
            "template its weights belong to; train its campaign, then ask what that saves"
        )
    locked = read(folder / STATE_NAME, TrainerState).locked
    files = folder if locked.tokenizer.kind == "pretrained" else None
    vocabulary = Vocabulary(locked.tokenizer, locked.chat, locked.model.max_context_length, files)
    if manifest.adapter_base is None:
        return saved_model(folder), vocabulary
    if manifest.adapter_base.kind == "model" and base is None:
        raise CheckpointError(
            f"{folder}: adapters of {locked.model.base_model}; say where its weights are: --base DIR"
        )
    return adapted_model(folder, manifest, vocabulary.special_ids, base), vocabulary


def _prompts(options: argparse.Namespace) -> list[str]:
    found = [*options.prompt, *_read_prompts(options.prompts)]
    if not found:
        raise PromptError("no prompt: give --prompt TEXT or --prompts FILE")
    return found


def _read_prompts(path: Path | None) -> Iterator[str]:
    if path is None:
        return
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise PromptError(f"{path}: cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _prompt_of(line, f"{path}:{number}")


def _prompt_of(line: bytes, place: str) -> str:
    try:
        row = msgspec.json.decode(line)
        prompt = row["prompt"] if "prompt" in row else _first_user_turn(row["messages"])
    except (
        msgspec.DecodeError,
        RecursionError,
        UnicodeDecodeError,
        TypeError,
        KeyError,
        StopIteration,
    ) as error:
        raise PromptError(f'{place}: expected an object with "prompt" or "messages"') from error
    if not isinstance(prompt, str):
        raise PromptError(f"{place}: the prompt is not text")
    return prompt


def _first_user_turn(messages: list[dict[str, Any]]) -> Any:
    return next(message["content"] for message in messages if message["role"] == "user")


def _show(prompt: str, answer: str, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"prompt": prompt, "answer": answer}, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{prompt}\n  → {answer}\n")
