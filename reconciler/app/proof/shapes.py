"""How the rows of a content were read when they were learnt: as its job says it.

Where the job was lost with the store, the orders that the runs were given say it, too.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from reconciler.app.proof.chain import Seen
from reconciler.app.proof.contents import NoContent
from reconciler.app.proof.lessons import Lesson
from state.contract.files import ContractError, read
from state.contract.orders import Orders, RowShape
from state.homes import find_home
from state.ids import RunKey
from state.store.rows import JobRow


def shape_of(job: JobRow) -> RowShape:
    """Return how the rows of a job are read."""
    return msgspec.json.decode(job.shape_json, type=RowShape)


class Shapes:
    """Reads the orders of each run at most once, and only where a job is lost."""

    def __init__(self, view: Seen) -> None:
        self._view = view
        self._known: dict[Path, Orders | None] = {}

    def of(self, lessons: Sequence[Lesson], job: JobRow | None) -> RowShape:
        """Return how the rows of the lessons, all of one content, were read.

        Raises:
            NoContent: neither a job nor the orders of their runs say it.
        """
        if job is not None:
            return shape_of(job)
        learnt, files = lessons[0].learnt, [self._file(run) for run in {one.run: None for one in lessons}]
        for file in files:
            orders = self._read(file) if file is not None else None
            for one in orders.quests if orders is not None else ():
                if (one.quest_id, one.digest) == (learnt.quest_id, learnt.digest):
                    return one.shape
        asked = ", ".join(str(file) for file in files if file is not None) or "no run"
        raise NoContent(
            f"nothing says how the rows of {learnt.digest} were read: the store has no job of it, as after a "
            f"loss, and the orders of its runs do not name it ({asked}); a copy of the store from before in "
            f"{self._view.layout.backups} says it: let it take the place of {self._view.layout.store}, then: "
            "reconcile doctor --rebuild"
        )

    def _file(self, run: RunKey) -> Path | None:
        row = next((one for one in self._view.facts.store.campaigns if one.uid == run.campaign_uid), None)
        return find_home(self._view.layout, row).places.run(run).orders if row is not None else None

    def _read(self, file: Path) -> Orders | None:
        if file not in self._known:
            try:
                self._known[file] = read(file, Orders)
            except (OSError, ContractError):
                self._known[file] = None
        return self._known[file]
