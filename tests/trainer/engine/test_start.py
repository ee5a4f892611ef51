"""What a run does before its first update beside its work: nothing is imported, or looked through, in vain."""

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, orders

from trainer.engine import setup
from trainer.engine.run import run

OURS = {"state", "trainer", "msgspec", "blake3", "rfc8785"}
"""What a run imports beside the model's own libraries."""
LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)))"
MODEL_ALONE = "import torch; from transformers import Qwen3ForCausalLM"
WHOLE_RUN = "import sys; from pathlib import Path; from trainer.engine.run import run; run(Path(sys.argv[1]))"


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded when it is through with the code."""
    command = [sys.executable, "-c", f"{code}\n{LOADED}", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_run_imports_no_other_library_than_the_models_own_and_hardly_more_of_these(realm: Realm) -> None:
    """torch and transformers are nearly all of the time to the first update; nothing may join them unseen."""
    files = realm.run(orders(realm.quest()))
    of_model = loaded_by(MODEL_ALONE)
    beside = loaded_by(WHOLE_RUN, str(files.request)) - of_model
    foreign = {name for name in beside if name.partition(".")[0] not in OURS | sys.stdlib_module_names}
    assert "trainer.engine.updating" in beside
    assert {name.partition(".")[0] for name in foreign} <= {name.partition(".")[0] for name in of_model}
    assert len(foreign) <= 10, sorted(foreign)


def objects_of_the_first_look(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many objects the collector goes through before the first update."""
    gc.unfreeze()  # what runs before this one left out
    seen: list[int] = []
    collect = gc.collect

    def looked() -> int:
        seen.append(len(gc.get_objects()))
        return collect()

    monkeypatch.setattr(setup.gc, "collect", looked)
    assert run(realm.run(orders(realm.quest()), a_config()).request) == 0
    return seen[0]


def test_the_look_for_garbage_before_the_first_update_passes_over_what_was_imported(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert objects_of_the_first_look(realm, monkeypatch) < 20_000


def test_without_freezing_it_would_go_through_all_of_it(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control; that look was a tenth of the time to the first update."""
    monkeypatch.setattr(setup.gc, "freeze", lambda: None)
    assert objects_of_the_first_look(realm, monkeypatch) > 100_000
