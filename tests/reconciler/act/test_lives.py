"""Any order in which checkpoints are saved, dropped, taken back, exported, archived and purged: a dictionary as the model.

Hypothesis draws the order. After each step every checkpoint lies where the dictionary says and nowhere else, to the
byte, the ledger has one row of each for ever, and what the state forbids fails and changes nothing.
"""

import shutil
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from in_memory import new_folder
from tiny_actions import Builders, activate, register
from tiny_realm import CAMPAIGN, OTHER
from workshop import Workshop

from state.contract.manifest import Manifest

FILES = {"model.safetensors": b"weights" * 9, "optimizer.safetensors": b"state"}


class Kept(msgspec.Struct):
    """What the model knows of a checkpoint."""

    manifest: Manifest
    sequence: int
    place: str = "home"
    is_exported: bool = False


class Life(RuleBasedStateMachine):
    """The model, a dictionary, beside a real root."""

    steps = Bundle("steps")

    def __init__(self) -> None:
        super().__init__()
        self.folder = new_folder()
        self.realm = Workshop(self.folder / "root")
        self.realm.found()
        self.realm.done(register(CAMPAIGN), register(OTHER), activate(OTHER))
        self.kept: dict[int, Kept] = {}
        self.is_archived = False

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @precondition(lambda self: not self.is_archived)
    @rule(target=steps)
    def save(self) -> int:
        step = 10 * (len(self.kept) + 1)
        manifest = self.realm.save_checkpoint(step)
        self.realm.done(Builders.record(manifest))
        self.kept[step] = Kept(manifest, sequence=len(self.kept) + 1)
        return step

    @rule(step=steps)
    def drop(self, step: int) -> None:
        one = self.kept[step]
        self._try(Builders.drop(one.manifest, one.sequence), {"home": "trash", "trash": "trash"}, one)

    @rule(step=steps)
    def purge(self, step: int) -> None:
        one = self.kept[step]
        self._try(Builders.purge(step, one.sequence), {"trash": "purged", "purged": "purged"}, one)

    @rule(step=steps)
    def take_back(self, step: int) -> None:
        one = self.kept[step]
        sources = (str(self._export(step)),) if one.is_exported else ()
        request = self.realm.ask("undelete", f"{CAMPAIGN}@{step}")
        asked = msgspec.structs.replace(
            Builders.take_back(step, one.sequence), request_id=request, sources=sources
        )
        self.realm.perform(asked)
        if one.place == "trash" or (one.place == "purged" and one.is_exported):
            one.place = "home"

    @rule(step=steps)
    def export(self, step: int) -> None:
        one = self.kept[step]
        (outcome,) = self.realm.perform(Builders.copy_out(self.realm, one.manifest, one.sequence))
        assert outcome.ok == (one.place == "home"), outcome.text
        one.is_exported = one.is_exported or outcome.ok

    @rule()
    def archive_or_restore(self) -> None:
        self.realm.done(Builders.restore() if self.is_archived else Builders.archive())
        self.is_archived = not self.is_archived

    def _try(self, action: Any, ways: dict[str, str], one: Kept) -> None:
        """Perform it; where the model knows no way from where it lies, it must fail."""
        (outcome,) = self.realm.perform(action)
        assert outcome.ok == (one.place in ways), f"{one.place}: {outcome.text}"
        one.place = ways.get(one.place, one.place)

    @invariant()
    def everything_lies_where_the_model_says(self) -> None:
        assert self._found() == {step: {one.place} - {"purged"} for step, one in self.kept.items()}
        for step, one in self.kept.items():
            if one.is_exported:
                assert _is_whole(self._export(step), one.manifest)

    @invariant()
    def the_ledger_forgets_nothing(self) -> None:
        rows = {row.step: row.digest for row in self.realm.view().ledger}
        assert rows == {step: one.manifest.digest for step, one in self.kept.items()}
        states = {"trash": "trashed", "purged": "purged", "home": "restored"}
        for stone in self.realm.view().trash:
            assert stone.state == states[self.kept[stone.step].place]

    def _found(self) -> dict[int, set[str]]:
        """Return where in the root each checkpoint lies whole."""
        found: dict[int, set[str]] = {step: set() for step in self.kept}
        home = self.realm.layout.campaign(CAMPAIGN, archived=self.is_archived).checkpoints
        for place, top in (("home", home), ("trash", self.realm.layout.trash)):
            for folder in top.glob("*checkpoint-*/") if top.is_dir() else ():
                step = int(folder.name.rpartition("-")[2])
                assert _is_whole(folder, self.kept[step].manifest), folder
                found[step].add(place)
        return found

    def _export(self, step: int) -> Path:
        return Builders.elsewhere(self.realm) / CAMPAIGN / f"checkpoint-{step}"


def _is_whole(folder: Path, manifest: Manifest) -> bool:
    said = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    return said == manifest and all(
        (folder / name).read_bytes() == content for name, content in FILES.items()
    )


def test_after_any_steps_each_checkpoint_lies_where_a_dictionary_says() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=20, stateful_step_count=25, deadline=None, database=None, derandomize=True,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
