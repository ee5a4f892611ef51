"""What is not here or not built is refused by name."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from trainer.engine.device import training_device, training_precision
from trainer.engine.failures import EnvironmentFailure


def test_a_card_that_is_not_here_is_refused() -> None:
    with pytest.raises(EnvironmentFailure, match=r"device 'cuda:63' is not here: torch .* sees"):
        training_device("cuda:63")


@pytest.mark.parametrize("name", ["gpu", "mps"])
def test_other_kinds_of_device_are_refused(name: str) -> None:
    with pytest.raises(EnvironmentFailure, match="expected cpu or cuda:<index>"):
        training_device(name)


def test_fp16_is_refused_and_never_replaced() -> None:
    with pytest.raises(
        EnvironmentFailure, match=r"precision 'fp16' is not built .*set precision: bf16, fp32 or auto"
    ):
        training_precision("fp16", torch.device("cpu"))


def test_what_is_asked_for_is_what_is_used() -> None:
    assert training_precision("fp32", torch.device("cuda")) == "fp32"
    assert training_precision("bf16", torch.device("cpu")) == "bf16"
    assert training_precision("auto", torch.device("cuda")) == "bf16"
