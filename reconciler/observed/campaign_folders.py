"""What lies in a campaign's folder: opened once, everything in it reached from there."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from reconciler.observed.checkpoint_cache import CheckpointCache
from reconciler.observed.derived_files import derived_in
from reconciler.observed.fact_cache import FactCache
from reconciler.observed.folder_memory import SETTLED_SECONDS, Content, FolderMemory, names_in
from reconciler.observed.folders import Folder, Neighbours, UnsafeFile, reason
from reconciler.observed.in_the_way import is_clear_in
from reconciler.observed.records import CampaignRuns, CheckpointFacts, DerivedFile, SeenFolder
from reconciler.observed.runs import RunCache, runs_in
from state.homes import Home
from state.ids import SEGMENTS
from state.layout import CampaignLayout

_PLACES = CampaignLayout(Path())
_CHECKPOINTS, _RECORD = _PLACES.checkpoints.name, _PLACES.record.name
_STATUS, _TRAINING_STATUS = _PLACES.status.name, _PLACES.training_status.name


class FolderCaches:
    """What need not be found out twice of campaigns' folders."""

    def __init__(self, kept: FactCache | None = None, *, settled_seconds: float = SETTLED_SECONDS) -> None:
        self.checkpoints = CheckpointCache(kept)
        self.rest = FolderMemory(kept, settled_seconds=settled_seconds)
        self.runs: RunCache = RunCache()


def observe_campaign_folder(
    home: Home, below: Neighbours, campaign_uid: str, caches: FolderCaches, segments: Sequence[int] = ()
) -> SeenFolder:
    """Return the checkpoints, runs and derived files of a campaign below a folder that is trusted.

    `segments`: those whose folders are looked into; none of a campaign that never began a second one.
    """
    ahead = caches.rest.found_untouched(home.folder, campaign_uid) if not segments else None
    if ahead is not None and ahead.checkpoints is not None:
        return _of(ahead, ahead.checkpoints, home)
    try:
        with below.open(home.folder) as folder:
            known = caches.rest.unchanged(folder, campaign_uid)
            if known is None:
                known = caches.rest.look(folder, lambda inside: _read(inside, campaign_uid, caches))
            seen = _seen(known, folder, home, caches)
            if not segments:
                return seen
            others = _segments(folder, segments, campaign_uid, caches)
            return msgspec.structs.replace(seen, segments=others)
    except FileNotFoundError:
        return _nothing(home)
    except (OSError, UnsafeFile) as error:
        return _nothing(home, reason(error))


def _segments(
    folder: Folder, numbers: Sequence[int], campaign_uid: str, caches: FolderCaches
) -> dict[int, CheckpointFacts]:
    try:
        with folder.enter(SEGMENTS) as inside:
            return {
                number: _checkpoints_in(inside, str(number), campaign_uid, caches.checkpoints)
                for number in numbers
            }
    except FileNotFoundError:
        return {}
    except (OSError, UnsafeFile) as error:
        problem = f"{folder.text}/{SEGMENTS}: {reason(error)}"
        return {number: CheckpointFacts(problem=problem) for number in numbers}


def _seen(known: Content, folder: Folder, home: Home, caches: FolderCaches) -> SeenFolder:
    checkpoints = known.checkpoints
    if checkpoints is None:
        uid, cache = known.campaign_uid, caches.checkpoints
        checkpoints = _checkpoints_in(folder, _CHECKPOINTS, uid, cache, known.entries)
    return _of(known, checkpoints, home)


def _checkpoints_in(
    folder: Folder, name: str, uid: str, cache: CheckpointCache, names: Sequence[str] | None = None
) -> CheckpointFacts:
    from reconciler.observed.checkpoints import checkpoints_in  # most folders are as they were

    return checkpoints_in(folder, name, uid, cache, names)


def _of(known: Content, checkpoints: CheckpointFacts, home: Home) -> SeenFolder:
    return SeenFolder(
        checkpoints=checkpoints,
        runs=known.runs,
        record=known.record,
        training_status=known.training_status,
        home=home.state,
        is_clear=known.is_clear,
    )


def _read(folder: Folder, campaign_uid: str, caches: FolderCaches) -> Content:
    checkpoints = _checkpoints_in(folder, _CHECKPOINTS, campaign_uid, caches.checkpoints)
    return Content(
        campaign_uid=campaign_uid,
        entries=names_in(folder, _CHECKPOINTS),
        checkpoints=None if checkpoints.foreign or checkpoints.problem else checkpoints,
        runs=runs_in(folder, cache=caches.runs),
        record=derived_in(folder, _RECORD),
        training_status=_training_status(folder),
        is_clear=is_clear_in(folder),
    )


def _training_status(folder: Folder) -> DerivedFile:
    try:
        with folder.enter(_STATUS) as status:
            return derived_in(status, _TRAINING_STATUS)
    except FileNotFoundError:
        return DerivedFile(path=f"{folder.text}/{_STATUS}/{_TRAINING_STATUS}")
    except (OSError, UnsafeFile) as error:
        return DerivedFile(path=f"{folder.text}/{_STATUS}/{_TRAINING_STATUS}", problem=reason(error))


def _nothing(home: Home, problem: str | None = None) -> SeenFolder:
    """Return what is seen of a folder that cannot be entered; with a problem the rest is unknown."""
    places = home.places
    where = f"{places.folder}: {problem}" if problem else None
    return SeenFolder(
        checkpoints=CheckpointFacts(problem=where),
        runs=CampaignRuns(problems=(where,) if where else ()),
        record=DerivedFile(path=str(places.record), problem=problem),
        training_status=DerivedFile(path=str(places.training_status), problem=problem),
        home=home.state,
    )
