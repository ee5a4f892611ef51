"""What decides whether a campaign's derived files say what they should, as one short print.

A plan that finds the same print as an earlier one, which had nothing to do, need not compose the files of a
thousand campaigns to compare them. Pure. A print holds every argument of `campaign_record` and
`training_status`, and the files as they are; who keeps prints sees to it that the code is the same.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from reconciler.desired.desired import Desired
from reconciler.observed.facts import Facts
from reconciler.observed.records import DerivedFile
from reconciler.plan.campaigns.registry import card_of
from state.store.rows import CampaignRow

_ENCODER = msgspec.msgpack.Encoder()


def prints_of(desired: Desired, facts: Facts) -> dict[str, bytes]:
    """Return campaign → the print of all that its campaign.json and training_status.json depend on."""
    return {
        row.name: _print_of(facts, row, card_of(source.spec, row))
        for row in facts.store.campaigns
        if (source := desired.campaigns.get(row.name)) is not None
    }


def _print_of(facts: Facts, row: CampaignRow, card: object) -> bytes:
    ledger, tombstones = facts.ledger_of(row.uid), facts.tombstones
    stones = [tombstones.get(one.sequence) for one in ledger] if tombstones else ()
    records, status = facts.derived.campaign_records, facts.derived.status_files
    said = (
        *(row, card, ledger, facts.runs_of(row.uid), stones),
        *(_seen(records, row.name), _seen(status, row.name)),
    )
    return hashlib.sha256(_ENCODER.encode(said)).digest()


def _seen(files: Mapping[str, DerivedFile], campaign: str) -> tuple[bytes | None, str | None]:
    file = files.get(campaign)
    return (file.content, file.problem) if file is not None else (None, None)
