"""Compiled layers learn the same; where compiling does not pay back, that is told."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, a_model, a_training, orders

from state.contract.effective import EffectiveRun, reported_otherwise
from state.contract.files import read
from trainer.engine.compiling import compile_layers, uncompiled
from trainer.engine.model import new_model
from trainer.engine.run import run


def test_on_a_cpu_compile_has_no_effect_and_the_run_says_so(realm: Realm) -> None:
    config = a_config(training=a_training(compile=True))
    files = realm.run(orders(realm.quest(), goal_updates=1), config)
    assert run(files.request) == 0
    (told,) = (
        one for one in reported_otherwise(config, read(files.effective, EffectiveRun)) if "compile" in one.key
    )
    assert told.asked
    assert not told.used


def test_the_log_says_why_nothing_is_compiled(realm: Realm, capfd: pytest.CaptureFixture[str]) -> None:
    files = realm.run(orders(realm.quest(), goal_updates=1), a_config(training=a_training(compile=True)))
    run(files.request)
    assert "compile: true has no effect on a CPU" in capfd.readouterr().out


@pytest.mark.filterwarnings("ignore")  # torch warns of what it does itself while it traces
def test_for_generation_the_layers_run_as_they_are() -> None:
    calls = []

    def backend(graph, _):
        calls.append(graph)
        return graph.forward

    class Layer(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2

    layer = Layer()
    layer.compile(backend=backend)
    with uncompiled():
        layer(torch.ones(1, 2))
    assert not calls
    layer(torch.ones(1, 2))
    assert len(calls) == 1


def test_the_weights_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    model = new_model(a_model(), seed=0, special_ids={})
    before = set(model.state_dict())
    monkeypatch.setattr("trainer.engine.compiling._pays_back", lambda _: True)
    compile_layers(model, torch.device("cpu"), backend="eager")
    assert set(model.state_dict()) == before
