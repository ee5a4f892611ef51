"""Is a folder that is no complete checkpoint what is left of one of ours? A positive test; else it is not.

Torn: nothing but plain files lies there, none of them written by a newer software, and one of them says that
it is ours: the manifest, the sidecar, or the state that the trainer saved. An empty folder is nobody's work.
"""

import stat

from reconciler.observed.folders import Folder, UnsafeFile
from reconciler.observed.producers import STATE
from reconciler.observed.records import Torn
from state.contract.files import ContractError, OfNewerSoftware, decode
from state.contract.manifest import MANIFEST_NAME, SIDECAR_NAME, Manifest, manifest_digest
from state.formats import decode_record, is_of_newer_software

_MAX_BYTES = 64 * 1024 * 1024
_OF_OUR_STATE, _OF_OUR_SIDECAR = "locked", "ledger_version"


def torn(folder: Folder) -> Torn | None:
    """Return what is left of one of ours in an open folder; None: it is not ours, or not understood.

    Raises:
        OSError, UnsafeFile: something there cannot be read now.
    """
    names = folder.names()
    if not all(stat.S_ISREG(folder.status(name).st_mode) for name in names):
        return None
    try:
        digest = _digest_in_manifest(folder) if MANIFEST_NAME in names else None
    except OfNewerSoftware:
        return None
    sidecar = _record(folder, SIDECAR_NAME) if SIDECAR_NAME in names else {}
    if is_of_newer_software(sidecar):
        return None
    says_so = digest is not None or _OF_OUR_SIDECAR in sidecar
    if names and not says_so and _OF_OUR_STATE not in (_record(folder, STATE) if STATE in names else {}):
        return None
    return Torn(digest)


def _digest_in_manifest(folder: Folder) -> str | None:
    """Return the digest that a manifest has by its content; None: it was changed, or is none.

    Raises:
        OfNewerSoftware: this software does not understand it.
    """
    try:
        manifest = decode(folder.read(MANIFEST_NAME, _MAX_BYTES), Manifest, MANIFEST_NAME)
        return manifest.digest if manifest_digest(manifest) == manifest.digest else None
    except OfNewerSoftware:
        raise
    except (ContractError, ValueError, UnsafeFile):
        return None


def _record(folder: Folder, name: str) -> dict[str, object]:
    try:
        return decode_record(folder.read(name, _MAX_BYTES))
    except (ValueError, UnsafeFile):
        return {}
