"""Quest files: every mistake is named by row; what both sides accept is the same."""

import bz2
import gzip
import json
import lzma
import re

import pytest

from state.contract.orders import RowShape
from state.contract.quest_rows import (
    MAX_FINDINGS,
    QuestFileError,
    check_rows,
    is_held_out,
    read_quest_bytes,
    row_digest,
    rows,
)
from state.contract.row_lines import MAX_LINE_BYTES
from state.contract.row_shapes import Message

MESSAGES = RowShape()
FIELDS = RowShape(kind="fields", prompt="question", completion="answer")
GOOD = (
    b'{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}], "level": 1}'
)


def mistakes(content: bytes, shape: RowShape = MESSAGES) -> str:
    with pytest.raises(QuestFileError) as caught:
        check_rows(content, "data/q.jsonl", shape)
    return str(caught.value)


def test_a_good_file_is_summed_up():
    summary = check_rows(GOOD + b"\n" + GOOD + b"\n", "q", MESSAGES)
    assert (summary.num_rows, summary.size_bytes) == (2, 2 * len(GOOD) + 2)
    assert summary.sha256.startswith("sha256:")
    assert len(summary.sha256) == 71


@pytest.mark.parametrize("content", [GOOD, GOOD + b"\r\n" + GOOD + b"\r\n"], ids=["no last line end", "CRLF"])
def test_line_ends_of_other_systems_are_accepted(content):
    assert {row.messages[1].content for row in rows(content, "q", MESSAGES)} == {"yo"}


@pytest.mark.parametrize(
    ("encoding", "name", "told"),
    [
        ("utf-16", "UTF-16", "utf-16"),
        ("utf-16-le", "UTF-16", "utf-16le"),
        ("utf-16-be", "UTF-16", "utf-16be"),
        ("utf-32", "UTF-32", "utf-32"),
        ("utf-32-le", "UTF-32", "utf-32le"),
        ("utf-32-be", "UTF-32", "utf-32be"),
    ],
)
def test_a_file_in_a_wider_encoding_is_named_once_with_the_command_that_converts_it(encoding, name, told):
    content = (GOOD + b"\n" + GOOD + b"\n").decode().encode(encoding)
    assert mistakes(content) == (
        f"data/q.jsonl: the file is {name}, not UTF-8; expected UTF-8. "
        f"Convert it: iconv -f {told} -t utf-8 FILE > FILE.jsonl"
    )


@pytest.mark.parametrize(
    ("pack", "name", "how"),
    [
        (gzip.compress, "gzip", "gzip -dc"),
        (bz2.compress, "bzip2", "bzip2 -dc"),
        (lzma.compress, "xz", "xz -dc"),
    ],
    ids=["gzip", "bzip2", "xz"],
)
def test_a_compressed_file_is_named_with_the_command_that_unpacks_it(pack, name, how):
    assert mistakes(pack(GOOD + b"\n")) == (
        f"data/q.jsonl: the file is compressed ({name}); expected JSON lines as plain text. "
        f"Unpack it: {how} FILE > FILE.jsonl"
    )


def test_a_carriage_return_within_a_row_ends_no_row():
    content = GOOD.replace(b", ", b",\r") + b"\r"
    assert [row.messages[1].content for row in rows(content, "q", MESSAGES)] == ["yo"]


def test_a_row_of_fields_becomes_a_user_and_an_assistant_turn():
    content = b'{"question": "1+1?", "answer": "2", "source": "x"}\n'
    assert [row.messages for row in rows(content, "q", FIELDS)] == [
        (Message("user", "1+1?"), Message("assistant", "2"))
    ]


def row(*turns: object) -> bytes:
    return json.dumps({"messages": list(turns)}).encode() + b"\n"


USER, BOT = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "data/q.jsonl: the file is empty; expected at least one row"),
        (b" \n\n", "the file has blank lines and no row"),
        (b"\xef\xbb\xbf" + GOOD, "byte order mark (EF BB BF); expected UTF-8 without a mark"),
        (GOOD + b'\n{"messages": "\xe9t\xe9"}\n', "row 2: byte 0xe9 at column 15 is not UTF-8"),
        (GOOD + b"\n" + GOOD[:40] + b"\n" + GOOD + b"\n", "row 2: the row is torn in the middle"),
        (GOOD + b"\n" + GOOD[:40], "row 2: the file is torn at the end"),
        (GOOD + b"\n\n" + GOOD + b"\n", "row 2: an empty line"),
        (b"hello world\n", 'row 1: not JSON: "hello world"'),
        (GOOD + b" x\n", "trailing characters"),
        (
            b'[{"prompt": "a", "completion": "b"},\n {"prompt": "c", "completion": "d"}]\n',
            "data/q.jsonl: the file is one JSON list; expected one JSON object a line. Write one a line: "
            "jq -c '.[]' FILE > FILE.jsonl",
        ),
        (b' [\n  {"messages": []}\n]\n', "the file is one JSON list"),
        (
            b'{\n  "prompt": "a",\n  "completion": "b"\n}\n',
            "the file has JSON objects that go over several lines; expected one JSON object a line. Write one a "
            "line: jq -c '.' FILE > FILE.jsonl",
        ),
        (
            GOOD + b"\r" + GOOD + b"\r",
            "data/q.jsonl: the rows end with a carriage return alone (CR), which ends no line; expected rows that "
            r"end with a line feed (LF). Write line feeds: tr '\r' '\n' < FILE > FILE.jsonl",
        ),
        (b'{\n{"messages": []}\n', "row 1: the row is torn in the middle"),
        (b'[{"a": 1}\n' + GOOD + b"\n", "row 1: the row is torn in the middle"),
        (b"[1, 2]\n", "row 1: a list instead of an object"),
        (b'{"messages": NaN}\n', "row 1: NaN, which is not a number in JSON"),
        (b'{"messages": -Infinity}\n', "row 1: -Infinity, which is not a number"),
        (b'{"messages": 1e999}\n', "row 1: a number out of range"),
        (
            GOOD + b"\n\xef\xbb\xbf" + GOOD + b"\n",
            "row 2: the row starts with a UTF-8 byte order mark (EF BB BF)",
        ),
        (b'{"messages": "\\ud800"}\n', "row 1: a number out of range or half a surrogate pair"),
        (b"[" * 5000 + b"\n", "row 1: JSON that is nested too deeply"),
        (
            b'{"a":' + b"[" * 500 + b"]" * 500 + b"}",
            "row 1: JSON that is nested too deeply; expected at most 100",
        ),
        (GOOD + b"\n" + b'{"a":' * 101 + b"1" + b"}" * 101, "row 2: JSON that is nested too deeply"),
        (
            b'{"question": "q", "answer": "a"}\n',
            'row 1: unknown row shape, found the keys "question", "answer"; expected the key "messages". '
            "Name its fields in a dataset, for example  fields: {prompt: question, completion: answer}.",
        ),
        (b"{}\n", "unknown row shape, found no keys"),
        (row(), '"messages" is an empty list; expected a list of messages'),
        (b'{"messages": null}\n', '"messages" is null'),
        (row("hi"), 'message 1 is the text "hi"; expected an object with "role" and "content"'),
        (
            row(USER, {"role": "robot", "content": "x"}),
            'message 2 has role "robot"; expected one of system, user, as',
        ),
        (row(USER, {"role": ["user"], "content": "x"}), "message 2 has role"),
        (row(USER, {"role": "assistant", "content": " "}), "message 2 (assistant) is empty"),
        (row(USER, {"role": "assistant", "content": None}), "message 2 has null as content; expected text"),
        (row(USER, {"role": "assistant"}), 'message 2: found the keys "role"'),
        (row(USER, {**BOT, "tool_calls": []}), "tool_calls"),
        (row(USER), "row 1: no assistant message; expected at least one, to be learnt"),
    ],
)
def test_a_bad_row_is_named_with_what_was_found_and_expected(content, message):
    assert message in mistakes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD, 'row 1: there is no field "question"; expected the fields "question" and "answer"'),
        (b'{"question": 3, "answer": "a"}', 'field "question" is the number 3'),
        (b'{"question": "q", "answer": ["a"]}', 'field "answer" is a list'),
        (b'{"question": "q", "answer": ""}', 'field "answer" is empty'),
    ],
)
def test_a_bad_row_of_fields_is_named(content, message):
    assert message in mistakes(content, FIELDS)


@pytest.mark.parametrize(
    "row",
    [
        '{"messages": [{"role": "user", "role": "assistant", "content": "2"}]}',
        '{"messages": [], "messages": [{"role": "assistant", "content": "2"}]}',
        '{"mess\\u0061ges" : [], "messages": [{"role": "assistant", "content": "2"}]}',
        f'{{"messages": {"[" * 90}{"]" * 90}, "messages": []}}',
    ],
    ids=["in a message", "in the row", "in another spelling", "hiding what is nested deeply"],
)
def test_a_row_with_a_key_twice_is_refused_since_nobody_says_which_counts(row):
    found = mistakes(GOOD + b"\n" + row.encode() + b"\n")
    assert re.search(r'row 2: the key "(role|messages)" twice in one object; expected each key once', found)


def test_a_row_nested_as_deep_as_the_limit_is_read():
    content = GOOD[:-1] + b', "meta": ' + b"[" * 99 + b"]" * 99 + b"}\n"
    assert check_rows(content, "q", MESSAGES).num_rows == 1


def test_a_colon_behind_a_quote_within_a_text_is_no_key():
    row = json.dumps({"messages": [{"role": "assistant", "content": 'he said "yes": and "no" : done'}]})
    assert len(list(rows(f"{row}\n".encode(), "q.jsonl", RowShape()))) == 1


def test_a_row_beyond_the_limit_is_refused_with_the_limit():
    content = b'{"messages": "' + b"x" * MAX_LINE_BYTES + b'"}\n'
    assert "expected at most 8,388,608 bytes a row" in mistakes(content)


def test_all_mistakes_up_to_ten_are_shown_at_once():
    content = b"\n".join([b"{}"] * 3 + [GOOD] + [b"[]"] * 30) + b"\n"
    with pytest.raises(QuestFileError) as caught:
        check_rows(content, "q", MESSAGES)
    assert [finding.row for finding in caught.value.findings] == [1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    assert len(caught.value.findings) == MAX_FINDINGS


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(QuestFileError, match=r"none\.jsonl: there is no such file; expected a JSONL file"):
        read_quest_bytes(tmp_path / "none.jsonl")
    with pytest.raises(QuestFileError, match="not a regular file"):
        read_quest_bytes(tmp_path)


def test_the_digest_of_a_row_is_of_its_content_alone_and_never_changes():
    messages = (Message("user", "hi"), Message("assistant", "①"))
    (read,) = rows(
        row({"content": "hi", "role": "user"}, {"role": "assistant", "content": "①"}), "q", MESSAGES
    )
    assert row_digest(read.messages) == row_digest(messages)
    assert row_digest(messages) == "c73d618718176027b6bc06c2a5c31fab50ae763d44cdeea08729682ca08b8393"
    assert row_digest(messages[:1]) != row_digest(messages)


def test_the_held_out_share_is_close_to_the_fraction_and_grows_with_it():
    digests = [row_digest([Message("user", str(number))]) for number in range(4000)]
    small = {digest for digest in digests if is_held_out(digest, 0.02)}
    large = {digest for digest in digests if is_held_out(digest, 0.1)}
    assert 40 <= len(small) <= 120
    assert 320 <= len(large) <= 480
    assert small < large
    assert not any(is_held_out(digest, 0.0) for digest in digests)


def test_gsm8k_is_refused_until_the_quest_names_its_fields(cases):
    content = read_quest_bytes(cases / "gsm8k" / "train.jsonl")
    assert 'found the keys "question", "answer"' in mistakes(content)
    summary = check_rows(content, "train.jsonl", FIELDS)
    assert summary.num_rows == 7473
    assert summary.sha256 == "sha256:17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465"
