"""One life in calm, the same life under blows, and what became of each promise."""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from reconciler.app.chaos.blows import BLOWS, Broken
from reconciler.app.chaos.promises import COMES_TO_REST, ONE_TRAINER, PROMISES, Witness, weights_of
from reconciler.app.chaos.realm import ChaosStuck, ToyRealm, last_words, wait_until
from reconciler.app.surroundings.errors import Blocked

_UPDATES = 600
_LIFE_SECONDS = 300.0
Tell = Callable[[str], None]


class PromiseKept(msgspec.Struct, frozen=True, kw_only=True):
    promise: str
    num_checks: int
    broken: tuple[str, ...]
    """How, each; none: it held."""


class ChaosReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, and what held."""

    schema_version: int = 1
    seed: int
    folder: str
    seconds: float
    blows: Mapping[str, int]
    launches: int
    checkpoints: int
    promises: tuple[PromiseKept, ...]

    @property
    def all_held(self) -> bool:
        return all(one.num_checks and not one.broken for one in self.promises)


def run_chaos(*, seconds: float, seed: int, parent: Path | None, keep: bool, tell: Tell) -> ChaosReport:
    """Hurt a toy realm for so long, and return what held; nothing outside its folder is touched.

    Raises:
        Blocked: training is not installed here.
        ChaosStuck: the toy realm does not even live in calm.
    """
    _check_training()
    folder = Path(tempfile.mkdtemp(prefix="realm-chaos-", dir=parent))
    begun, chance = time.monotonic(), random.Random(seed)  # noqa: S311 - chance that can be repeated, no secret
    calm, hurt = ToyRealm(folder / "calm", _UPDATES), ToyRealm(folder / "hurt", _UPDATES)
    try:
        tell(f"a toy realm in {folder}; first its life in calm")
        weights = _live_in_calm(calm)
        tell(f"in calm it came to {weights} (the digest of its weights)")
        tell(f"now the same life with blows for {seconds:g} s, seed {seed}")
        witness, blows = Witness(hurt), Counter[str]()
        _hurt(hurt, witness, chance, seconds, blows, tell)
        heal(hurt, witness, weights, tell)
        store = hurt.store()
    finally:
        calm.end()
        hurt.end()
    report = ChaosReport(
        seed=seed,
        folder=str(folder),
        seconds=time.monotonic() - begun,
        blows=dict(blows),
        launches=len(store.runs) if store is not None else 0,
        checkpoints=len(store.ledger) if store is not None else 0,
        promises=tuple(
            PromiseKept(promise=one, num_checks=witness.num_checks[one], broken=tuple(witness.broken[one]))
            for one in PROMISES
        ),
    )
    if report.all_held and not keep:
        _remove(folder)
    return report


def _check_training() -> None:
    from importlib.util import find_spec

    if missing := [name for name in ("torch", "transformers", "safetensors") if find_spec(name) is None]:
        raise Blocked(f"chaos trains a toy: {', '.join(missing)} is not installed; install the train extra")


def _live_in_calm(realm: ToyRealm) -> str:
    said = realm.run("apply", "--until-converged")
    if said.returncode != 0:
        raise ChaosStuck(f"the toy realm does not live in calm: {last_words(said)}")
    return weights_of(realm)


def _hurt(
    realm: ToyRealm, witness: Witness, chance: random.Random, seconds: float, blows: Counter[str], tell: Tell
) -> None:
    """Let it live, and strike; each kind of blow once in each round, in another order."""
    deadline, left = time.monotonic() + seconds, list[str]()
    while time.monotonic() < deadline:
        left = left or chance.sample(sorted(BLOWS), len(BLOWS))
        realm.start_loop()
        time.sleep(chance.uniform(0.5, 5.0))
        name = left.pop()
        try:
            told = BLOWS[name](realm, chance)
        except Broken as error:
            told = str(error)
            witness.note(ONE_TRAINER if name == "second reconciler" else COMES_TO_REST, told)
        if not told:
            left.insert(0, name)
            continue
        tell(f"  {name}: {told}")
        blows[name] += 1
        if name == "flipped bit":
            witness.expect_damage(realm.newest_step())
        if realm.loop_lives() or realm.trainers():
            witness.look()
        else:
            witness.look_closely()


def heal(realm: ToyRealm, witness: Witness, weights: str, tell: Tell) -> None:
    """Let it live in calm to its end, read everything again as a scrub does, and look at it all."""
    tell("no more blows: it goes on to its end")
    realm.kill_loop()
    realm.start_loop()

    def is_done() -> bool:
        witness.look()
        return realm.is_done()

    try:
        wait_until(is_done, "everything is learnt", _LIFE_SECONDS)
        realm.kill_loop()
        for words in (("scrub", "--all"), ("apply", "--until-converged")):
            said = realm.run(*words)
            if said.returncode not in (0, 3):
                witness.note(COMES_TO_REST, f"{words[0]}: {last_words(said)}")
    except ChaosStuck as error:
        witness.note(COMES_TO_REST, str(error))
    finally:
        realm.kill_loop()
    witness.look_at_the_end(weights)


def _remove(folder: Path) -> None:
    import shutil

    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)
