"""What a GPU takes of energy: the difference of its counter; nothing where there is no counter."""

from types import SimpleNamespace

import pytest
import torch

from trainer.engine.energy import EnergyMeter


class NotSupported(Exception):
    """As NVML raises it."""


def library(*counts: int | Exception) -> SimpleNamespace:
    """Return a library whose counter says these, in millijoules."""
    left = list(counts)

    def counter(_handle: object) -> int:
        said = left.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    return SimpleNamespace(
        NVMLError=NotSupported,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetTotalEnergyConsumption=counter,
    )


def test_each_time_tells_what_was_taken_since_the_last_one() -> None:
    meter = EnergyMeter(torch.device("cuda", 0), library(5_000, 7_500, 7_500, 9_000))
    assert [meter.joules(), meter.joules(), meter.joules()] == [2.5, 0.0, 1.5]


def test_a_counter_that_begins_anew_tells_nothing_once() -> None:
    meter = EnergyMeter(torch.device("cuda", 0), library(5_000, 100, 600))
    assert [meter.joules(), meter.joules()] == [None, 0.5]


def test_a_card_without_a_counter_is_asked_once() -> None:
    meter = EnergyMeter(torch.device("cuda", 0), library(NotSupported()))
    assert [meter.joules(), meter.joules()] == [None, None]


def test_a_cpu_has_no_counter() -> None:
    assert EnergyMeter(torch.device("cpu")).joules() is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU whose driver counts energy")
def test_a_real_card_tells_what_its_work_takes() -> None:
    meter = EnergyMeter(torch.device("cuda", 0))
    left = torch.randn(4096, 4096, device="cuda")
    for _ in range(200):
        left = (left @ left).tanh()
    torch.cuda.synchronize()
    assert (meter.joules() or 0.0) > 0.0
