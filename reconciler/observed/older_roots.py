"""Look at the root of an older system: one hero's, or one with campaigns. Reads only; follows no link.

The formats are those of mission/6-formats.md: what is not there is nothing, what cannot be understood is a
problem by its path, never an exception.
"""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.observed.disk import observe_disk
from reconciler.observed.folders import Folder, UnsafeFile, open_folder, printable, reason
from reconciler.observed.older_records import LooseCheckpoints, OlderCampaign, OlderCheckpoint, OlderRoot
from reconciler.observed.open_files import writers_below
from reconciler.observed.processes import PROC
from reconciler.observed.start_folders import observe_checkpoint
from state.contract.manifest import SIDECAR_NAME
from state.ids import ARCHIVE, CAMPAIGNS, checkpoint_step
from state.layout import Layout
from state.store.connection import is_store_there
from state.store.traces import traces_of_office

LOOSE = ("current_model", "models/current_model", "models/current_model_small")
STATUS_FILES = (
    *("status/training_status.json", "status/curriculum_state.json", "status/checkpoint_ledger.json"),
    *(
        "status/eval_results_history.json",
        "status/evaluation_ledger.json",
        "data_manager/curriculum_state.json",
    ),
)
"""What belongs to a campaign, of an older root's own status files."""
_LINK = f"{CAMPAIGNS}/active"
_MAX_BYTES = 256 * 1024 * 1024
_REWRITTEN = ("control/active_campaign.json",)
_FOLDERS = (
    CAMPAIGNS,
    "control",
    "status",
    "logs",
    "data",
    "inbox",
    "queue",
    "trash",
    f"{CAMPAIGNS}/{ARCHIVE}",
)


def observe_older_root(root: Path, proc: Path = PROC) -> OlderRoot:
    """Return what lies in an older system's root."""
    return _Reader(root).read(proc)


class _Reader:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._problems: list[str] = []

    def read(self, proc: Path) -> OlderRoot:
        config = self._object("config.json")
        index = self._object("status/checkpoint_ledger.json")
        return OlderRoot(
            disk=observe_disk(self._root),
            is_realm=_is_realm(Layout(self._root)),
            config=config,
            pointer=self._object("control/active_campaign.json"),
            link=self._link(),
            state=self._object("control/state.json"),
            campaigns=tuple(self._campaigns()),
            loose=tuple(self._loose(config, _records(index))),
            heroes=self._texts("configs/heroes"),
            skills=self._texts("configs/skills"),
            status_files=tuple(name for name in STATUS_FILES if self._is_file(name)),
            ledger_index=index,
            queued=tuple(self._queued()),
            num_dropped=len([name for name in self._names("inbox") if name.endswith(".jsonl")]),
            rewritten=tuple(name for name in _REWRITTEN if self._is_file(name)),
            in_the_way=tuple(self._in_the_way()),
            writers=writers_below(self._root, proc),
            problems=tuple(self._problems),
        )

    def _names(self, folder: str) -> list[str]:
        try:
            with self._open(folder) as opened:
                return [name for name in opened.names() if name.isprintable()]
        except FileNotFoundError:
            return []
        except (OSError, UnsafeFile) as error:
            self._problems.append(f"{folder} {reason(error)}")
            return []

    def _open(self, folder: str) -> Folder:
        return open_folder(self._root / folder, self._root)

    def _mode(self, path: str) -> int:
        """Return what an entry is; 0: there is none."""
        parent, _, name = path.rpartition("/")
        try:
            with self._open(parent) if parent else open_folder(self._root, self._root) as folder:
                return folder.status(name).st_mode
        except (OSError, UnsafeFile):
            return 0

    def _is_file(self, path: str) -> bool:
        return stat.S_ISREG(self._mode(path))

    def _is_folder(self, path: str) -> bool:
        return stat.S_ISDIR(self._mode(path))

    def _content(self, path: str) -> bytes | None:
        parent, _, name = path.rpartition("/")
        try:
            with self._open(parent) if parent else open_folder(self._root, self._root) as folder:
                return folder.read(name, _MAX_BYTES)
        except FileNotFoundError:
            return None
        except (OSError, UnsafeFile) as error:
            self._problems.append(f"{path} {reason(error)}")
            return None

    def _object(self, path: str) -> dict[str, Any] | None:
        import json  # the older files hold NaN, which strict readers refuse

        content = self._content(path)
        if content is None:
            return None
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            self._problems.append(f"{path} is no JSON that can be understood")
            return None
        if not isinstance(found, dict):
            self._problems.append(f"{path} is no JSON object")
            return None
        return found

    def _texts(self, folder: str) -> dict[str, bytes]:
        """Return the YAML files of a folder by their stems; those that start with `_` are no specs."""
        found = {}
        for name in self._names(folder):
            if name.endswith(".yaml") and not name.startswith("_"):
                content = self._content(f"{folder}/{name}")
                if content is not None:
                    found[name.removesuffix(".yaml")] = content
        return found

    def _link(self) -> str | None:
        """Return where the link to the active campaign leads; a checkout without links has it as a text."""
        mode = self._mode(_LINK)
        if stat.S_ISLNK(mode):
            return str((self._root / _LINK).readlink())
        if stat.S_ISREG(mode):
            content = self._content(_LINK)
            return content.decode("utf-8", "replace").strip() if content else None
        return None

    def _campaigns(self) -> Iterator[OlderCampaign]:
        for hero in self._names(CAMPAIGNS):
            if hero != ARCHIVE and self._is_folder(f"{CAMPAIGNS}/{hero}"):
                yield from self._of_hero(hero, f"{CAMPAIGNS}/{hero}", is_archived=False)
        for hero in self._names(f"{CAMPAIGNS}/{ARCHIVE}"):
            yield from self._of_hero(hero, f"{CAMPAIGNS}/{ARCHIVE}/{hero}", is_archived=True)

    def _of_hero(self, hero: str, folder: str, *, is_archived: bool) -> Iterator[OlderCampaign]:
        for name in self._names(folder):
            path = f"{folder}/{name}"
            if self._is_folder(path):
                yield self._campaign(hero, name, path, is_archived=is_archived)

    def _campaign(self, hero: str, name: str, path: str, *, is_archived: bool) -> OlderCampaign:
        index = self._object(f"{path}/status/checkpoint_ledger.json")
        return OlderCampaign(
            hero=hero,
            id=name.removesuffix("-archived") if is_archived else name,
            path=path,
            is_archived=is_archived,
            record=self._object(f"{path}/campaign.json"),
            config=self._object(f"{path}/config.json"),
            has_checkpoints=self._mode(f"{path}/checkpoints") != 0,
            checkpoints=tuple(self._checkpoints(f"{path}/checkpoints", _records(index))),
            files=tuple(
                f"{folder}/{one}"
                for folder in (path, f"{path}/status")
                for one in self._names(folder)
                if self._is_file(f"{folder}/{one}")
            ),
        )

    def _checkpoints(self, folder: str, index: Mapping[str, Any]) -> Iterator[OlderCheckpoint]:
        for name in self._names(folder):
            step, path = checkpoint_step(name), f"{folder}/{name}"
            if step is None or not self._is_folder(path):
                continue
            record = self._object(f"{path}/{SIDECAR_NAME}") or index.get(str(step))
            yield OlderCheckpoint(
                path=path,
                step=step,
                start=observe_checkpoint(self._root / path),
                has_sidecar=self._is_file(f"{path}/{SIDECAR_NAME}"),
                record=record if isinstance(record, dict) else {},
            )

    def _loose(
        self, config: Mapping[str, Any] | None, index: Mapping[str, Any]
    ) -> Iterator[LooseCheckpoints]:
        named = (config or {}).get("current_model_dir")
        here = [named] if isinstance(named, str) and not named.startswith(("/", "..", CAMPAIGNS)) else []
        for folder in dict.fromkeys([*here, *LOOSE]):
            if self._is_folder(folder):
                found = tuple(self._checkpoints(folder, index))
                if found:
                    yield LooseCheckpoints(path=folder, checkpoints=found)

    def _queued(self) -> Iterator[str]:
        for folder in ("queue/high", "queue/normal", "queue/low", "queue"):
            for name in self._names(folder):
                if name.endswith(".jsonl") and self._is_file(f"{folder}/{name}"):
                    yield f"{folder}/{name}"

    def _in_the_way(self) -> Iterator[str]:
        for folder in _FOLDERS:
            mode = self._mode(folder)
            if mode and not stat.S_ISDIR(mode):
                yield f"{printable(folder)} is no folder"
        if self._is_folder(_LINK):
            yield f"{_LINK} is a folder where a link belongs"


def _is_realm(layout: Layout) -> bool:
    """Is it a root of this software, be its store lost? A checkpoint of ours alone makes none of it."""
    return is_store_there(layout.store) or any(True for _ in traces_of_office(layout))


def _records(index: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return what a ledger index says, by step."""
    found = (index or {}).get("checkpoints")
    return found if isinstance(found, dict) else {}
