"""What must be true of the toy realm, checked from its files: nothing here asks what planned or acted.

The numbers are those of the promises about checkpoints in the README of `state`.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from blake3 import blake3

from reconciler.app.chaos.realm import CAMPAIGN, ToyRealm, last_words
from state.contract.manifest import MANIFEST_NAME, Manifest
from state.ids import checkpoint_step
from state.store.rows import LedgerRow, StoreView

WHOLE = "a checkpoint that the ledger calls present is there, every byte of it"
REAL_NAME = "a folder under its real name is complete"
ONE_TRAINER = "never two trainers at a time, and no run twice"
NO_SAVE_LOST = "what was saved once stays in the ledger"
GRACE = "what is dropped lies in the trash for its time of grace"
ONCE = "each row was learnt as often as the spec says, none repeated or left out"
SAME_BITS = "the weights are those of an undisturbed life, bit for bit"
COMES_TO_REST = "afterwards nothing is left to do"
PROMISES = (WHOLE, REAL_NAME, ONE_TRAINER, NO_SAVE_LOST, GRACE, ONCE, SAME_BITS, COMES_TO_REST)


class Witness:
    """Looks after each blow, and remembers what it saw: saves, and who was hurt on purpose."""

    def __init__(self, realm: ToyRealm) -> None:
        self._realm = realm
        self._saved: dict[str, int] = {}
        self._spoilt: set[str] = set()
        """Paths of checkpoints whose bits a blow changed."""
        self.broken: dict[str, list[str]] = {promise: [] for promise in PROMISES}
        self.num_checks: dict[str, int] = dict.fromkeys(PROMISES, 0)

    def expect_damage(self, step: int) -> None:
        """Take it for granted that this checkpoint is not what was saved any more."""
        folder = self._realm.layout.campaign(CAMPAIGN).checkpoint(step)
        self._spoilt.add(str(folder.relative_to(self._realm.layout.root)))

    def look(self) -> None:
        """Check what must be so at any moment, also while a trainer lives."""
        pids = self._realm.trainers()
        self._check(ONE_TRAINER, f"{len(pids)} trainers live: {pids}", holds=len(pids) <= 1)
        store = self._realm.store() if self._realm.layout.store.exists() else None
        if store is not None:
            self._look_at_ledger(store)

    def _look_at_ledger(self, store: StoreView) -> None:
        digests = {row.digest for row in store.ledger}
        for digest, step in self._saved.items():
            self._check(
                NO_SAVE_LOST, f"checkpoint {step} ({digest[7:15]}) is in no row", holds=digest in digests
            )
        self._saved |= {row.digest: row.step for row in store.ledger}

    def look_closely(self) -> None:
        """Read every checkpoint; nobody is at work."""
        store = self._realm.store()
        if store is None:
            return
        self._look_at_ledger(store)
        dropped = {stone.sequence for stone in store.trash if stone.state == "trashed"}
        gone = {stone.sequence for stone in store.trash if stone.state in ("purged", "purging")}
        for row in store.ledger:
            if row.damage is None and row.sequence not in gone | dropped and row.path not in self._spoilt:
                self._check(WHOLE, row.path, holds=self._is_whole(row))
        for stone in store.trash:
            if stone.state == "trashed":
                there = (self._realm.layout.root / stone.path / MANIFEST_NAME).is_file()
                self._check(GRACE, f"{stone.thing} is not in the trash any more", holds=there)
        for folder in self._published():
            name = str(folder.relative_to(self._realm.layout.root))
            if name not in self._spoilt:
                problem = _problem_of(folder)
                self._check(REAL_NAME, f"{name}: {problem}", holds=not problem)
        self._check_runs(store)

    def _is_whole(self, row: LedgerRow) -> bool:
        folder = self._realm.layout.root / row.path
        manifest = _manifest(folder)
        return manifest is not None and manifest.digest == row.digest and not _problem_of(folder)

    def _published(self) -> Iterator[Path]:
        folder = self._realm.layout.campaign(CAMPAIGN).checkpoints
        return (path for path in folder.glob("*") if checkpoint_step(path.name) is not None)

    def _check_runs(self, store: StoreView) -> None:
        folders = {path.name for path in self._realm.layout.campaign(CAMPAIGN).runs.glob("*")}
        known = {f"g{run.generation}-a{run.attempt}" for run in store.runs}
        strange = folders - known
        self._check(ONE_TRAINER, f"runs that the store does not know: {strange}", holds=not strange)

    def look_at_the_end(self, weights: str) -> None:
        """Check what must be so once it came to rest; `weights` are those of the undisturbed life."""
        self.look_closely()
        proven = self._realm.run("prove", f"{CAMPAIGN}@latest")
        self._check(ONCE, last_words(proven), holds=proven.returncode == 0)
        mine = weights_of(self._realm)
        self._check(SAME_BITS, f"{mine} is not {weights}", holds=mine == weights)
        plan = self._realm.plan()
        left = [change["subject"] for change in plan["changes"]]
        self._check(COMES_TO_REST, f"still to do: {', '.join(left)}", holds=not left)

    def note(self, promise: str, text: str) -> None:
        """Write down a promise that was broken elsewhere."""
        self._check(promise, text, holds=False)

    def _check(self, promise: str, text: str, *, holds: bool) -> None:
        self.num_checks[promise] += 1
        if not holds:
            self.broken[promise].append(text)


def weights_of(realm: ToyRealm) -> str:
    """Return step and digest of the newest checkpoint's weights."""
    step = realm.newest_step()
    weights = realm.layout.campaign(CAMPAIGN).checkpoint(step) / "model.safetensors"
    return f"step {step}, {blake3(weights.read_bytes()).hexdigest()[:16]}"


def _problem_of(folder: Path) -> str:
    """Return what is not as it was saved; empty: nothing."""
    manifest = _manifest(folder)
    if manifest is None:
        return "no manifest"
    for entry in manifest.files:
        path, digest = folder / entry.path, entry.blake3.removeprefix("blake3:")
        if not path.is_file() or blake3(path.read_bytes()).hexdigest() != digest:
            return f"{entry.path} is not what was saved"
    return ""


def _manifest(folder: Path) -> Manifest | None:
    try:
        return msgspec.json.decode((folder / MANIFEST_NAME).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None
