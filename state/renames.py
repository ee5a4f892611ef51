"""A campaign under another name: which rows of the store say it, and how they read then. Pure.

Its uid, its folder and what is hashed stay. The plan reads the rows so before the store has them so, and the
action that renames writes just these: what is shown is what is done.
"""

from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec

from state.store.rows import CampaignRow, JobRow, RequestRow, StoreView, TrashRow

Row = TypeVar("Row", bound=msgspec.Struct)
NAMED: tuple[type[msgspec.Struct], ...] = (CampaignRow, JobRow, TrashRow, RequestRow)
"""The rows that name a campaign; of requests only those that are open are read again."""
HowKnown = Literal["said", "back", "moved"]
"""Its spec names the former one; it has a name again that it had; git sees the spec's file as moved."""


class Rename(msgspec.Struct, frozen=True, kw_only=True):
    """A registered campaign whose spec has another name now."""

    campaign_uid: str
    old: str
    new: str
    how: HowKnown


class Unfollowed(msgspec.Struct, frozen=True, kw_only=True):
    """A spec whose file was another campaign's while the campaign of that name has moved nowhere."""

    old: str
    """The campaign whose file it was."""
    new: str
    """The name of the spec, which is still that of another campaign."""
    is_said: bool = False
    """Its spec says so, and it cannot be."""
    is_deleted: bool = False
    """That campaign was deleted whole, and lies in the trash; the name of the spec is a new one."""


class Unsaid(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that came as others lost their specs, and nobody says if it is one of them."""

    new: str
    old: tuple[str, ...]


class KeptName(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that keeps its name though its spec no longer says `was:`; another has the former one."""

    name: str
    was: str


def renamed_view(store: StoreView, renames: Sequence[Rename]) -> StoreView:
    """Return what the store will say once the campaigns have their new names, all at once."""
    return msgspec.structs.replace(
        store,
        campaigns=tuple(renamed(row, renames) for row in store.campaigns),
        jobs=tuple(renamed(row, renames) for row in store.jobs),
        trash=tuple(renamed(row, renames) for row in store.trash),
        requests=tuple(renamed(row, renames) for row in store.requests),
    )


def renamed(row: Row, renames: Sequence[Rename]) -> Row:
    """Return the row as it reads under the new names: the very row where nothing in it changes."""
    changed = {name: value for name, value in _said_in(row, renames).items() if getattr(row, name) != value}
    return msgspec.structs.replace(row, **changed) if changed else row


def _said_in(row: msgspec.Struct, renames: Sequence[Rename]) -> dict[str, str]:
    """Return what a row says of the campaigns, as it is to be said."""
    if isinstance(row, RequestRow):
        return {"campaign": _said(row.campaign, renames)} if row.handled_at is None else {}
    uid = row.uid if isinstance(row, CampaignRow) else getattr(row, "campaign_uid", None)
    own = next((one for one in renames if one.campaign_uid == uid), None)
    if isinstance(row, CampaignRow):
        return {**_of_its_start(row, renames), **(_of_itself(row, own) if own is not None else {})}
    if own is None:
        return {}
    hero, _, campaign = own.new.partition("/")
    return {"hero_id": hero, "campaign_id": campaign} if isinstance(row, JobRow) else {"campaign": own.new}


def _of_itself(row: CampaignRow, rename: Rename) -> dict[str, str]:
    """Return its new name and those that it had: the first, which its folder has, stays the first."""
    if row.name == rename.new:
        return {}
    had = dict.fromkeys((row.folder_name, *row.former, row.name))
    return {"name": rename.new, "former_names": " ".join(had)}


def _of_its_start(row: CampaignRow, renames: Sequence[Rename]) -> dict[str, str]:
    """Return how a campaign names the checkpoint that it began with."""
    names = ("starting_from", "starting_checkpoint")
    said = {name: getattr(row, name) for name in names}
    return {name: _said(text, renames) for name, text in said.items() if text is not None}


def _said(text: str, renames: Sequence[Rename]) -> str:
    """Return `<hero>/<id>` or `<hero>/<id>@<which>` under the new name."""
    campaign, at, which = text.partition("@")
    new = next((one.new for one in renames if one.old == campaign), campaign)
    return f"{new}{at}{which}"
