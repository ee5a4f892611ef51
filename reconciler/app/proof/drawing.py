"""How a run drew its rows: the seed of the order, what it held out, how many rows an update took.

The config is kept with every launch. A held-out file is named in it by its digest; where the file lies, the
run's request says.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from reconciler.app.proof.chain import Seen
from state.contract.files import ContractError, read
from state.contract.orders import RowShape
from state.contract.quest_rows import QuestFileError, read_quest_bytes, row_digest, rows
from state.contract.request import RunRequest
from state.contract.run_config import RunConfig
from state.homes import find_home
from state.ids import RunKey


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """How a run drew: none of this changes while it lives (`state/contract/config_classes.py`)."""

    seed: int
    held_out_fraction: float
    never: frozenset[str] = frozenset()
    """Digests of the rows of its held-out file."""
    held_out_digest: str | None = None
    """Of that file."""
    rows_per_update: int

    @property
    def split(self) -> tuple[float, frozenset[str]]:
        """What decides which rows of a content are learnt."""
        return self.held_out_fraction, self.never


class NotDrawn(Exception):
    """It is not known how a run drew its rows; says why."""


class Drawings:
    """Finds out once how each run drew."""

    def __init__(self, view: Seen) -> None:
        self._view = view
        self._known: dict[RunKey, Drawing | str] = {}
        self._files: dict[str, frozenset[str]] = {}

    def of(self, run: RunKey) -> Drawing | str:
        """Return how a run drew its rows, or why that is not known."""
        if run not in self._known:
            try:
                self._known[run] = self._find(run)
            except NotDrawn as error:
                self._known[run] = str(error)
        return self._known[run]

    def _find(self, run: RunKey) -> Drawing:
        launched = self._view.facts.runs_of(run.campaign_uid)
        row = next((one for one in launched if (one.generation, one.attempt) == run[1:]), None)
        if row is None:
            raise NotDrawn(
                f"the store does not know run {run.folder}, which took the rows in an order of its own"
            )
        config = msgspec.json.decode(row.config_json, type=RunConfig)
        digest = config.evaluation.held_out_digest
        return Drawing(
            seed=config.training.seed,
            held_out_fraction=config.evaluation.held_out_fraction,
            never=self._rows_of(run, digest) if digest is not None else frozenset(),
            held_out_digest=digest,
            rows_per_update=config.training.batch_size * config.training.gradient_accumulation,
        )

    def _rows_of(self, run: RunKey, digest: str) -> frozenset[str]:
        """Return the digests of the rows of a run's held-out file."""
        if digest not in self._files:
            path, shape = self._request(run, digest)
            content = next(self._contents(digest, path), None)
            if content is None:
                raise NotDrawn(
                    f"run {run.folder} held out the rows of {path}, whose content then ({digest}) is nowhere "
                    "now; put it back as it was"
                )
            try:
                found = rows(content, str(path), shape)
                self._files[digest] = frozenset(row_digest(row.messages) for row in found)
            except QuestFileError as error:
                raise NotDrawn(str(error)) from error
        return self._files[digest]

    def _request(self, run: RunKey, digest: str) -> tuple[Path, RowShape]:
        """Return where a run's held-out file lay, and how its rows are read."""
        campaign = next(one for one in self._view.facts.store.campaigns if one.uid == run.campaign_uid)
        file = find_home(self._view.layout, campaign).places.run(run).request
        try:
            held_out = read(file, RunRequest).held_out
        except (OSError, ContractError) as error:
            raise NotDrawn(
                f"run {run.folder} held out a file ({digest}); which one, {file} does not say"
            ) from error
        if held_out is None:
            raise NotDrawn(f"run {run.folder} held out a file ({digest}), and {file} names none")
        return Path(held_out.path), held_out.shape

    def _contents(self, digest: str, path: Path) -> Iterator[bytes]:
        """Yield the content with this digest, from wherever it lies: its place, or among the snapshots."""
        for place in (path, self._view.layout.snapshot(digest)):
            try:
                content = read_quest_bytes(place)
            except QuestFileError:
                continue
            if "sha256:" + hashlib.sha256(content).hexdigest() == digest:
                yield content
