"""The campaigns that lie in a root, by their own records: at home, in the archive, in the trash."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from reconciler.app.rebuilding.trashed import IN_ARCHIVE, stones_by_path
from state.formats import decode_record
from state.ids import is_campaign_name
from state.inside import read_file
from state.layout import CampaignLayout, Layout
from state.store.rows import CampaignState


class CampaignFolder(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    former_names: str
    places: CampaignLayout
    origin: Path
    """Its folder; of one that lies in the trash, the one that it had before."""
    is_archived: bool
    record: Mapping[str, Any]
    """Its campaign.json."""

    @property
    def uid(self) -> str:
        """As its record says; empty: no reconciler of ours wrote that."""
        return str(self.record.get("uid") or "")

    @property
    def status(self) -> CampaignState:
        if self.places.folder != self.origin:
            return "deleted"
        return "archived" if self.is_archived else "paused"


def campaigns_in(
    layout: Layout, known: Iterable[msgspec.Struct], problems: list[str]
) -> Iterator[CampaignFolder]:
    """Yield the campaigns at home and in the archive, then those that were deleted and can come back."""
    for folder, origin in (*_at_home(layout), *_in_trash(layout, known)):
        places = CampaignLayout(folder)
        try:
            record = decode_record(read_file(places.record))
        except (FileNotFoundError, NotADirectoryError):
            continue  # no campaign of ours
        except (OSError, ValueError) as error:
            problems.append(f"{places.record}: {error}; the campaign is left out")
            continue
        is_archived = str(origin.relative_to(layout.root)).startswith(IN_ARCHIVE)
        name = f"{record.get('hero_id')}/{record.get('id')}"
        folder_name = f"{origin.parent.name}/{origin.name}"
        folder_name = folder_name.removesuffix("-archived") if is_archived else folder_name
        if not (is_campaign_name(name) and is_campaign_name(folder_name)):
            continue
        # A renamed one keeps its folder, and says whose it is.
        if name == folder_name or record.get("uid"):
            yield CampaignFolder(
                name=name,
                former_names="" if name == folder_name else folder_name,
                places=places,
                origin=origin,
                is_archived=is_archived,
                record=record,
            )


def _at_home(layout: Layout) -> Iterator[tuple[Path, Path]]:
    for above in (layout.campaigns, layout.archive):
        for folder in sorted(above.glob("*/*")):
            if not (folder.is_symlink() or folder.parent.is_symlink()):
                yield folder, folder


def _in_trash(layout: Layout, known: Iterable[msgspec.Struct]) -> Iterator[tuple[Path, Path]]:
    for stone in stones_by_path(known).values():
        folder = layout.deleted_campaign(stone.campaign_uid)
        is_there = folder == layout.root / stone.path and not folder.is_symlink()
        if stone.is_campaign and stone.state == "trashed" and is_there:
            yield folder, layout.root / stone.origin
