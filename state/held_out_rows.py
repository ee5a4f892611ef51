"""Which held-out rows a checkpoint's loss was measured on, in words that name them and nothing else. Pure.

Each quest holds out its own rows, unless a file serves: two losses say something beside each other only where
both were measured on the same ones.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

import msgspec

from state.contract.manifest import Manifest
from state.store.rows import LedgerRow, RunRow

_SHOWN = 12


class _Evaluation(msgspec.Struct, frozen=True):
    held_out_fraction: float
    max_rows: int
    held_out_digest: str | None = None


class _Config(msgspec.Struct, frozen=True):
    evaluation: _Evaluation


class _Save(NamedTuple):
    quest_id: str | None
    """The quest that was trained last."""
    config_hash: str
    generation: int
    """0: it was taken over, from another campaign or from other software."""
    attempt: int


class RowsMeasured:
    """Says on which rows a campaign's checkpoints were measured; of equal saves found out once."""

    def __init__(self, runs: Iterable[RunRow], configs: Mapping[str, str]) -> None:
        """`runs`: of the campaign; `configs`: the JSON of each known config by its hash."""
        self._launched = {(run.generation, run.attempt): run.config_json for run in runs}
        self._configs = configs
        self._known: dict[_Save, str] = {}

    def of(self, row: LedgerRow) -> str:
        """Return the rows in words; empty where no held-out loss was measured."""
        if row.val_loss is None or not isfinite(row.val_loss):
            return ""
        return self._on(_Save(row.training_file, row.config_hash, row.generation, row.attempt))

    def of_manifest(self, one: Manifest) -> str:
        """Return the same of a checkpoint that is not recorded yet."""
        if one.measures.val_loss is None or not isfinite(one.measures.val_loss):
            return ""
        return self._on(_Save(one.quest_id, one.config_hash, one.generation, one.attempt))

    def _on(self, save: _Save) -> str:
        if save not in self._known:
            launched = self._launched.get((save.generation, save.attempt))
            config = self._configs.get(save.config_hash)
            self._known[save] = _in_words(save, _evaluation(config), _evaluation(launched))
        return self._known[save]


def configs_of(runs: Iterable[RunRow]) -> dict[str, str]:
    """Return the configs of these runs by their hash: those of the launches and those taken up later."""
    found = {run.config_hash: run.config_json for run in runs}
    for run in runs:
        if run.told_config_hash is not None and run.told_config_json is not None:
            found[run.told_config_hash] = run.told_config_json
    return found


def newest_rows(measured: Iterable[tuple[int, str]], there: Collection[str]) -> str | None:
    """Return the rows that were measured on last, of those on which something was that is there still.

    `measured`: sequence and rows of every checkpoint, dropped or not: so no drop makes others the newest.
    """
    return max(((at, rows) for at, rows in measured if rows in there), default=(0, None))[1]


@lru_cache(maxsize=4096)
def _evaluation(config_json: str | None) -> _Evaluation | None:
    """Return how a config measures; None: it is not known, or of a version that said it otherwise."""
    if config_json is None:
        return None
    try:
        return msgspec.json.decode(config_json, type=_Config).evaluation
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None


def _in_words(save: _Save, found: _Evaluation | None, launched: _Evaluation | None) -> str:
    """Return the rows in words; of a config that is not known its hash stands for what it may have changed.

    `found`: as the config in force at the save measured; `launched`: as that of the launch did, from which a
    running trainer takes up another number of rows, and never other rows to choose them from.
    """
    quest = f"quest {save.quest_id}" if save.quest_id is not None else "a quest that is not known"
    number = f"max_rows {found.max_rows}" if found else f"config {_short(save.config_hash)}"
    found = found or launched
    if found is not None and found.held_out_digest is not None:
        return f"held-out file {found.held_out_digest[:_SHOWN]}, {number}"
    if save.generation == 0:  # a quest of this name may have had other rows there
        return f"{quest}, elsewhere"
    if found is None:
        return f"{quest}, {number}"
    how = f"held_out {found.held_out_fraction:g}" if found.held_out_fraction else "held-out file"
    return f"{quest}, {how}, {number}"


def _short(config_hash: str) -> str:
    return config_hash.removeprefix("sha256:")[:_SHOWN]
