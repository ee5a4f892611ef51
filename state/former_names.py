"""What a person, a spec or a request names by a name that its campaign had before a rename."""

from collections.abc import Iterable

from state.store.rows import CampaignRow


def called_now(rows: Iterable[CampaignRow], word: str) -> str:
    """Return the word with the name that its campaign has now, in the place of one that it had before.

    The word is a campaign's name, or one of a checkpoint or a run of it. A name that a campaign has is always
    that one's. Names may be handed on: a former one that several campaigns had means none of them, and the
    word stays as it is (`several_had`).
    """
    name = _campaign_in(word)
    found = _had(rows, name)
    return f"{found[0]}{word.removeprefix(name)}" if len(found) == 1 else word


def several_had(rows: Iterable[CampaignRow], word: str) -> str | None:
    """Return in words which campaigns had the name in a word, where several had it and none has it now."""
    name = _campaign_in(word)
    found = _had(rows, name)
    if len(found) < 2:  # noqa: PLR2004 - several
        return None
    return f"{name} was the name of {', '.join(found[:-1])} and of {found[-1]}"


def _campaign_in(word: str) -> str:
    return "/".join(word.partition("@")[0].split("/")[:2])


def _had(rows: Iterable[CampaignRow], name: str) -> list[str]:
    """Return what the campaigns are called that had a name, by name; none where one has it now."""
    rows = tuple(rows)
    if any(row.name == name for row in rows):
        return []
    return sorted(row.name for row in rows if name in row.former)
