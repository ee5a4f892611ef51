"""`explain` of a file in the inbox: what it is, what apply makes of it, and why it is not taken in."""

import os
from pathlib import Path

ROW = '{"messages": [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}]}\n'


def test_explain_of_a_file_in_the_inbox_says_what_it_is_and_why_it_is_not_taken_in(run, root: Path) -> None:
    dropped = root / "inbox" / "maths" / "sums.jsonl"
    dropped.parent.mkdir(parents=True)
    dropped.write_text('{"question": "1+1"')
    os.utime(dropped, (1_700_000_000, 1_700_000_000))
    text = run("explain", "inbox/maths/sums.jsonl").stdout
    assert "its last line is not complete" in text.split("In the way:")[0]
    assert "inbox/maths/sums.jsonl: its last line is not complete: 18 B" in " ".join(text.split())


def test_explain_of_a_file_that_waits_in_the_inbox_shows_what_apply_makes_of_it(run, root: Path) -> None:
    dropped = root / "inbox" / "sums.jsonl"
    dropped.parent.mkdir(parents=True)
    dropped.write_text(ROW)
    os.utime(dropped, (1_700_000_000, 1_700_000_000))
    text = run("explain", "inbox/sums.jsonl").stdout
    assert "settled" in text
    assert "1 row of messages" in text
    assert "take in" in text
    quest = next(line.split()[-1] for line in text.splitlines() if line.strip().startswith("quest "))
    assert quest.startswith("sums-")


def test_explain_of_what_is_not_in_the_inbox_names_what_is(run, root: Path) -> None:
    dropped = root / "inbox" / "sums.jsonl"
    dropped.parent.mkdir(parents=True)
    dropped.write_text(ROW)
    result = run("explain", "inbox/sum.jsonl")
    assert result.exit_code == 5
    assert "sums.jsonl" in result.stderr


def test_a_file_of_the_inbox_is_told_to_declare_its_rows_and_nothing_of_a_quest(run, root: Path) -> None:
    dropped = root / "inbox" / "sums.jsonl"
    dropped.parent.mkdir(parents=True)
    dropped.write_text('{"question": "1+1", "answer": "2"}\n')
    os.utime(dropped, (1_700_000_000, 1_700_000_000))
    assert "Why blocked:  reconcile explain inbox/sums.jsonl" in run("plan").stdout
    told = run("explain", "inbox/sums.jsonl").stdout
    assert "specs/datasets/<id>.yaml with kind: question_answer." in " ".join(told.split())
    assert "in the quest" not in told
