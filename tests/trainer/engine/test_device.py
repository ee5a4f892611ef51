"""What is not here or not built is refused by name."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from adapters import on_pretrained, pretrained
from builders import TINY, Realm, a_training, orders

from state.contract.files import read
from state.contract.request import RunRequest
from trainer.engine import setup
from trainer.engine.device import training_device, training_precision
from trainer.engine.failures import EnvironmentFailure, SettingsError


def test_a_card_that_is_not_here_is_refused() -> None:
    with pytest.raises(EnvironmentFailure, match=r"device 'cuda:63' is not here: torch .* sees"):
        training_device("cuda:63")


@pytest.mark.parametrize("name", ["gpu", "mps"])
def test_other_kinds_of_device_are_refused(name: str) -> None:
    with pytest.raises(EnvironmentFailure, match="expected cpu or cuda:<index>"):
        training_device(name)


def test_fp16_is_refused_and_never_replaced() -> None:
    with pytest.raises(
        SettingsError, match=r"precision 'fp16' is not built .*set precision: bf16, fp32 or auto"
    ):
        training_precision("fp16", torch.device("cpu"))


def test_what_is_asked_for_is_what_is_used() -> None:
    assert training_precision("fp32", torch.device("cuda")) == "fp32"
    assert training_precision("bf16", torch.device("cpu")) == "bf16"
    assert training_precision("auto", torch.device("cuda")) == "bf16"


@pytest.mark.parametrize(
    ("has_amx", "hidden_size", "found"),
    [(True, 128, "fp32"), (True, 256, "bf16"), (True, None, "fp32"), (False, 512, "fp32")],
)
def test_on_a_cpu_auto_is_bf16_where_that_pays(
    monkeypatch: pytest.MonkeyPatch, has_amx: bool, hidden_size: int | None, found: str
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_amx, raising=False)
    assert training_precision("auto", torch.device("cpu"), hidden_size) == found


def test_the_width_of_a_pretrained_model_is_that_of_its_folder(realm: Realm, tmp_path: Path) -> None:
    folder = pretrained(tmp_path / "base")
    given = {"config": on_pretrained(folder, a_training()), "model_dir": str(folder)}
    for changes in (given, {}):
        files = realm.run(orders(realm.quest()), **changes)
        assert setup._hidden_size(read(files.request, RunRequest)) == TINY["hidden_size"]
