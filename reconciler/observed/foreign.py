"""What is among the checkpoints and is not ours: whose it is and whether it is whole, as it says itself."""

import os

import msgspec

from reconciler.observed.folders import Folder, Signature, UnsafeFile, printable, signature
from reconciler.observed.producer_files import MAX_ENTRIES, read_folder
from reconciler.observed.producers import Judgement, in_words, judge
from reconciler.observed.records import ForeignFolder
from reconciler.observed.torn import torn
from state.contract.manifest import MANIFEST_NAME
from state.ids import checkpoint_step

ForeignMemory = dict[str, tuple[tuple[Signature, ...], ForeignFolder]]
"""By path: what was found, and what would change if anybody touched it. For one process."""

NO_MANIFEST = f"there is no {MANIFEST_NAME}"


def foreign_folder(parent: Folder, name: str, why: str, memory: ForeignMemory) -> ForeignFolder:
    """Return what a folder is that is no checkpoint of ours; `why` says so where nothing more is known."""
    path = f"{parent.text}/{printable(name)}"
    plain = ForeignFolder(path=path, name=printable(name), reason=why)
    try:
        with parent.enter(name) as folder:
            seen = _signatures(folder)
            known = memory.get(path)
            if known is not None and seen and known[0] == seen:
                return known[1]
            found = _found(plain, look_into(folder, checkpoint_step(name)))
            found = msgspec.structs.replace(found, torn=torn(folder))
    except (OSError, UnsafeFile):
        return plain
    memory[path] = (seen, found)
    return found


def look_into(folder: Folder, step: int | None = None) -> Judgement | None:
    """Return whose checkpoint an open folder without a manifest is; None: it has one, or is unknown.

    Raises:
        OSError: something there cannot be read now.
    """
    if MANIFEST_NAME in folder.names():
        return None
    content = read_folder(folder)
    return judge(content, step) if content is not None else None


def _found(plain: ForeignFolder, judgement: Judgement | None) -> ForeignFolder:
    if judgement is None:
        return plain
    is_unnamed = plain.reason.startswith(NO_MANIFEST)
    named = f"{NO_MANIFEST if is_unnamed else plain.reason}; "
    if is_unnamed and judgement.is_whole:
        named = ""
    return ForeignFolder(
        path=plain.path,
        name=plain.name,
        reason=f"{named}{in_words(judgement)}",
        producer=judgement.producer,
        is_whole=judgement.is_whole,
    )


def _signatures(folder: Folder) -> tuple[Signature, ...]:
    """Return the signatures of the folder and of all in it; none where nobody would look through it."""
    names = folder.names()
    if len(names) > MAX_ENTRIES:
        return ()
    return (signature(os.fstat(folder.descriptor)), *folder.signatures(names))
