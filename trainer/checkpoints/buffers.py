"""Memory in which the state is held while a thread writes it and training goes on; reused by every save."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import torch
from torch import Tensor

from trainer.checkpoints.tensor_file import Span, TensorLayout


class NoBufferError(Exception):
    """The host has no memory for a copy of the state."""


class Buffer:
    """The content of one file, as bytes in memory of the host."""

    def __init__(self) -> None:
        self._bytes = torch.empty(0, dtype=torch.uint8)

    @property
    def content(self) -> Tensor:
        """The bytes that were held last."""
        return self._bytes

    def hold(self, layout: TensorLayout, tensors: Mapping[str, Tensor]) -> None:
        """Copy the tensors in; copies from a GPU are on their way until the current stream gets there.

        Raises:
            NoBufferError: there is no memory for them.
        """
        is_on_gpu = any(tensor.is_cuda for tensor in tensors.values())
        if self._bytes.numel() != layout.size_bytes:
            self._bytes = torch.empty(0, dtype=torch.uint8)  # before the next one is asked for
            self._bytes = _memory(layout.size_bytes, pinned=is_on_gpu)
        with torch.no_grad():
            for span in layout.spans:
                _view(self._bytes, span).copy_(tensors[span.name], non_blocking=True)


@contextmanager
def copying(device: torch.device) -> Iterator[torch.cuda.Event | None]:
    """Copy beside the work of the GPU; what changes the state later waits until it was copied.

    Whoever reads the copies waits for the event first; None where nothing is on a GPU.
    """
    if device.type != "cuda":
        yield None
        return
    work, beside, copied = torch.cuda.current_stream(device), _stream_beside(device), torch.cuda.Event()
    beside.wait_stream(work)
    with torch.cuda.stream(beside):
        yield copied
        copied.record(beside)
    work.wait_event(copied)


_BESIDE: dict[torch.device, torch.cuda.Stream] = {}


def _stream_beside(device: torch.device) -> torch.cuda.Stream:
    return _BESIDE.setdefault(device, torch.cuda.Stream(device))


def _view(memory: Tensor, span: Span) -> Tensor:
    return memory[span.start : span.stop].view(span.dtype).view(span.shape)


def _memory(size_bytes: int, *, pinned: bool) -> Tensor:
    """Return memory of the host, page-locked for copies from a GPU where the system grants that."""
    if pinned:
        with suppress(RuntimeError):  # the limit of locked memory (ulimit -l); other memory is slower
            return torch.empty(size_bytes, dtype=torch.uint8, pin_memory=True)
    try:
        return torch.empty(size_bytes, dtype=torch.uint8)
    except (MemoryError, RuntimeError) as error:
        raise NoBufferError(f"no memory of the host for a copy of {size_bytes} bytes") from error
