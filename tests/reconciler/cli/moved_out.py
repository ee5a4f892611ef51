"""A root of which something was moved out: what it is asked in tests, and how it is lost."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from state.store.connection import open_reader
from state.store.rows import StoreView
from state.store.view import read_view

ONE = "pip/campaign-001"
SPEC = "specs/campaigns/pip/campaign-001.yaml"
RULES = "minimum_age: 1ms\ncampaigns: {archived: {delete_intermediate: true, keep_final_checkpoint: true}}\n"


def purge(run: Any, pass_time: Callable[[float], None]) -> None:
    """Let the time in the trash go by, and two clean ticks; what a first tick sees is no observed time."""
    run("apply", "--once")
    pass_time(3700)
    for _ in range(4):
        run("apply", "--once")
        pass_time(1)


def lose(root: Path, *places: str) -> None:
    for path in (root / "realm.db", *(root / place for place in places)):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def view(root: Path) -> StoreView:
    with open_reader(root / "realm.db") as store:
        return read_view(store)


def states(run: Any) -> dict[int, str]:
    items = json.loads(run("get", "checkpoints", "--json").stdout)["items"]
    return {item["step"]: item["state"] for item in items}


def planned(run: Any) -> dict[str, Any]:
    return dict(json.loads(run("plan", "--json").stdout))


def kinds(run: Any) -> list[str]:
    return [change["action"]["action"] for change in planned(run)["changes"]]


def known(root: Path) -> tuple[object, object]:
    """Return what the store says of checkpoints and of their copies, but for when those were looked at."""
    store = view(root)
    ledger = [(row.sequence, row.digest, row.path, row.val_loss) for row in store.ledger]
    return ledger, [(copy.sequence, copy.path, copy.digest, copy.size_bytes) for copy in store.copies]


def lying(root: Path, nas: Path) -> set[Path]:
    return {path.parent for top in (root, nas) for path in top.rglob("model.safetensors")}
