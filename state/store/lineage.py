"""What a checkpoint had learnt, and from which one it was trained: kept when its weights are deleted. Pure.

A manifest lies beside the weights and goes with them; its descendants' proofs need it still.
"""

import msgspec

from state.contract.files import decode
from state.contract.manifest import Manifest
from state.store.rows import ManifestRow


def manifest_row(manifest: Manifest) -> ManifestRow:
    """Return what the store keeps of a manifest: all but the cursor, which grows with the quests."""
    slim = msgspec.structs.replace(manifest, cursor=())
    return ManifestRow(digest=manifest.digest, manifest_json=msgspec.json.encode(slim).decode())


def manifest_of(row: ManifestRow) -> Manifest:
    """Return the manifest, without its cursor.

    Raises:
        ContractError: a newer version wrote it.
    """
    return decode(row.manifest_json.encode(), Manifest, f"the store's manifest of {row.digest}")
