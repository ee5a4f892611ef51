"""Greedy answers from a checkpoint, or from the weights that a campaign begins with."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from state.contract.files import ContractError, read
from state.contract.request import RunRequest
from state.contract.row_shapes import Message
from trainer.checkpoints.errors import CheckpointError
from trainer.checkpoints.load import read_manifest, verify_files
from trainer.checkpoints.state import STATE_NAME, TrainerState
from trainer.data.rendering import RowError
from trainer.engine.device import training_device
from trainer.engine.failures import TrainingError
from trainer.engine.model import saved_model
from trainer.engine.setup import requested_vocabulary
from trainer.engine.standing import adapted_model, initial_model
from trainer.engine.threads import use_threads
from trainer.engine.vocabulary import Vocabulary

BATCH_PROMPTS = 128
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


def answers(model: Any, vocabulary: Vocabulary, prompts: Sequence[str], max_new_tokens: int) -> list[str]:
    """Return the model's most likely answer to each prompt, token by token, up to the end of its turn.

    Prompts of similar length go through together, filled up on the left.
    """
    documents = [vocabulary.renderer.prompt_ids([Message("user", prompt)]) for prompt in prompts]
    by_length = sorted(range(len(documents)), key=lambda number: len(documents[number]))
    found: dict[int, str] = {}
    for start in range(0, len(by_length), BATCH_PROMPTS):
        numbers = by_length[start : start + BATCH_PROMPTS]
        texts = _answer_batch(model, vocabulary, [documents[number] for number in numbers], max_new_tokens)
        found.update(zip(numbers, texts, strict=True))
    return [found[number] for number in range(len(documents))]


def _answer_batch(
    model: Any, vocabulary: Vocabulary, documents: Sequence[Sequence[int]], max_new_tokens: int
) -> list[str]:
    encoder = vocabulary.encoder
    width = max(len(document) for document in documents)
    ids = [[encoder.pad_id] * (width - len(document)) + list(document) for document in documents]
    mask = [[0] * (width - len(document)) + [1] * len(document) for document in documents]
    with torch.inference_mode():
        output = model.generate(
            input_ids=torch.tensor(ids, device=model.device),
            attention_mask=torch.tensor(mask, device=model.device),
            do_sample=False,
            max_new_tokens=max_new_tokens,
            eos_token_id=encoder.eos_id,
            pad_token_id=encoder.pad_id,
        )
    return [_text(encoder, row) for row in output[:, width:].tolist()]


def _text(encoder: Any, ids: list[int]) -> str:
    """Return the text up to the token that ends the turn."""
    end = encoder.eos_id
    return str(encoder.decode(ids[: ids.index(end)] if end in ids else ids))


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
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, KeyError, StopIteration) as error:
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
