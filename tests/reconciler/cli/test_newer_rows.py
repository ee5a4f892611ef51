"""A file of rows that newer software wrote is never written anew: what only that knows would be gone."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from state.layout import Layout
from state.lock import read_epoch
from state.store.connection import open_reader
from state.store.view import read_view


@pytest.fixture
def used(resting: Callable[..., Path], root: Path) -> Path:
    """A root with two checkpoints."""
    resting({}, (1, 2))
    return root


def newer(path: Path, **words: Any) -> bytes:
    """Let newer software have written a file of rows, with something that this one does not know."""
    said = json.loads(path.read_bytes()) | {"schema_version": 99, "pacts": ["between two heroes"]}
    path.write_text(json.dumps(said, **words))
    return path.read_bytes()


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    "words", [{}, {"indent": 1}, {"sort_keys": True}], ids=["plain", "indented", "sorted"]
)
@pytest.mark.parametrize("pattern", ["realm.json", "campaigns/*.json"])
@pytest.mark.parametrize("is_lost", [False, True], ids=["its store there", "its store lost"])
def test_apply_and_rebuild_refuse_it_by_name_and_leave_everything_as_it_was(
    used: Path, run: Any, pattern: str, words: dict[str, Any], is_lost: bool
) -> None:
    layout = Layout(used)
    path = min(layout.row_files.glob(pattern))
    content, epoch = newer(path, **words), read_epoch(layout.epoch)
    if is_lost:
        layout.store.unlink()

    rebuilt, applied, told = run("doctor", "--rebuild"), run("apply", "--once"), run("doctor")

    said = f"{path}: schema version 99 is newer than 1, which this software knows: nothing was done"
    assert (rebuilt.exit_code, said in plain(rebuilt.stderr)) == (1, True)
    assert applied.exit_code == 1
    assert is_lost or said in plain(applied.stderr)
    assert (told.exit_code, said in plain(told.stdout)) == (1, True)
    assert (path.read_bytes(), read_epoch(layout.epoch), layout.store.exists()) == (
        content,
        epoch,
        not is_lost,
    )


@pytest.mark.parametrize("asked", [("pause",), ("resume", "pip/campaign-001"), ("scrub", "--all")])
def test_a_request_that_no_apply_would_answer_is_refused_as_apply_is(
    used: Path, run: Any, asked: tuple[str, ...]
) -> None:
    path = min(Layout(used).row_files.glob("campaigns/*.json"))
    newer(path)

    refused = run(*asked)

    said = f"{path}: schema version 99 is newer than 1, which this software knows: nothing was done"
    assert (refused.exit_code, said in plain(refused.stderr)) == (1, True)
    with open_reader(used / "realm.db") as store:
        assert [row.kind for row in read_view(store).requests] == []


@pytest.mark.parametrize("pattern", ["realm.json", "campaigns/*.json"])
def test_whoever_looks_is_told_that_apply_does_nothing(used: Path, run: Any, pattern: str) -> None:
    path = min(Layout(used).row_files.glob(pattern))
    assert "newer-rows" not in run("plan", "--json").stdout
    newer(path)

    plan = json.loads(run("plan", "--json").stdout)

    assert [(one["subject"], one["code"]) for one in plan["blocked"]] == [("root", "newer-rows")]
    assert plan["changes"] == []
    said = f"{path}: schema version 99 is newer than 1, which this software knows: apply does nothing here"
    for verb in (("plan",), ("status",), ("explain", "realm"), ("doctor",)):
        assert said.rpartition(":")[0] in plain(run(*verb).output), verb


def test_what_is_no_plain_file_among_them_is_not_waited_for(used: Path, run: Any) -> None:
    campaigns = Layout(used).row_files / "campaigns"
    os.mkfifo(campaigns / "feedfeedfeedfeed.json")
    (campaigns / "beefbeefbeefbeef.json").symlink_to(used / "nowhere")
    (campaigns / "cafecafecafecafe.json").mkdir()
    assert "newer-rows" not in run("plan", "--json").stdout
    newer(next(path for path in campaigns.glob("*.json") if path.is_file()))
    assert "newer-rows" in run("plan", "--json").stdout


def test_once_it_is_moved_away_the_realm_goes_on_and_what_was_moved_stays(used: Path, run: Any) -> None:
    path = min(Layout(used).row_files.glob("campaigns/*.json"))
    content = newer(path)
    aside = path.rename(used.parent / "aside.json")
    assert run("doctor", "--rebuild").exit_code == 0
    assert json.loads(path.read_bytes())["schema_version"] == 1
    assert aside.read_bytes() == content


def test_a_file_of_rows_that_is_damaged_is_written_anew_from_the_store(used: Path, run: Any) -> None:
    path = min(Layout(used).row_files.glob("campaigns/*.json"))
    for damage in (b"", b'{"schema_version": "many"}', b"\xff", b"[" * 100_000):
        path.write_bytes(damage)
        assert run("doctor", "--rebuild").exit_code == 0
        assert json.loads(path.read_bytes())["schema_version"] == 1
