"""What killed copies left outside the root, and nobody goes on with: swept by what comes there next.

Only what is known to be ours goes: its name says step and digest of a checkpoint that this campaign's ledger
knows. A copy that can still be gone on with stays.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

import msgspec

from reconciler.act.derived import places_of
from reconciler.act.lying import all_lying
from reconciler.act.refreshes import answer
from reconciler.act.tools import Tools
from reconciler.plan.actions import AnswerRequest
from state.atomic import remove_staged
from state.ids import checkpoint_folder
from state.layout import STAGING_PREFIX
from state.store.rows import CampaignRow, ExportWish, LedgerRow, RequestRow
from state.store.tables import select, select_one

_DIGITS = 12
_NAME = re.compile(rf"{re.escape(STAGING_PREFIX)}([0-9]{{1,18}})-([0-9a-f]{{{_DIGITS}}})", re.ASCII)


def staging_name(step: int, digest: str) -> str:
    """Return the name under which a copy of a checkpoint is made, elsewhere."""
    return f"{STAGING_PREFIX}{step}-{_digits(digest)}"


def sweep(tools: Tools, campaign_uid: str, campaign: str, folder: Path) -> None:
    """Remove from a folder with copies of a campaign what nobody goes on with; what cannot be stays."""
    for name in _leftovers(tools, campaign_uid, campaign, folder):
        with suppress(OSError):
            remove_staged(folder / name)


def _leftovers(tools: Tools, campaign_uid: str, campaign: str, folder: Path) -> list[str]:
    with tools.writer.transaction() as store:
        rows = select(store, LedgerRow, "WHERE campaign_uid = ?", campaign_uid)
    ours = {(row.step, _digits(row.digest)) for row in rows}
    named = [match for name in _names(folder) if (match := _NAME.fullmatch(name))]
    found = {match[0]: (int(match[1]), match[2]) for match in named}
    found = {name: what for name, what in found.items() if what in ours}
    if not found:
        return []
    there = all_lying(tools, campaign_uid, places_of(tools, campaign_uid, campaign))
    going_on = {(one.step, _digits(one.digest)) for one in there}
    return [
        name
        for name, what in found.items()
        if what not in going_on or (folder / checkpoint_folder(what[0])).is_dir()
    ]


def _names(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; none where its disk is away."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names alone
    except OSError:
        return []


def _digits(digest: str) -> str:
    return digest.removeprefix("blake3:")[:_DIGITS]


def answer_and_sweep(action: AnswerRequest, tools: Tools) -> str:
    """Tell who asked how it ended; after an export nobody goes on with what a kill left of it."""
    said = answer(action, tools)
    with tools.writer.transaction() as store:
        request = select_one(store, RequestRow, "WHERE id = ?", action.request_id)
        name = request.campaign.partition("@")[0] if request is not None else ""
        row = select_one(store, CampaignRow, "WHERE name = ?", name)
    if request is not None and row is not None and request.kind == "export":
        wish = msgspec.json.decode(request.details_json or "", type=ExportWish)
        sweep(tools, row.uid, row.name, Path(wish.to) / row.folder_name)
    return said
