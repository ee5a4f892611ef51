"""A store that is lost after a campaign went back: how its segments began is told again, and no row trains twice.

The campaign's record says it; without that its checkpoints and runs do, but for what asked for a segment.
"""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from lab import rows
from one_campaign import MORE, ONE, RELEASE, REWIND, SUMS, Life, learnt_once

from reconciler.app.rebuilding.doctor import Rebuilt, rebuild
from reconciler.plan.actions import BeginSegment, MendCheckpoint
from state.store.rows import UNKNOWN, SegmentRow

AFTER = ["5", "10", "1:15", "1:20", "1:25", "1:30", "15", "20", "25", "30"]


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def went_back(life: Life) -> None:
    life.world.apply()
    life.commit(rewind=REWIND)
    life.world.apply()


def lose(life: Life, *more: str, record: bool = True) -> None:
    """Lose the store and all rows; without `record`, what the campaign's record says of segments, too."""
    layout = life.world.lab.layout
    for path in (layout.store, layout.root / "control", layout.backups):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path = layout.campaign(ONE).record
    said = json.loads(path.read_bytes())
    if not record:
        said.pop("segments", None)
        path.write_text(json.dumps(said))


def made_again(life: Life) -> Rebuilt:
    """Make the store again, and let a person look and say that the campaign goes on."""
    made = rebuild(life.world.environment, life.world.options)
    life.world.ask("resume", ONE)
    return made


def shape(segments: tuple[SegmentRow, ...]) -> list[SegmentRow]:
    """Return segments without what only the record tells."""
    return [
        msgspec.structs.replace(one, wanted="", reason="", begun_at="", ready_at=one.ready_at and "yes")
        for one in segments
    ]


def in_order(life: Life) -> list[str]:
    return sorted(life.names)


def test_a_rewind_that_was_made_is_not_made_again_by_a_store_that_was_lost(life: Life) -> None:
    went_back(life)
    segments = life.store.segments
    lose(life)

    made_again(life)
    plan = life.world.plan().plan
    life.world.apply()

    assert not [one for one in plan.changes if isinstance(one.action, BeginSegment | MendCheckpoint)]
    assert not [one for one in plan.blocked if "missing" in one.message]
    assert life.store.segments == segments
    assert [one.resume_step for one in life.requests()] == [None, 10, 30], "the last one found nothing to do"
    assert in_order(life) == sorted(AFTER)
    life.check_whole()


def test_where_nobody_knows_what_began_a_segment_its_line_is_held_by_name(life: Life) -> None:
    went_back(life)
    segments = life.store.segments
    lose(life, record=False)

    made = made_again(life)
    life.world.apply()

    assert any("what asked for its segment 2" in one for one in made.lost)
    assert shape(life.store.segments) == shape(segments)
    assert {one.wanted for one in life.store.segments} == {UNKNOWN}
    (held,) = (one for one in life.world.plan().plan.blocked if one.code == "rewind-unknown")
    assert "whether it went back to step 10 for that is not known any more" in held.message
    assert held.hint == "if that is done, remove the line; else go back to another step"
    assert len(life.requests()) == 2
    assert in_order(life) == sorted(AFTER)

    life.world.lab.write("data/last.jsonl", rows(range(200, 220)))
    life.quests = [SUMS, MORE, {"id": "last", "file": "data/last.jsonl"}]
    life.campaign.pop("rewind")
    life.commit()
    life.world.apply()

    assert (life.requests()[-1].segment, life.requests()[-1].resume_step) == (2, 30)
    assert learnt_once(life.prove("latest"))[-1] == ("last", 20, 0, 0)
    life.check_whole()


def test_another_step_is_gone_back_to_also_where_an_earlier_segment_is_unknown(life: Life) -> None:
    went_back(life)
    lose(life, record=False)
    made_again(life)
    life.commit(rewind={"to": 5, "reason": "earlier still"})
    life.world.apply()

    assert (life.requests()[-1].segment, life.requests()[-1].resume_step) == (3, 5)
    assert learnt_once(life.prove("latest")) == [("sums", 40, 0, 0), ("more", 20, 0, 0)]
    life.check_whole()


def test_a_rewind_that_nothing_was_trained_after_is_told_by_what_it_left(life: Life) -> None:
    life.world.apply()
    life.commit(rewind=REWIND)
    life.world.apply()
    segments, layout = life.store.segments, life.world.lab.layout
    for path in (row.path for row in life.store.ledger if row.segment == 2):
        shutil.rmtree(layout.root / path)
    (run,) = (one for one in life.requests() if one.segment == 2)
    shutil.rmtree(layout.campaign(ONE).runs / f"g{run.generation}-a{run.attempt}")
    lose(life, record=False)

    made_again(life)

    assert shape(life.store.segments) == shape(segments)
    (row,) = life.store.campaigns
    assert row.segment == 2
    assert [one.code for one in life.world.plan().plan.blocked if one.code == "rewind-unknown"]


@pytest.mark.parametrize("record", [True, False])
def test_a_release_that_was_made_is_not_made_again(life: Life, record: bool) -> None:
    life.commit(releases=[RELEASE])
    life.world.apply()
    segments, names = life.store.segments, life.names
    lose(life, record=record)

    made_again(life)
    life.world.apply()

    assert shape(life.store.segments) == shape(segments)
    assert life.store.campaigns[0].segment == 1, "a release is no living history"
    assert [one.segment for one in life.requests() if one.decay is not None] == [2]
    assert in_order(life) == sorted(names)
    life.check_whole()


@pytest.mark.parametrize("record", [True, False])
def test_the_rates_stay_as_low_as_the_loss_guard_left_them(life: Life, record: bool) -> None:
    life.world.apply(["diverges", "well"])
    segments = life.store.segments
    lose(life, record=record)

    made_again(life)
    life.world.apply()

    assert [one.rate_factor for one in segments] == [0.5]
    assert shape(life.store.segments) == shape(segments)
    rates = [one.config.training.learning_rate for one in life.requests()]
    assert rates == [0.001, 0.0005, 0.0005]
    life.check_whole()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("first", "stride"),
    [(5, 29), *(pytest.param(part, 8, marks=pytest.mark.long) for part in range(8))],
)
def test_a_rollback_killed_anywhere_whose_store_is_lost_then_trains_each_row_once(
    life: Life, tmp_path: Path, first: int, stride: int
) -> None:
    life.world.is_watched = False
    life.world.apply()
    life.commit(rewind=REWIND)
    root, aside = life.world.lab.layout.root, tmp_path / "aside"
    shutil.copytree(root, aside, symlinks=True)
    at, is_killed = first, True
    while is_killed:
        shutil.rmtree(root)
        shutil.copytree(aside, root, symlinks=True)
        life.commit(rewind=REWIND)
        is_killed = life.world.apply_killed([], at)
        lose(life)
        made_again(life)
        life.world.apply()
        if any(one.code == "rewind-unknown" for one in life.world.plan().plan.blocked):
            life.campaign.pop("rewind")
            life.commit()
            life.world.apply()
        assert [one.number for one in life.store.segments] == [2], at
        assert in_order(life) == sorted(AFTER), at
        assert learnt_once(life.prove("latest")) == [("sums", 40, 0, 0), ("more", 20, 0, 0)], at
        life.check_whole()
        at += stride
