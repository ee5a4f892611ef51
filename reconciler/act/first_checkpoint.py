"""What each first checkpoint of a campaign shares, wherever it is from: looked for, staged, published, told.

Called by `starts` (a checkpoint of another campaign) and `imports` (a folder from elsewhere), which fill it.
"""

from collections.abc import Callable
from pathlib import Path

from reconciler.act.checkpoints import record
from reconciler.act.derived import places_of
from reconciler.act.errors import Permanent
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.plan.actions import ImportCheckpoint, RecordCheckpoint, TakeOverCheckpoint
from state.atomic import ensure_folder, freeze, make_staging, publish_folder, remove_staging, write_json
from state.contract.manifest import MANIFEST_NAME, Manifest
from state.ids import checkpoint_folder
from state.layout import STAGING_PREFIX

First = TakeOverCheckpoint | ImportCheckpoint


def find_published(action: First, tools: Tools, is_it: Callable[[Manifest], bool]) -> Manifest | None:
    """Return the manifest of the copy when an earlier try has published it."""
    folder = places_of(tools, action.campaign_uid, action.campaign).checkpoints
    facts = observe_checkpoints(folder, tools.layout.root, action.campaign_uid)
    found = (one.manifest for one in facts.complete if one.step == action.step)
    return next((manifest for manifest in found if is_it(manifest)), None)


def stage(action: First, tools: Tools, word: str, fill: Callable[[Path], Manifest]) -> Manifest:
    """Return what `fill` made of a staging folder; on whatever error nothing is left of that folder."""
    folder = places_of(tools, action.campaign_uid, action.campaign).checkpoints
    ensure_folder(folder)
    remove_staging(folder)  # of a try that was killed: no trainer of this campaign was ever started
    staging = folder / f"{STAGING_PREFIX}{action.step}-{word}"
    make_staging(staging)
    try:
        return fill(staging)
    except BaseException:
        remove_staging(folder)
        raise


def publish(staging: Path, manifest: Manifest, what: str) -> Manifest:
    """Give a filled folder its manifest and its name; return the manifest.

    Raises:
        Permanent: something lies in its place.
    """
    write_json(staging / MANIFEST_NAME, manifest)
    freeze(staging)
    try:
        publish_folder(staging, staging.parent / checkpoint_folder(manifest.step))
    except FileExistsError as error:
        raise Permanent(f"{error.filename} lies in the way of the {what}; move it away") from error
    return manifest


def record_first(action: First, tools: Tools, manifest: Manifest) -> str:
    """Enter it into the ledger; return what that said."""
    recorded = RecordCheckpoint(
        campaign=action.campaign,
        campaign_uid=action.campaign_uid,
        segment=manifest.segment,
        step=manifest.step,
        digest=manifest.digest,
    )
    return record(recorded, tools)
