"""New rows of a quest are looked for in the held-out files as they are now."""

import hashlib
from pathlib import Path

import pytest
from memory_cache import MemoryCache

from reconciler.observed.data_records import QuestFileFacts
from reconciler.observed.held_out import HeldOutFiles
from reconciler.observed.quest_files import observe_quest_file
from state.contract.contents import KnownPart
from state.contract.row_contracts import MESSAGES

ROW = '{"messages": [{"role": "user", "content": "%d"}, {"role": "assistant", "content": "2"}]}\n'


def written(path: Path, *numbers: int) -> Path:
    path.write_text("".join(ROW % number for number in numbers))
    return path


def seen(path: Path, **more: object) -> QuestFileFacts:
    return observe_quest_file(str(path), path.parent, path.parent, (MESSAGES,), **more)


@pytest.fixture
def grown(tmp_path: Path) -> dict[str, object]:
    """A quest of row 1 that grew by rows 2 and 3: how to look at it."""
    first = written(tmp_path / "q.jsonl", 1).read_bytes()
    written(tmp_path / "q.jsonl", 1, 2, 3)
    return {"known": ((KnownPart("sha256:" + hashlib.sha256(first).hexdigest(), len(first)),),)}


def all_in(facts: QuestFileFacts) -> tuple[str, ...]:
    (found,) = facts.continued
    assert found.new is not None
    return found.new.all_in


def test_a_held_out_file_that_has_all_the_new_rows_is_named_by_its_digest(
    tmp_path: Path, grown: dict[str, object]
) -> None:
    every, some = seen(written(tmp_path / "t.jsonl", 3, 2, 9)), seen(written(tmp_path / "s.jsonl", 3))
    facts = seen(tmp_path / "q.jsonl", held_out=HeldOutFiles([every, some]), **grown)
    assert all_in(facts) == (every.sha256,)


def test_another_held_out_file_is_another_answer_whatever_is_remembered(
    tmp_path: Path, grown: dict[str, object]
) -> None:
    cache = MemoryCache()
    for numbers, named in ((9,), False), ((2, 3), True), ((2,), False):
        held_out = seen(written(tmp_path / "t.jsonl", *numbers))
        facts = seen(tmp_path / "q.jsonl", held_out=HeldOutFiles([held_out]), cache=cache, **grown)
        assert bool(all_in(facts)) is named


def test_a_held_out_file_that_changed_since_it_was_seen_says_nothing(
    tmp_path: Path, grown: dict[str, object]
) -> None:
    held_out = seen(written(tmp_path / "t.jsonl", 2, 3))
    written(tmp_path / "t.jsonl", 2, 3, 4)
    assert all_in(seen(tmp_path / "q.jsonl", held_out=HeldOutFiles([held_out]), **grown)) == ()
