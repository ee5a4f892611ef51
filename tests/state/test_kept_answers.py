"""Answers that outlive a process: right or absent, whatever became of their file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from state import kept_answers
from state.kept_answers import KeptAnswers

CHECKOUT = Path(__file__).parents[2]
PUT_AND_DIE = """
import os, sys
from pathlib import Path
from state import kept_answers
from state.kept_answers import KeptAnswers
kept = KeptAnswers(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    kept.put(f"key {number}", b"answer %d" % number * 500)
os.kill(os.getpid(), 9)
"""


def test_an_answer_is_there_for_the_next_process(tmp_path) -> None:
    KeptAnswers(tmp_path / "new" / "cache").put("one", b"1")
    kept = KeptAnswers(tmp_path / "new" / "cache")
    assert (kept.get("one"), kept.get("two")) == (b"1", None)


def test_a_later_answer_takes_the_place_of_an_earlier_one(tmp_path) -> None:
    kept = KeptAnswers(tmp_path)
    kept.put("one", b"1")
    kept.put("one", b"2")
    assert KeptAnswers(tmp_path).get("one") == b"2"


def test_all_answers_with_one_beginning_are_given_at_once(tmp_path) -> None:
    kept = KeptAnswers(tmp_path)
    for key in ("a/", "a/one", "a/one\0more", "a0", "a", "b/one"):
        kept.put(key, key.encode())
    found = {"a/": b"a/", "a/one": b"a/one", "a/one\0more": b"a/one\0more"}
    assert KeptAnswers(tmp_path).get_all("a/") == found
    change(kept.file, "UPDATE answers SET answer = x'00' WHERE key = 'a/one'")
    del found["a/one"]
    assert KeptAnswers(tmp_path).get_all("a/") == found


@pytest.mark.parametrize("changed", ["digest = x'00'", "answer = x'00'", "digest = 5", "answer = 5"])
def test_an_answer_whose_bytes_changed_is_absent_and_can_be_put_again(tmp_path, changed) -> None:
    kept = KeptAnswers(tmp_path)
    kept.put("one", b"answer")
    change(kept.file, f"UPDATE answers SET {changed}")  # noqa: S608 - our own words
    assert kept.get("one") is None
    kept.put("one", b"answer")
    assert kept.get("one") == b"answer"


def test_an_answer_is_never_given_to_another_question(tmp_path) -> None:
    kept = KeptAnswers(tmp_path)
    kept.put("one", b"answer")
    change(kept.file, "UPDATE answers SET key = 'two'")
    assert kept.get("two") is None


@pytest.mark.parametrize("damage", ["cut short", "overwritten", "not a database", "other tables"])
def test_a_file_that_is_no_whole_database_is_made_anew_by_the_way(tmp_path, damage) -> None:
    kept = KeptAnswers(tmp_path)
    for number in range(100):
        kept.put(f"key {number}", b"answer" * 1000)
    spoil(kept.file, damage)
    after = KeptAnswers(tmp_path)
    for number in range(100):
        assert after.get(f"key {number}") in (None, b"answer" * 1000)
        after.put(f"key {number}", b"answer" * 1000)
    again = KeptAnswers(tmp_path)
    assert all(again.get(f"key {number}") == b"answer" * 1000 for number in range(100))


def test_a_process_that_is_killed_while_it_writes_leaves_right_answers_or_none(tmp_path) -> None:
    command = [sys.executable, "-c", PUT_AND_DIE, str(tmp_path), "50"]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    assert subprocess.run(command, check=False, env=environment).returncode == -signal.SIGKILL
    kept = KeptAnswers(tmp_path)
    assert [kept.get(f"key {number}") for number in range(50)] == [b"answer %d" % n * 500 for n in range(50)]


def test_a_file_that_another_process_holds_is_waited_for_once(tmp_path) -> None:
    kept = KeptAnswers(tmp_path)
    kept.put("one", b"1")
    waits: list[int] = []
    kept._connection.set_busy_handler(lambda tries: bool(waits.append(tries)))
    other = apsw.Connection(str(kept.file))
    other.execute("BEGIN EXCLUSIVE")
    assert [kept.get("one") for _ in range(5)] == [None] * 5
    assert len(waits) == 1
    other.execute("ROLLBACK")
    assert kept.get("one") == b"1"


def test_many_answers_are_put_and_given_at_once(tmp_path) -> None:
    kept, other = KeptAnswers(tmp_path), KeptAnswers(tmp_path)
    kept.put("one", b"1")
    with kept.at_once():
        assert kept.get("one") == b"1"
        kept.put("two", b"2")
        assert (kept.get("two"), other.get("two")) == (b"2", None)
    assert other.get("two") == b"2"


def test_what_is_put_while_others_read_at_once_is_right_or_not_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(kept_answers, "_BUSY_MILLISECONDS", 5)
    kept, other = KeptAnswers(tmp_path), KeptAnswers(tmp_path)
    kept.put("one", b"1")
    with kept.at_once():
        assert kept.get("one") == b"1"
        other.put("one", b"2")
        with other.at_once():
            other.put("two", b"2")
        assert (kept.get("one"), kept.get("two")) == (b"1", None)
    assert (other.get("one"), other.get("two")) == (b"1", None)
    other.put("one", b"2")
    assert kept.get("one") == b"2"


@pytest.mark.parametrize("damage", ["cut short", "not a database"])
def test_a_file_that_breaks_between_two_questions_ends_in_no_answer(tmp_path, damage) -> None:
    kept = KeptAnswers(tmp_path)
    with kept.at_once():
        kept.put("one", b"1")
    with kept.at_once():
        spoil(kept.file, damage)
        assert kept.get("two") is None
    assert KeptAnswers(tmp_path).get("one") in (None, b"1")


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    kept = KeptAnswers(tmp_path / "file" / "cache")
    with kept.at_once():
        kept.put("one", b"1")
    assert kept.get("one") is None


def test_answers_are_private_to_the_user(tmp_path) -> None:
    kept = KeptAnswers(tmp_path / "cache")
    kept.put("one", b"1")
    assert kept.file.parent.stat().st_mode & 0o077 == 0
    assert [file.name for file in kept.file.parent.iterdir()] == ["answers.db"]


def change(file: Path, statement: str) -> None:
    connection = apsw.Connection(str(file))
    connection.execute(statement)
    assert connection.changes() == 1
    connection.close()


def spoil(file: Path, damage: str) -> None:
    content = file.read_bytes()
    match damage:
        case "cut short":
            file.write_bytes(content[: len(content) // 3])
        case "overwritten":
            file.write_bytes(content[:8192] + os.urandom(len(content) - 16384) + content[-8192:])
        case "not a database":
            file.write_bytes(b"nothing of the kind" * 1000)
        case "other tables":
            file.unlink()
            apsw.Connection(str(file)).execute("CREATE TABLE answers (wrong)")
