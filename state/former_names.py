"""What a person, or a request, names by a name that its campaign had before a rename."""

from collections.abc import Iterable

from state.store.rows import CampaignRow


def called_now(rows: Iterable[CampaignRow], word: str) -> str:
    """Return the word with the name that its campaign has now, in the place of one that it had before.

    The word is a campaign's name, or one of a checkpoint or a run of it. A name that a campaign has is always
    that one's: a former name is given to no other.
    """
    campaign, at, which = word.partition("@")
    name = "/".join(campaign.split("/")[:2])
    rows = tuple(rows)
    if any(row.name == name for row in rows):
        return word
    now = next((row.name for row in rows if name in row.former), name)
    return f"{now}{campaign.removeprefix(name)}{at}{which}"
