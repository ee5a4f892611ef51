"""What must hold of a realm's folder at every instant: a model that shares no rule with the product.

It sees the state of a folder and rows of the store as plain dicts, and knows manifests as plain JSON.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from blake3 import blake3
from kept_state import State

Row = Mapping[str, Any]
SIDECAR, MANIFEST = ".ledger.json", "manifest.json"


@lru_cache(maxsize=4096)
def _blake3(content: bytes) -> str:
    return blake3(content).hexdigest()


@lru_cache(maxsize=4096)
def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@lru_cache(maxsize=4096)
def _json(content: bytes) -> Any:
    return json.loads(content)


def is_unfinished(path: str) -> bool:
    """Is it, or lies it in, something of a staging name?"""
    return path.startswith(".staging-") or "/.staging-" in path


def checkpoint_folders(state: State) -> Iterator[str]:
    """Yield every folder that has the name of a checkpoint, wherever it lies."""
    for path, entry in state.items():
        if entry.kind == "folder" and not is_unfinished(path):
            name = path.rpartition("/")[2]
            if name.startswith("checkpoint-") or (path.startswith("trash/") and "-checkpoint-" in name):
                yield path


def is_whole(state: State, folder: str) -> bool:
    """Has the folder a manifest, and each file of it with its bytes?"""
    manifest = state.get(f"{folder}/{MANIFEST}")
    if manifest is None:
        return False
    try:
        files = _json(manifest.content)["files"]
    except ValueError:
        return False
    for file in files:
        there = state.get(f"{folder}/{file['path']}")
        if there is None or len(there.content) != file["size_bytes"]:
            return False
        if _blake3(there.content) != file["blake3"].removeprefix("blake3:"):
            return False
    return True


def digest_of(state: State, folder: str) -> str:
    """Return the root digest that the manifest of a whole checkpoint says."""
    return str(_json(state[f"{folder}/{MANIFEST}"].content)["digest"])


def copies(state: State) -> dict[str, set[str]]:
    """Return where each checkpoint lies whole in the realm: digest → folders."""
    found: dict[str, set[str]] = {}
    for folder in checkpoint_folders(state):
        if not folder.startswith("elsewhere/") and is_whole(state, folder):
            found.setdefault(digest_of(state, folder), set()).add(folder)
    return found


def precious(state: State, also: bytes) -> set[bytes]:
    """Return every content that must never be lost: saves, snapshots, what people dropped or wrote by hand."""
    return {
        entry.content
        for path, entry in state.items()
        if entry.kind == "file"
        and not is_unfinished(path)
        and ((("checkpoint-" in path or "/.damaged-" in path) and not path.endswith((SIDECAR, MANIFEST, ".json")))
             or path.startswith(("data/", "inbox/")) or entry.content == also)
    }  # fmt: skip


def half_published(state: State, template: State, *, purges: bool = False) -> list[str]:
    """Return what has a real name and is not whole, without what was so before and what a purge takes away."""
    found = []
    for path, entry in state.items():
        if entry.kind != "file" or is_unfinished(path) or _was(path, entry.content, template):
            continue
        if path.endswith(".json"):
            try:
                _json(entry.content)
            except ValueError:
                found.append(f"{path} is no JSON: {entry.content[:60]!r}")
        if path.startswith("data/") and path.endswith(".jsonl") and _sha256(entry.content) != path[5:-6]:
            found.append(f"{path} has another content than its name says")
    broken = {_files(template, f) for f in checkpoint_folders(template) if not is_whole(template, f)}
    for folder in checkpoint_folders(state):
        is_going = purges and folder.startswith("trash/")
        if is_going and f"{folder}/{MANIFEST}" not in state and _files(state, folder):
            found.append(f"{folder} has files, and nothing says any more whose they are")
        if not is_going and not is_whole(state, folder) and _files(state, folder) not in broken:
            found.append(f"{folder} is not whole: {sorted(p for p in state if p.startswith(folder + '/'))}")
    return found


def _was(path: str, content: bytes, template: State) -> bool:
    before = template.get(path)
    return before is not None and before.content == content


def _files(state: State, folder: str) -> frozenset[bytes]:
    """Return the contents of a folder's files, its sidecar apart."""
    start = f"{folder}/"
    return frozenset(
        entry.content
        for path, entry in state.items()
        if path.startswith(start) and not path.endswith(SIDECAR) and entry.kind == "file"
    )


def lost_copies(state: State, ledger: Sequence[Row], trash: Sequence[Row], known_lost: set[str]) -> list[str]:
    """Return each ledger row in force that has no whole copy anywhere, and was not purged or lost before."""
    there = copies(state)
    gone = {row["sequence"] for row in trash if row["state"] in ("purging", "purged")}
    gone_whole = {
        row["campaign_uid"] for row in trash if row["state"] in ("purging", "purged") and row["sequence"] < 0
    }
    return [
        f"{row['path']} ({row['digest']}) is nowhere"
        for row in _in_force(ledger)
        if row["digest"] not in there
        and row["digest"] not in known_lost
        and row["sequence"] not in gone
        and row["campaign_uid"] not in gone_whole
    ]


def disagreements(
    state: State, ledger: Sequence[Row], trash: Sequence[Row], known_lost: set[str]
) -> list[str]:
    """Return where the books and the disk differ, once nothing is left to do: place by place."""
    there, stones = copies(state), {row["sequence"]: row for row in trash}
    deleted = {
        row["campaign_uid"]: row for row in trash if row["sequence"] < 0 and row["state"] != "restored"
    }
    found = []
    for row in _in_force(ledger):
        stone = deleted.get(row["campaign_uid"]) or stones.get(row["sequence"])
        place, state_of = row["path"], stone["state"] if stone else "restored"
        if stone is not None and state_of == "trashed":
            place = stone["path"] + (
                row["path"].removeprefix(stone["origin"]) if stone["sequence"] < 0 else ""
            )
        places = there.get(row["digest"], set())
        if state_of in ("restored", "trashed") and row["digest"] not in known_lost and place not in places:
            found.append(f"{row['path']} should lie in {place}, and lies in {sorted(places)}")
        if state_of == "purged" and places:
            found.append(f"{row['path']} is purged, and lies in {sorted(places)}")
    for stone in trash:
        mirror = state.get(f"{stone['path']}.json")
        if mirror is None or _json(mirror.content)["state"] != stone["state"]:
            found.append(f"{stone['path']}.json does not say {stone['state']}")
    return found


def _in_force(ledger: Sequence[Row]) -> list[Row]:
    """Return of each step the row that was written last, unless it is known to be damaged."""
    newest = {
        (r["campaign_uid"], r["segment"], r["step"]): r for r in sorted(ledger, key=lambda r: r["sequence"])
    }
    return [row for row in newest.values() if row["damage"] is None]
