"""Which checkpoints are complete: a positive test, and everything that fails it is foreign.

Complete means: the folder is `checkpoint-<step>`; its manifest is valid, of this campaign and this step,
with the right digest; every file that it lists is a plain file of the listed size; and there is no other
file but the derived sidecar. The contents are hashed by `verify_contents`, not here.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

from reconciler.observed.fact_cache import FactCache
from reconciler.observed.folders import (
    Folder,
    Signature,
    UnsafeFile,
    is_lfs_pointer,
    open_folder,
    printable,
    reason,
    signature,
)
from reconciler.observed.records import CheckpointFacts, ForeignFolder, FoundCheckpoint
from reconciler.observed.stat_cache import StatCache
from state.contract.files import ContractError, decode
from state.contract.manifest import MANIFEST_NAME, SIDECAR_NAME, FileEntry, Manifest, manifest_digest
from state.ids import checkpoint_folder, checkpoint_step
from state.layout import DAMAGED_PREFIX, STAGING_PREFIX

MAX_MANIFEST_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 1 << 20
_LFS_ADVICE = "is a Git LFS pointer, not the file itself; fetch it with `git lfs pull`"

Found = FoundCheckpoint | ForeignFolder
CheckpointCache = StatCache[Found]


class _Rules(NamedTuple):
    campaign_uid: str | None
    verified: FactCache | None


class _Foreign(Exception):
    """Why a folder is not a complete checkpoint of ours."""


def observe_checkpoints(
    folder: Path,
    root: Path,
    campaign_uid: str | None = None,
    *,
    cache: CheckpointCache | None = None,
    verified: FactCache | None = None,
) -> CheckpointFacts:
    """Return what lies in a folder of checkpoints below the root; nothing there is nothing found.

    With `campaign_uid`, checkpoints of another campaign are foreign. With a cache, a checkpoint is looked
    at again only when its folder or manifest changed. `verified` remembers digests of manifests by their
    bytes, which saves most of the time of a first look.
    """
    try:
        with open_folder(folder, root) as opened:
            return _observe(opened, _Rules(campaign_uid, verified), cache)
    except FileNotFoundError:
        return CheckpointFacts()
    except (OSError, UnsafeFile) as error:
        return CheckpointFacts(problem=f"{folder}: {reason(error)}")


def verify_contents(path: Path, manifest: Manifest) -> tuple[str, ...]:
    """Return what is wrong with the contents of a checkpoint; reads and hashes every listed file."""
    try:
        return find_damage(path, manifest)
    except OSError as error:
        return (f"{error.filename or path} {reason(error)}",)


def find_damage(path: Path, manifest: Manifest) -> tuple[str, ...]:
    """Return which files of a checkpoint are not what was saved; reads and hashes every listed one.

    Raises:
        OSError: something cannot be read now; that says nothing about what lies there.
    """
    try:
        with open_folder(path, path.parent) as folder:
            return tuple(text for entry in manifest.files for text in _wrong_content(folder, entry))
    except UnsafeFile as error:
        return (f"{path}: {reason(error)}",)


def _observe(folder: Folder, rules: _Rules, cache: CheckpointCache | None) -> CheckpointFacts:
    names = folder.names()
    before = cache.of(str(folder.path)) if cache is not None else {}
    now: dict[str, tuple[tuple[Signature, ...], Found]] = {}
    for name in names:
        if name.startswith((STAGING_PREFIX, DAMAGED_PREFIX)):
            continue
        key = _signatures(folder, name) if cache is not None else ()
        if key and name in before and before[name][0] == key and _is_of(before[name][1], rules.campaign_uid):
            now[name] = before[name]
        elif (found := _inspect(folder, name, rules)) is not None:
            now[name] = (key, found)
    if cache is not None:
        cache.replace(str(folder.path), {name: one for name, one in now.items() if one[0]})
    return _facts([found for _, found in now.values()], names)


def _facts(found: list[Found], names: list[str]) -> CheckpointFacts:
    complete = [one for one in found if isinstance(one, FoundCheckpoint)]
    return CheckpointFacts(
        complete=tuple(sorted(complete, key=lambda checkpoint: checkpoint.step)),
        foreign=tuple(one for one in found if isinstance(one, ForeignFolder)),
        staging=tuple(printable(name) for name in names if name.startswith(STAGING_PREFIX)),
        set_aside=tuple(printable(name) for name in names if name.startswith(DAMAGED_PREFIX)),
    )


def _is_of(found: Found, campaign_uid: str | None) -> bool:
    """Does the remembered finding hold for this campaign too? A foreign folder is looked at again."""
    return isinstance(found, FoundCheckpoint) and campaign_uid in (None, found.manifest.campaign_uid)


def _signatures(folder: Folder, name: str) -> tuple[Signature, ...]:
    """Return what changes with folder or manifest; empty when this is no folder with a manifest."""
    try:
        with folder.enter(name) as inside:
            return signature(inside.own_status()), signature(inside.status(MANIFEST_NAME))
    except (OSError, UnsafeFile):
        return ()


def _inspect(parent: Folder, name: str, rules: _Rules) -> Found | None:
    """Return what the entry is; None when it went away while we looked."""
    path = str(parent.path / printable(name))
    try:
        step = _step(name)
        with parent.enter(name) as folder:
            return _complete(folder, path, step, rules)
    except _Foreign as foreign:
        return ForeignFolder(path=path, name=printable(name), reason=str(foreign))
    except FileNotFoundError:
        return None
    except (OSError, UnsafeFile) as error:
        return ForeignFolder(path=path, name=printable(name), reason=reason(error))


def _step(name: str) -> int:
    step = checkpoint_step(name)
    if step is None or name != checkpoint_folder(step):
        raise _Foreign("the name is not understood; expected checkpoint-<step>")
    return step


def _complete(folder: Folder, path: str, step: int, rules: _Rules) -> FoundCheckpoint:
    names = set(folder.names())
    content = _manifest_bytes(folder, names)
    manifest = _manifest(content, rules.verified)
    if manifest.step != step:
        raise _Foreign(f"the manifest says step {manifest.step}, the folder's name says {step}")
    if rules.campaign_uid not in (None, manifest.campaign_uid):
        uid = printable(manifest.campaign_uid)
        raise _Foreign(f"it belongs to campaign uid {uid}, not {rules.campaign_uid}")
    _check_names(names, manifest)
    for entry in manifest.files:
        _check_file(folder, entry)
    size = sum(entry.size_bytes for entry in manifest.files) + len(content)
    return FoundCheckpoint(path=path, step=step, size_bytes=size, manifest=manifest)


def _manifest_bytes(folder: Folder, names: set[str]) -> bytes:
    if MANIFEST_NAME not in names:
        raise _Foreign(f"there is no {MANIFEST_NAME}: not saved to the end, or made by other software")
    try:
        content = folder.read(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    except (OSError, UnsafeFile) as error:
        raise _Foreign(f"{MANIFEST_NAME} {reason(error)}") from error
    if is_lfs_pointer(content):
        raise _Foreign(f"{MANIFEST_NAME} {_LFS_ADVICE}")
    return content


def _manifest(content: bytes, verified: FactCache | None) -> Manifest:
    try:
        manifest = decode(content, Manifest, MANIFEST_NAME)
        digest = _digest_of(manifest, content, verified)
    except (ContractError, ValueError) as error:
        raise _Foreign(str(error)) from error
    if digest != manifest.digest:
        raise _Foreign(f"{MANIFEST_NAME} was changed: its content has digest {digest}, not the one it names")
    return manifest


def _digest_of(manifest: Manifest, content: bytes, verified: FactCache | None) -> str:
    """Return the digest of what the manifest says, remembered by the manifest's bytes."""
    if verified is None:
        return manifest_digest(manifest)
    key = f"manifest-{manifest.schema_version} {blake3(content).hexdigest()}"
    if known := verified.get(key):
        return known.decode("ascii", "replace")
    digest = manifest_digest(manifest)
    verified.put(key, digest.encode())
    return digest


def _check_names(names: set[str], manifest: Manifest) -> None:
    listed = [entry.path for entry in manifest.files]
    for name in listed:
        if not _is_plain_name(name) or name in (MANIFEST_NAME, SIDECAR_NAME):
            raise _Foreign(f"the manifest lists {printable(name)!r}, which is no file of a checkpoint")
    if not listed or len(set(listed)) != len(listed):
        raise _Foreign("the manifest lists no file" if not listed else "the manifest lists a file twice")
    if extra := sorted(names - {*listed, MANIFEST_NAME, SIDECAR_NAME}):
        raise _Foreign(f"{printable(extra[0])} is not in the manifest")


def _is_plain_name(name: str) -> bool:
    return name not in ("", os.curdir, os.pardir) and os.sep not in name and "\0" not in name


def _check_file(folder: Folder, entry: FileEntry) -> None:
    try:
        status = folder.status(entry.path)
    except FileNotFoundError:
        raise _Foreign(f"{printable(entry.path)} is missing") from None
    if stat.S_ISLNK(status.st_mode):
        raise _Foreign(f"{printable(entry.path)} is a symbolic link, which is not followed")
    if not stat.S_ISREG(status.st_mode):
        raise _Foreign(f"{printable(entry.path)} is not a plain file")
    if status.st_size != entry.size_bytes:
        raise _Foreign(_wrong_size(folder, entry, status.st_size))


def _wrong_size(folder: Folder, entry: FileEntry, size_bytes: int) -> str:
    name = printable(entry.path)
    try:
        if is_lfs_pointer(folder.read(entry.path, 1024)):
            return f"{name} {_LFS_ADVICE}"
    except (OSError, UnsafeFile):
        pass  # it is the size that is told
    return f"{name} has {size_bytes} bytes, the manifest says {entry.size_bytes}: a torn copy, or changed"


def _wrong_content(folder: Folder, entry: FileEntry) -> list[str]:
    name = printable(entry.path)
    if not _is_plain_name(entry.path):
        return [f"{name}: no file of a checkpoint"]
    try:
        digest = _digest(folder, entry.path)
    except UnsafeFile as error:
        return [f"{name} {reason(error)}"]
    wanted = entry.blake3.removeprefix("blake3:")
    return [] if digest == wanted else [f"{name} has BLAKE3 {digest}, the manifest says {wanted}"]


def _digest(folder: Folder, name: str) -> str:
    hasher = blake3()
    with folder.open_file(name) as descriptor:
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            hasher.update(chunk)
    return hasher.hexdigest()
