"""Pretrained weights that do not fill the model of their config.json: found by `validate --data`.

Only the trainer's libraries know what tensors an architecture has. What they said is kept under the state
of the model's files, where `plan` and `apply` find it. An objection is asked for again by each
`validate --data`: another version of the libraries may know what this one does not.
"""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from reconciler.app.surroundings.environment import Environment
from reconciler.observed.folders import signature
from reconciler.observed.model_files import CONFIG
from reconciler.observed.model_records import ModelFacts
from reconciler.plan.world import World
from state.contract.weights_fit import WeightsFit
from state.kept_answers import KeptAnswers

_KIND = "weights-fit"
_NEEDED = ("torch", "transformers", "safetensors")


def missing_libraries() -> list[str]:
    """Return what is not installed of all that is needed to compare weights with an architecture."""
    return [name for name in _NEEDED if find_spec(name) is None]


def ask_for_fit(environment: Environment, folder: str, kind: Literal["base", "checkpoint"]) -> WeightsFit:
    """Return what a process of the trainer says of the weights in a folder; it reads their headers alone."""
    import subprocess

    from reconciler.act.environment import child_environment

    done = subprocess.run(
        [sys.executable, "-m", "trainer", "fits", f"--{kind}", folder],
        env=child_environment(environment.variables),
        cwd=os.sep,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    try:
        return msgspec.json.decode(done.stdout.strip().rpartition(b"\n")[2], type=WeightsFit)
    except (msgspec.DecodeError, UnicodeDecodeError):
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return WeightsFit(why_not=lines[-1] if lines else f"the trainer ended with {done.returncode}")


class WeightVerdicts:
    """What the trainer said of pretrained weights, by the state of their files."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._answers = KeptAnswers(environment.cache_folder / "facts")

    def known(self, model: ModelFacts) -> WeightsFit | None:
        """Return what was said of a model's weights as they are now; None: nobody has asked."""
        key = _key(model)
        answer = self._answers.get(key) if key is not None else None
        try:
            return msgspec.json.decode(answer, type=WeightsFit) if answer else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def asked(self, model: ModelFacts) -> WeightsFit:
        """Return whether a model's weights fill it, from the trainer unless it is known that they do."""
        known = self.known(model)
        if known is not None and known.problem is None:
            return known
        if missing := missing_libraries():
            return WeightsFit(why_not=f"{', '.join(missing)} not installed here")
        key, said = _key(model), ask_for_fit(self._environment, str(model.folder), "base")
        if key is not None and key == _key(model) and said.why_not is None:
            self._answers.put(key, msgspec.json.encode(said))
        return said


def with_unfit_weights(world: World, verdicts: WeightVerdicts) -> World:
    """Return the world with the heroes whose weights were found not to fill their model."""
    said = ((hero, verdicts.known(model)) for hero, model in usable_models(world))
    found = {hero: fit.problem for hero, fit in said if fit is not None and fit.problem is not None}
    if not found:
        return world
    return msgspec.structs.replace(world, facts=msgspec.structs.replace(world.facts, unfit_weights=found))


def usable_models(world: World) -> Iterator[tuple[str, ModelFacts]]:
    """Yield each hero of pretrained weights that are here, with what is known of them."""
    for hero, model in world.facts.models.items():
        if hero in world.desired.heroes and model.is_usable and model.config is not None:
            yield hero, model


def _key(model: ModelFacts) -> str | None:
    """Return what names the model's files as they are now; None: one of them is away."""
    if model.folder is None or model.config is None:
        return None
    names = (CONFIG, *(file.name for file in model.weights))
    try:
        states = [signature((Path(model.folder) / name).stat()) for name in names]
    except OSError:
        return None
    return f"{_KIND}\0{model.folder}\0{model.config.digest}\0{states}"
