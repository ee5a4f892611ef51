"""A run that hangs: noticed, told where, saved where that is sound, and left with a class of its own."""

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from apart import Apart
from builders import Realm, a_config, orders
from seen import manifest, saved_steps, why
from strikes import run_hanging_after_checkpoints, run_hanging_after_update

from trainer.checkpoints.load import verify_files
from trainer.engine.failures import HardwareError, OutOfMemoryError, TrainingError, translated
from trainer.engine.run import run


def test_a_run_that_hangs_between_two_updates_is_saved_and_left(
    realm: Realm, tmp_path: Path, apart: Apart
) -> None:
    files = realm.run(orders(realm.quest(rows=60)), a_config(evaluate_every=2))
    assert apart(run_hanging_after_update, 4, files, tmp_path / "log") == 1

    found = why(files)
    assert (found.reason, found.failure_class, found.quest_id) == ("failed", "stuck", "q1")
    assert re.search(
        "no progress for .* s while evaluating, after step 4 of quest q1: it hangs", found.message
    )
    assert found.last_checkpoint_step == 4 == saved_steps(realm)[-1]
    verify_files(realm.campaign.checkpoint(4), manifest(realm, 4))
    assert "append_line" in (tmp_path / "log").read_text()


def test_a_run_that_hangs_in_an_update_keeps_the_checkpoint_before(
    realm: Realm, tmp_path: Path, apart: Apart
) -> None:
    files = realm.run(orders(realm.quest(rows=60)), a_config(save_every=2, evaluate_every=0))
    assert apart(run_hanging_after_checkpoints, 2, files, tmp_path / "log") == 1

    assert why(files).failure_class == "stuck"
    assert why(files).last_checkpoint_step == 4
    verify_files(realm.campaign.checkpoint(4), manifest(realm, 4))
    assert "it hangs in the middle of an update" in (tmp_path / "log").read_text()
    again = realm.run(orders(realm.quest(rows=60)), resume_step=saved_steps(realm)[-1])
    assert run(again.request) == 0


@pytest.mark.parametrize(
    ("message", "is_hardware"),
    [
        ("CUDA error: uncorrectable ECC error encountered\nCUDA kernel errors might be", True),
        ("CUDA error: an illegal memory access was encountered", True),
        ("CUDA error: unspecified launch failure", True),
        ("CUDA error: CUDA-capable device(s) is/are busy or unavailable", True),
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`", True),
        ("CUDA error: device-side assert triggered", False),
        ("CUDA error: invalid device ordinal", False),
        ("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)", False),
    ],
    ids=[
        "ecc",
        "illegal access",
        "launch failure",
        "busy",
        "cublas",
        "an index of ours",
        "no such device",
        "shapes",
    ],
)
def test_what_cuda_says_of_its_device_is_told_from_mistakes_in_the_work(
    message: str, is_hardware: bool
) -> None:
    found = translated(RuntimeError(message))
    assert isinstance(found, HardwareError) == is_hardware
    assert isinstance(found, TrainingError)


@pytest.mark.parametrize(
    ("message", "is_memory"),
    [
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", True),
        ("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported", True),
        ("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried", True),
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`", False),
        ("a row that asks what to do when a machine is out of memory", False),
    ],
    ids=["cublas", "the driver", "the host", "a product", "only words"],
)
def test_memory_that_ran_out_is_known_whoever_asked_for_it(message: str, is_memory: bool) -> None:
    assert isinstance(translated(RuntimeError(message)), OutOfMemoryError) == is_memory
