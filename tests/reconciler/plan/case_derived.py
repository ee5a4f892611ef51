"""Derived files that say what they should, or what a case wants them to say."""

from collections.abc import Mapping
from typing import Any

from case_constants import EARLIER

from reconciler.desired.desired import Desired
from reconciler.observed.facts import Facts
from reconciler.observed.records import DerivedFacts, DerivedFile, DerivedLink
from reconciler.plan.campaigns.registry import card_of
from state.campaign_file import campaign_record
from state.cards import CampaignCard
from state.formats import encode_record, pointer_record
from state.status_files import training_status
from state.store.rows import CampaignRow


def derived_facts(desired: Desired, facts: Facts, words: Mapping[str, Any]) -> DerivedFacts:
    """Return the pointer, the link and the campaigns' files beside the rows that the facts hold."""
    campaigns: Mapping[str, Any] = {name: told or {} for name, told in words.get("campaigns", {}).items()}
    rows = {row.name: row for row in facts.store.campaigns}
    active = rows.get(words.get("active") or "")
    pointer = encode_record(pointer_record(active, EARLIER, {})) if active else None
    link = words.get("link", active.name if active else None)
    return DerivedFacts(
        active_pointer=DerivedFile(path="pointer", content=pointer),
        active_link=DerivedLink(path="link", target=link),
        campaign_records={
            name: DerivedFile(path=name, content=_record(desired, facts, row, campaigns[name]))
            for name, row in sorted(rows.items())
            if not campaigns[name].get("no_record")
        },
        status_files={
            name: DerivedFile(path=name, content=_status_file(facts, row, campaigns[name]))
            for name, row in rows.items()
        },
    )


def campaign_card(desired: Desired, name: str) -> CampaignCard:
    """Return what apply would have taken last from the campaign's spec; an empty card without one."""
    source = desired.campaigns.get(name)
    if source is None:
        return CampaignCard(name="", description="", skills_focus=(), config_overrides={})
    return card_of(source.spec)


def _record(desired: Desired, facts: Facts, row: CampaignRow, words: Mapping[str, Any]) -> bytes:
    ledger, segments = facts.ledger_of(row.uid), facts.segments_of(row.uid)
    card = campaign_card(desired, row.name)
    return encode_record(campaign_record(card, row, ledger, words.get("record", {}), segments))


def _status_file(facts: Facts, row: CampaignRow, words: Mapping[str, Any]) -> bytes:
    record = training_status(row, facts.runs_of(row.uid), facts.ledger_of(row.uid), facts.tombstones)
    return encode_record(record | words.get("status_file", {}))
