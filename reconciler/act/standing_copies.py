"""Copies elsewhere that stand for a checkpoint: looked at once more before what they stand for goes."""

import os
from pathlib import Path

import msgspec

from reconciler.act.errors import Temporary
from reconciler.act.read_back import wrong_in
from reconciler.act.tools import Tools
from reconciler.observed.copy_places import why_unreachable
from state.contract.files import ContractError, decode
from state.contract.manifest import MANIFEST_NAME, Manifest
from state.inside import InTheWay, read_file
from state.store.rows import CopyRow, TrashRow
from state.store.tables import put, select


def check_stands_for(tools: Tools, stone: TrashRow) -> None:
    """Read all of a copy that stands for what was moved out, before the last of it here is deleted.

    Raises:
        Temporary: none can be reached, or none is as it was.
    """
    with tools.writer.transaction() as store:
        copies = select(store, CopyRow, "WHERE sequence = ?", stone.sequence)
    problems: list[str] = []
    for copy in copies:
        if copy.damage is not None or copy.digest != stone.digest:
            continue
        try:
            check_copy(tools, copy, tools.now())
        except Temporary as problem:
            problems.append(str(problem))
        else:
            return
    told = problems[0] if problems else "no copy of it is known to be right"
    raise Temporary(f"{stone.thing} stays in the trash: {told}")


def check_copy(tools: Tools, copy: CopyRow, since: str) -> None:
    """Look at a copy once more; read all of it where it was last read before this moment.

    Raises:
        Temporary: it is out of reach, or not as it was, which is written down.
    """
    place = Path(copy.path)
    if (away := why_unreachable(place)) is not None:
        raise Temporary(f"its copy is out of reach: {away}")
    wrong = _wrong_at_a_look(place, copy.digest)
    if wrong is None and copy.checked_at < since:
        wrong = wrong_in(place, decode(read_file(place / MANIFEST_NAME), Manifest, MANIFEST_NAME))
    now = tools.now() if copy.checked_at < since or wrong else copy.checked_at
    with tools.writer.transaction() as store:
        put(store, [msgspec.structs.replace(copy, checked_at=now, damage=wrong, unreachable=None)])
    if wrong is not None:
        raise Temporary(f"its copy {place} is not as it was: {wrong}")


def _wrong_at_a_look(place: Path, digest: str) -> str | None:
    """Return what is wrong with a copy as far as manifest and sizes show it."""
    try:
        manifest = decode(read_file(place / MANIFEST_NAME), Manifest, MANIFEST_NAME)
        if manifest.digest != digest:
            return f"its manifest has digest {manifest.digest}, the ledger says {digest}"
        for entry in manifest.files:
            status = os.lstat(place / entry.path)
            if status.st_size != entry.size_bytes:
                return f"{entry.path} has {status.st_size} bytes, the manifest says {entry.size_bytes}"
    except FileNotFoundError as error:
        return f"{Path(str(error.filename)).name} is missing"
    except (ContractError, InTheWay) as error:
        return str(error)
    return None
