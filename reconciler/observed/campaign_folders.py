"""What lies in a campaign's folder: opened once, everything in it reached from there."""

from pathlib import Path

from reconciler.observed.checkpoint_cache import CheckpointCache
from reconciler.observed.checkpoints import checkpoints_in
from reconciler.observed.derived_files import derived_in
from reconciler.observed.folders import Folder, UnsafeFile, open_folder, reason
from reconciler.observed.records import CampaignRuns, CheckpointFacts, DerivedFile, SeenFolder
from reconciler.observed.runs import RunCache, runs_in
from state.homes import Home
from state.layout import CampaignLayout

_PLACES = CampaignLayout(Path())
_CHECKPOINTS, _RECORD = _PLACES.checkpoints.name, _PLACES.record.name
_STATUS, _TRAINING_STATUS = _PLACES.status.name, _PLACES.training_status.name


class FolderCaches:
    """What need not be found out twice of campaigns' folders."""

    def __init__(self, checkpoints: CheckpointCache) -> None:
        self.checkpoints = checkpoints
        self.runs: RunCache = RunCache()


def observe_campaign_folder(home: Home, below: Path, campaign_uid: str, caches: FolderCaches) -> SeenFolder:
    """Return the checkpoints, runs and derived files of a campaign below a folder that is trusted."""
    try:
        with open_folder(home.places.folder, below) as folder:
            return SeenFolder(
                checkpoints=checkpoints_in(folder, _CHECKPOINTS, campaign_uid, caches.checkpoints),
                runs=runs_in(folder, cache=caches.runs),
                record=derived_in(folder, _RECORD),
                training_status=_training_status(folder),
                home=home.state,
            )
    except FileNotFoundError:
        return _nothing(home)
    except (OSError, UnsafeFile) as error:
        return _nothing(home, reason(error))


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
