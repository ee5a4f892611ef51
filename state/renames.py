"""A campaign under another name: which rows of the store say it, and how they read then. Pure.

Its uid, its folder and what is hashed stay. The plan reads the rows so before the store has them so, and the
action that renames writes just these: what is shown is what is done.
"""

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


class Unsaid(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that lost its spec as another of its hero came, and nobody says if the two are one."""

    old: str
    new: str


def renamed_view(store: StoreView, rename: Rename) -> StoreView:
    """Return what the store will say once the campaign has its new name."""
    return msgspec.structs.replace(
        store,
        campaigns=tuple(renamed(row, rename) for row in store.campaigns),
        jobs=tuple(renamed(row, rename) for row in store.jobs),
        trash=tuple(renamed(row, rename) for row in store.trash),
        requests=tuple(renamed(row, rename) for row in store.requests),
    )


def renamed(row: Row, rename: Rename) -> Row:
    """Return the row as it reads under the new name: the very row where nothing in it changes."""
    changed = {name: value for name, value in _said_in(row, rename).items() if getattr(row, name) != value}
    return msgspec.structs.replace(row, **changed) if changed else row


def _said_in(row: msgspec.Struct, rename: Rename) -> dict[str, str]:
    """Return what a row says of the campaign, as it is to be said."""
    uid, (hero, _, campaign) = rename.campaign_uid, rename.new.partition("/")
    if isinstance(row, CampaignRow):
        return _of_itself(row, rename) if row.uid == uid else _of_its_start(row, rename)
    if isinstance(row, JobRow) and row.campaign_uid == uid:
        return {"hero_id": hero, "campaign_id": campaign}
    if isinstance(row, TrashRow) and row.campaign_uid == uid:
        return {"campaign": rename.new}
    if isinstance(row, RequestRow) and row.handled_at is None:
        return {"campaign": _said(row.campaign, rename)}
    return {}


def _of_itself(row: CampaignRow, rename: Rename) -> dict[str, str]:
    """Return its new name and those that it had: the first, which its folder has, stays the first."""
    if row.name == rename.new:
        return {}
    had = dict.fromkeys((row.folder_name, *row.former, row.name))
    return {"name": rename.new, "former_names": " ".join(had)}


def _of_its_start(row: CampaignRow, rename: Rename) -> dict[str, str]:
    """Return how another campaign names the checkpoint that it began with."""
    names = ("starting_from", "starting_checkpoint")
    said = {name: getattr(row, name) for name in names}
    return {name: _said(text, rename) for name, text in said.items() if text is not None}


def _said(text: str, rename: Rename) -> str:
    """Return `<hero>/<id>` or `<hero>/<id>@<which>` under the new name."""
    campaign, at, which = text.partition("@")
    return f"{rename.new}{at}{which}" if campaign == rename.old else text
