"""What stands where a file or a folder of the realm belongs: a link, a pipe, a folder that cannot be read.

One look at each place, never through it: `act` writes and moves only where plain files and folders are. The
plan names what is something else, and plans nothing that would have to go there.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator

from reconciler.observed.folders import Folder, printable
from reconciler.observed.obstacle_records import Obstacle
from state.ids import recorded_folder
from state.inside import in_the_way, kind_of
from state.layout import Layout
from state.queue_folders import FOLDERS
from state.store.rows import CampaignRow

_FOLDER, _FILE, _LINK = "a folder", "a plain file", "a symbolic link"
_LOOK = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ROOT_PLACES = (
    *(("control", _FOLDER), ("control/active_campaign.json", _FILE), ("control/epoch", _FILE)),
    *(("control/written", _FILE), ("control/ballast", _FILE)),
    *(("campaigns", _FOLDER), ("campaigns/active", _LINK), ("campaigns/archive", _FOLDER)),
    *(("data", _FOLDER), ("trash", _FOLDER), ("logs", _FOLDER), ("inbox", _FOLDER)),
    *(("status", _FOLDER), ("status/job_history.jsonl", _FILE), ("queue", _FOLDER)),
    *((f"queue/{name}", _FOLDER) for name in FOLDERS),
)
"""Each after the folder that it lies in."""
_CAMPAIGN_PLACES = (
    *(("checkpoints", _FOLDER), ("runs", _FOLDER), ("logs", _FOLDER), ("status", _FOLDER)),
    *(("campaign.json", _FILE), ("saga.jsonl", _FILE), ("archive_summary.json", _FILE)),
    *(("status/training_status.json", _FILE), ("status/checkpoint_ledger.json", _FILE)),
    ("status/curriculum_state.json", _FILE),
)


def observe_obstacles(
    layout: Layout, campaigns: Iterable[CampaignRow], clear: Collection[str] = frozenset()
) -> tuple[Obstacle, ...]:
    """Return what stands in the way, in the order of the places.

    `clear` names the campaigns whose folders were seen where they belong with nothing in the way in them.
    """
    found: dict[str, Obstacle] = {}
    root = str(layout.root)
    for place, expected in _places(campaigns, clear):
        if place.rpartition("/")[0] not in found:  # nothing is looked at through what stands in the way
            obstacle = _obstacle(f"{root}/{place}", printable(place), expected)
            if obstacle is not None:
                found[place] = obstacle
        else:
            found[place] = found[place.rpartition("/")[0]]
    return tuple(dict.fromkeys(found.values()))


def is_clear_in(campaign: Folder) -> bool:
    """Does nothing stand in the way in the open folder of a campaign?"""
    return all(_is_right(_mode_in(campaign, name), expected) for name, expected in _CAMPAIGN_PLACES)


def _mode_in(folder: Folder, name: str) -> int | None:
    try:
        return folder.status(name).st_mode
    except OSError:
        return None


def _places(campaigns: Iterable[CampaignRow], clear: Collection[str]) -> Iterator[tuple[str, str]]:
    yield from _ROOT_PLACES
    heroes: set[str] = set()
    for row in campaigns:
        if row.status == "deleted":
            continue
        hero = row.folder_name.partition("/")[0]
        if hero not in heroes:
            heroes.add(hero)
            yield f"campaigns/{hero}", _FOLDER
            yield f"campaigns/archive/{hero}", _FOLDER
        if row.name in clear:
            continue
        is_archived = row.status == "archived"
        yield str(recorded_folder(row.folder_name, archived=not is_archived)), _FOLDER
        home = str(recorded_folder(row.folder_name, archived=is_archived))
        yield home, _FOLDER
        for name, expected in _CAMPAIGN_PLACES:
            yield f"{home}/{name}", expected


def _obstacle(path: str, place: str, expected: str) -> Obstacle | None:
    """Return what stands there instead, or why what belongs there cannot be read."""
    try:
        mode = os.lstat(path).st_mode
        if not _is_right(mode, expected):
            return Obstacle(path=place, message=in_the_way(kind_of(mode), expected))
        if expected == _FOLDER:
            os.close(os.open(path, _LOOK))
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"cannot be read: {error.strerror}; nothing is read, written, moved or deleted there"
        return Obstacle(path=place, message=message, is_unreadable=True)
    return None


def _is_right(mode: int | None, expected: str) -> bool:
    """Is it what is expected, or nothing? A link that is rewritten may replace a plain file."""
    if mode is None:
        return True
    if expected == _LINK:
        return not stat.S_ISDIR(mode)
    return stat.S_ISDIR(mode) if expected == _FOLDER else stat.S_ISREG(mode)
