"""Pins and tags stay with a checkpoint that lies only elsewhere, though store, rows and the spec's line are lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from moved_out import ONE, RULES, lose, purge, view

from state.store.marks import marks_of
from state.store.rows import Marks


@pytest.fixture
def marked(
    moved: Path, run: Any, nas: Path, lab: Path, git: Callable[..., str], pass_time: Callable[[float], None]
) -> Path:
    """A root of which a checkpoint lies on the nas only, marked by lines of the specs that are gone."""
    purge(run, pass_time)
    rules = f"{RULES}archive: {{to: {nas}}}\n"
    for lines in (f"pins: [{ONE}@200]\ntags: {{loved: [{ONE}@200]}}\n", ""):
        (lab / "specs/retention.yaml").write_text(rules + lines)
        git(lab, "commit", "-qam", "marks")
        assert run("apply", "--until-converged").exit_code == 0
    assert marks(moved) == Marks(pinned=True, tags=("loved",))
    return moved


def marks(root: Path) -> Marks:
    (row,) = (row for row in view(root).ledger if row.step == 200)
    return marks_of(row)


@pytest.mark.parametrize(
    "lost", [["control/rows"], ["control", "backups"], ["control/rows/campaigns"]], ids=" ".join
)
@pytest.mark.parametrize("is_away", [False, True], ids=["in reach", "away at first"])
def test_the_marks_of_what_lies_only_elsewhere_are_known_again(
    marked: Path, run: Any, nas: Path, lost: list[str], is_away: bool
) -> None:
    lose(marked, *lost)
    if is_away:
        away = nas.rename(nas.with_name("unmounted"))
        run("doctor", "--rebuild")
        run("apply", "--once")
        away.rename(nas)

    assert run("doctor", "--rebuild").exit_code == 0

    assert marks(marked) == Marks(pinned=True, tags=("loved",))


def test_an_index_that_is_gone_or_damaged_stops_no_rebuild(marked: Path, run: Any) -> None:
    (index,) = marked.glob("campaigns/archive/*/*/status/checkpoint_ledger.json")
    for content in (b"{", b'{"checkpoints": [1]}', b'{"checkpoints": {"200": 7}}', None):
        index.unlink() if content is None else index.write_bytes(content)
        lose(marked, "control/rows")
        assert run("doctor", "--rebuild").exit_code == 0
        assert marks(marked) == Marks()
