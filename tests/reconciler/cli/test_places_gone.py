"""The place of what was moved out is away, or gone for good: what lies in the trash is never called lost."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cleanup_words import plain
from moved_out import ONE, RULES, kinds, lose, purge, states, view


def test_what_lies_in_the_trash_still_is_not_called_lost_and_comes_back_once_its_place_is_gone_for_good(
    moved: Path, run: Any, nas: Path, lab: Path, git: Callable[..., str], pass_time: Callable[[float], None]
) -> None:
    shutil.rmtree(nas)
    lose(moved, "control/rows/realm.json")

    said = plain(run("doctor", "--rebuild").output)

    assert f"{ONE}@200: moved out of the root, and no copy was found in the places asked ({nas} could" in said
    assert "it lies in the trash: nothing of it is lost" in said
    assert states(run)[200] == "trashed"
    (lab / "specs/retention.yaml").write_text(f"{RULES}acknowledged_losses: ['{ONE}@200']\n")
    git(lab, "commit", "-qam", "its place is gone")
    assert run("doctor", "--rebuild").exit_code == 0
    assert view(moved).unseen_places == ()
    assert "BringBackCheckpoint" in kinds(run)
    purge(run, pass_time)
    assert states(run)[200] == "complete"


def test_a_place_that_is_gone_for_good_is_taken_out_of_the_specs_alone_where_nothing_is_lost(
    moved: Path, run: Any, nas: Path, lab: Path, git: Callable[..., str]
) -> None:
    shutil.rmtree(nas)
    lose(moved, "control/rows/realm.json")
    run("doctor", "--rebuild")
    (lab / "specs/retention.yaml").write_text(RULES)
    git(lab, "commit", "-qam", "its place is gone")

    assert run("doctor", "--rebuild").exit_code == 0

    assert view(moved).unseen_places == ()
    assert "BringBackCheckpoint" in kinds(run)


def test_a_purge_that_waits_for_its_copy_is_explained_by_that(
    moved: Path, run: Any, nas: Path, pass_time: Callable[[float], None]
) -> None:
    nas.rename(nas.with_name("unmounted"))
    purge(run, pass_time)

    told = plain(run("explain", f"checkpoint/{ONE}@200").stdout)

    assert "held while None" not in told
    assert "deleted for good not yet: failed" in told
    assert states(run)[200] == "elsewhere"
