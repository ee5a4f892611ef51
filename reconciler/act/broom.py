"""Unfinished work that kills and failures leave, removed from the folders where only the reconciler works."""

from pathlib import Path

from state.atomic import remove_staging
from state.homes import find_home
from state.ids import RunKey
from state.layout import Layout
from state.queue_folders import FOLDERS
from state.store.row_files import row_folders
from state.store.rows import CampaignRow, RunRow
from state.store.tables import select
from state.store.writer import Writer


class Broom:
    """Sweeps, and remembers where it has to sweep again."""

    def __init__(self, layout: Layout) -> None:
        """Owe nothing yet."""
        self._layout = layout
        self._owes_all = False
        self._left: list[Path] = []

    def owe(self) -> None:
        """Let every folder be swept the next time: something was killed, or has failed."""
        self._owes_all = True

    def sweep(self, writer: Writer) -> None:
        """Sweep what is owed; what cannot be removed stops nothing, and is tried again the next time.

        Raises:
            apsw.Error, OSError: the store could not be read; everything is owed still.
        """
        if self._owes_all:
            self._left = _folders(self._layout, writer)
            self._owes_all = False
        self._left = [folder for folder in self._left if not _is_swept(folder)]


def _is_swept(folder: Path) -> bool:
    """Sweep a folder. The plan names one that cannot be reached, and nothing of ours lies behind a link."""
    try:
        remove_staging(folder)
    except OSError:
        return False
    return True


def _folders(layout: Layout, writer: Writer) -> list[Path]:
    with writer.transaction() as store:
        campaigns = {row.uid: find_home(layout, row).places for row in select(store, CampaignRow)}
        ended = [row for row in select(store, RunRow) if row.state == "ended"]
    ours = [
        layout.root,
        layout.lock.parent,
        layout.data,
        layout.campaigns,
        layout.trash,
        layout.backups,
        layout.job_history.parent,
    ]
    ours += [layout.queue / folder for folder in FOLDERS]
    ours += row_folders(layout.row_files)
    for campaign in campaigns.values():
        ours += [campaign.folder, campaign.logs, campaign.status]
    for row in ended:  # else its trainer works there
        if row.campaign_uid in campaigns:
            ours.append(campaigns[row.campaign_uid].run(_key(row)).folder)
    return ours


def _key(row: RunRow) -> RunKey:
    return RunKey(row.campaign_uid, row.generation, row.attempt)
