"""The one word for what a campaign is: new, active, paused, completed, archived, or an orphan."""

from reconciler.app.planning.look import View
from state.campaign_file import status_of
from state.cards import decode_card
from state.contract.goals import Goals


def state_of(view: View, name: str) -> str:
    """Return its status as campaign.json has it; `orphan` without a spec, `new` before apply made it."""
    row = view.facts.campaign_row(name)
    if row is not None and row.status == "deleted":
        return "deleted"
    if name not in view.desired.campaigns:
        return "orphan"
    if row is None:
        return "new"
    card = decode_card(row.card_json)
    ledger = [one for one in view.facts.ledger_of(row.uid) if one.is_living]
    sound = [one for one in ledger if one.damage is None]
    return status_of(row, card.goal if card else Goals(), sound[-1] if sound else None)
