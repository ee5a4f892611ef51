"""Writes a checkpoint while training goes on: the state is copied between two updates, a thread writes it.

One write at a time. Whoever starts one must ask for its end sooner or later: what went wrong is told there.
"""

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from state.contract.manifest import Manifest
from trainer.checkpoints.buffers import Buffer, NoBufferError, copying
from trainer.checkpoints.save import WriteFile, publish_checkpoint
from trainer.checkpoints.tensor_file import TensorLayout, bytes_of, layout_of, write_tensors
from trainer.engine.checkpoint import Contents

THREAD_NAME = "checkpoint"
_LOOK_SECONDS = 0.5


class Written(msgspec.Struct, frozen=True):
    """How a write ended."""

    step: int
    manifest: Manifest | None
    """None when it could not be written."""
    error: Exception | None
    seconds: float


class Writer:
    """Publishes checkpoints in a folder, in a thread where the host has memory for a copy of the state."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._folder = folder
        self._device = device
        self._buffers: dict[str, Buffer] = {}
        self._thread: threading.Thread | None = None
        self._written: Written | None = None
        self._attempt: Callable[[], None] = _nothing

    @property
    def held_bytes(self) -> int:
        """Memory of the host that copies of the state take; 0 where there was none for them."""
        return sum(buffer.content.numel() for buffer in self._buffers.values())

    def is_writing(self) -> bool:
        """Is the last write still going on?"""
        return self._thread is not None and self._thread.is_alive()

    def start(self, contents: Contents) -> bool:
        """Hold what is to be written and write it in a thread; say whether it goes on while we return.

        Where there is no memory to hold it, it is written before this returns.

        Raises:
            CheckpointError: a tensor cannot be written in this format.
        """
        if self._thread is not None or self._written is not None:
            raise AssertionError("the end of the last write was not asked for")
        layouts = layouts_of(contents)
        try:
            copied = self._hold(contents, layouts)
        except NoBufferError:
            self._buffers.clear()
            self._attempt = partial(self._write_living, contents, layouts)
            self._attempt()
            return False
        self._attempt = partial(self._write_held, contents, layouts, copied)
        self._begin()
        return True

    def again(self) -> None:
        """Write the same once more, in a thread: what was held is held still, or is as it was."""
        self._begin()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._attempt, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def wait(self, meanwhile: Callable[[], None]) -> Written | None:
        """Wait for the end of the last write and return how it ended; None if there is none to be told."""
        while self.is_writing() and self._thread is not None:
            meanwhile()
            self._thread.join(_LOOK_SECONDS)
        self._thread, written, self._written = None, self._written, None
        return written

    def _hold(self, contents: Contents, layouts: dict[str, TensorLayout]) -> torch.cuda.Event | None:
        with copying(self._device) as copied:
            for file, layout in layouts.items():
                self._buffers.setdefault(file, Buffer()).hold(layout, contents.tensors[file])
        return copied

    def _write_held(
        self, contents: Contents, layouts: dict[str, TensorLayout], copied: torch.cuda.Event | None
    ) -> None:
        writers = [
            partial(_write_file, name=file, layout=layout, parts=(self._buffers[file].content,))
            for file, layout in layouts.items()
        ]
        self._write(contents, writers, copied)

    def _write_living(self, contents: Contents, layouts: dict[str, TensorLayout]) -> None:
        self._write(contents, _living(contents, layouts), None)

    def _write(
        self, contents: Contents, writers: Iterable[WriteFile], copied: torch.cuda.Event | None
    ) -> None:
        """Publish; whatever goes wrong is kept for the one who asks."""
        step, manifest, problem, started = contents.progress.step, None, None, time.perf_counter()
        try:
            if copied is not None:
                copied.synchronize()
            others = (contents.save_vocabulary, partial(_write_small, contents=contents))
            manifest = publish_checkpoint(self._folder, step, (*writers, *others), contents.manifest)
        except Exception as error:  # noqa: BLE001 - told at the next update boundary, in the main thread
            problem = error
        self._written = Written(step, manifest, problem, time.perf_counter() - started)


def layouts_of(contents: Contents) -> dict[str, TensorLayout]:
    """Return how each file of tensors is laid out.

    Raises:
        CheckpointError: a tensor cannot be written in this format.
    """
    return {file: layout_of(part, contents.metadata.get(file)) for file, part in contents.tensors.items()}


def _nothing() -> None:
    raise AssertionError("nothing was written yet")


def _living(contents: Contents, layouts: dict[str, TensorLayout]) -> list[WriteFile]:
    """Return what writes the tensors as they are, one after the other; nothing may change them meanwhile."""
    return [
        partial(
            _write_file,
            name=file,
            layout=layout,
            parts=_parts(contents, file, layout),
        )
        for file, layout in layouts.items()
    ]


def _parts(contents: Contents, file: str, layout: TensorLayout) -> Iterable[Tensor]:
    return (bytes_of(contents.tensors[file][span.name]) for span in layout.spans)


def _write_file(folder: Path, *, name: str, layout: TensorLayout, parts: Iterable[Tensor]) -> None:
    write_tensors(folder / name, layout, parts)


def _write_small(folder: Path, *, contents: Contents) -> None:
    for name, content in contents.files.items():
        (folder / name).write_bytes(content)
