"""The gate: exactly one contract fits a file, invalid rows are left out only as far as it allows."""

import hashlib
import json

import msgspec
import pytest

from state.contract.orders import RowShape
from state.contract.quest_rows import QuestFileError, is_held_out, row_digest, rows
from state.contract.row_contracts import BUILT_IN, MESSAGES, RowContract
from state.contract.row_shapes import Message
from state.contract.sieve import highest_draw, row_digests, sieve

QA = RowContract(
    name="sums",
    shape=RowShape(kind="fields", prompt="question", completion="answer"),
    keys=("question", "answer"),
)
TEXT = RowContract(name="books", shape=RowShape(kind="text", text="text"), keys=("text",))
INSTRUCTION = RowContract(
    name="forge",
    shape=RowShape(kind="fields", prompt="instruction", context="input", completion="output"),
    keys=("instruction", "output", "input"),
)


def lines(*found: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in found)


def qa(number: int) -> dict[str, str]:
    return {"question": f"{number}?", "answer": f"{number}"}


def refusal(content: bytes, *contracts: RowContract) -> str:
    with pytest.raises(QuestFileError) as caught:
        sieve(content, "q.jsonl", contracts)
    return str(caught.value)


def test_a_whole_file_is_taken_in_as_it_is() -> None:
    content = lines(qa(1), qa(2))
    found, taken = sieve(content, "q", [QA])
    assert taken is content
    assert (found.num_rows, found.num_left_out, found.size_bytes) == (2, 0, len(content))
    assert found.digest == "sha256:" + hashlib.sha256(content).hexdigest()


def test_the_one_declared_shape_that_fits_every_row_is_chosen() -> None:
    assert sieve(lines(qa(1)), "q", [QA, TEXT, *BUILT_IN])[0].contract == QA
    assert sieve(lines({"text": "once"}), "q", [QA, TEXT, *BUILT_IN])[0].contract == TEXT


def test_a_shape_that_nobody_declared_is_refused_with_row_keys_and_the_line_to_write() -> None:
    assert refusal(lines(qa(1)), *BUILT_IN) == (
        'q.jsonl: row 1: unknown row shape, found the keys "question", "answer"; expected one of messages, '
        "prompt/completion. Declare it: specs/datasets/<id>.yaml with  kind: question_answer."
    )
    assert "kind: fields" in refusal(lines({"frage": "1?", "antwort": "1"}), *BUILT_IN)


PAIR = {"prompt": "1?", "completion": "1"}
TURNS = {"messages": [{"role": "user", "content": "1?"}, {"role": "assistant", "content": "1"}]}


@pytest.mark.parametrize(
    ("row", "advice"),
    [
        (PAIR | {"system": "In French."}, 'as the first message, {"role": "system", "content": ...}'),
        (TURNS | {"system": "In French."}, 'as the first message, {"role": "system", "content": ...}'),
        (PAIR | {"history": [["0?", "0"]]}, "Write its turns as messages"),
        (TURNS | {"tools": [{"name": "add"}]}, "Only the text of messages is trained"),
        (TURNS | {"weight": 0}, "Every row counts alike"),
        (PAIR | {"label": False}, "Leave the rows out that are not to be learnt"),
        (TURNS | {"train": False}, "Leave the rows out that are not to be learnt"),
        (PAIR | {"rejected": "2"}, "No preferences are trained"),
        (PAIR | {"context": "Say it."}, "fields: {prompt: prompt, completion: completion, context: context}"),
        (PAIR | {"reasoning": "One."}, "Write it into the completion"),
    ],
    ids=lambda value: next(reversed(value)) if isinstance(value, dict) else "",
)
def test_a_key_that_would_change_what_is_trained_is_refused_with_what_to_write_instead(
    row: dict[str, object], advice: str
) -> None:
    key = next(reversed(row))
    told = refusal(lines(PAIR if "prompt" in row else TURNS, row), *BUILT_IN)
    assert told.startswith(
        f'q.jsonl: row 2: the key "{key}", which would change what is trained and is not read; expected rows '
    )
    assert advice in told
    assert told.endswith("; or let a dataset name it in optional_fields, where it is to be left out.")


@pytest.mark.parametrize(
    "beside",
    [
        {"id": "a-1", "skill": "sums", "level": 3, "tags": ["x"], "source": {"page": 2}},
        {"system": "", "tools": [], "history": None},
        {"weight": 1.0, "label": "sums", "train": True, "loss": 0.3},
    ],
    ids=["of no matter", "empty", "as every row counts"],
)
def test_keys_that_change_nothing_stay(beside: dict[str, object]) -> None:
    assert sieve(lines(TURNS | beside), "q", BUILT_IN)[0].num_rows == 1
    assert sieve(lines(PAIR | beside), "q", BUILT_IN)[0].num_rows == 1


def test_a_dataset_that_names_such_a_key_says_what_the_rows_are() -> None:
    left_out = msgspec.structs.replace(
        BUILT_IN[1], keys=("prompt", "completion", "system"), is_built_in=False
    )
    assert sieve(lines(PAIR | {"system": "In French."}), "q", [left_out])[0].num_rows == 1
    shape = msgspec.structs.replace(left_out.shape, context="context")
    with_context = RowContract(name="asked", shape=shape, keys=("prompt", "completion", "context"))
    row = PAIR | {"context": "Say it."}
    assert sieve(lines(row), "q", [with_context, *BUILT_IN])[0].contract == with_context


def test_rows_that_match_two_shapes_are_refused_with_both_names() -> None:
    row = {"messages": [], "prompt": "1?", "completion": "1"}
    assert (
        "its rows match 2 shapes: messages, prompt/completion; expected one. Name one beside the file"
        in refusal(lines(row), *BUILT_IN)
    )
    twin = RowContract(name="trivia", shape=QA.shape, keys=QA.keys)
    assert "its rows match 2 shapes: sums, trivia" in refusal(lines(qa(1)), QA, twin)


@pytest.mark.parametrize("share", [0.0, 0.1])
@pytest.mark.parametrize("others", [(), (TEXT,)], ids=["named", "recognised"])
def test_mistakes_beyond_the_first_ten_are_counted(share: float, others: tuple[RowContract, ...]) -> None:
    contract = msgspec.structs.replace(QA, max_invalid_fraction=share)
    with pytest.raises(QuestFileError) as caught:
        sieve(
            lines(*map(qa, range(30)), *({"question": "x"} for _ in range(25))),
            "q.jsonl",
            [contract, *others],
        )
    rows = [one for one in caught.value.findings if one.row is not None]
    assert (len(caught.value.findings), len(rows) + caught.value.num_more) == (10, 25)


def test_a_row_unlike_the_others_is_named() -> None:
    assert refusal(lines(qa(1), qa(2), {"text": "once"}), QA, TEXT) == (
        'q.jsonl: row 3: found the keys "text", unlike the other rows, which are sums; '
        "expected one shape in the whole file. Split the file, or mend the row."
    )


def test_all_mistakes_of_a_file_are_told_in_their_order_by_the_shape_that_most_rows_have() -> None:
    good = {"prompt": "1?", "completion": "1"}
    content = [json.dumps(good)] * 8
    content[1] = '{"prompt": "x"'
    content[2] = json.dumps({"prompt": "x"})
    content[3] = json.dumps({"prompt": 3, "completion": "1"})
    content[4] = " "
    content[5] = json.dumps({"prompt": "x", "completion": ""})
    told = refusal("\n".join(content).encode() + b"\n", *BUILT_IN).splitlines()
    assert [line.partition("; expected")[0] for line in told] == [
        "q.jsonl: row 2: the row is torn in the middle: the line ends before its JSON does",
        'q.jsonl: row 3: there is no field "completion"',
        'q.jsonl: row 4: field "prompt" is the number 3',
        "q.jsonl: row 5: an empty line",
        'q.jsonl: row 6: field "completion" is empty',
    ]


def test_a_first_row_that_is_wrong_does_not_make_the_shape_of_the_others_unknown() -> None:
    told = refusal(lines({"question": "1?"}, qa(2), qa(3)), QA, TEXT)
    assert told == (
        'q.jsonl: row 1: there is no field "answer"; expected "question", "answer", as dataset sums reads its '
        'rows. Found the keys "question". Correct dataset sums, or the row.'
    )


def test_an_unknown_shape_is_told_once_with_the_rows_before_it_that_cannot_be_read() -> None:
    told = refusal(b"{\n" + lines({"a": 1}, {"a": 2}), *BUILT_IN).splitlines()
    assert [line.partition(",")[0].partition(";")[0] for line in told] == [
        "q.jsonl: row 1: the row is torn in the middle: the line ends before its JSON does",
        "q.jsonl: row 2: unknown row shape",
    ]


def test_a_key_that_the_dataset_does_not_declare_is_refused() -> None:
    assert refusal(lines(qa(1), qa(2) | {"score": 1}), QA) == (
        'q.jsonl: row 2: the key "score"; expected only question, answer. '
        "Remove it from the rows, or add it to optional_fields of dataset sums."
    )


def test_all_keys_that_the_dataset_does_not_declare_are_named() -> None:
    assert refusal(lines(qa(1), qa(2) | {"score": 1, "by": "x"}), QA) == (
        'q.jsonl: row 2: the keys "score", "by"; expected only question, answer. '
        "Remove them from the rows, or add them to optional_fields of dataset sums."
    )


def test_a_dataset_that_names_other_fields_is_told_which_of_them_the_rows_lack() -> None:
    shape = RowShape(kind="fields", prompt="frage", completion="answer")
    wrong = RowContract(name="al2", shape=shape, keys=("frage", "answer"))
    assert refusal(lines(qa(1)), wrong) == (
        'q.jsonl: row 1: there is no field "frage"; expected "frage", "answer", as dataset al2 reads its rows. '
        'Found the keys "question", "answer", which are those of  kind: question_answer. '
        "Correct dataset al2, or the row."
    )


def test_a_dataset_of_another_kind_is_told_the_kind_that_fits_the_rows() -> None:
    row = {"instruction": "Add.", "input": "1 1", "output": "2"}
    assert refusal(lines(row), QA) == (
        'q.jsonl: row 1: there are no fields "question", "answer"; expected "question", "answer", as dataset '
        'sums reads its rows. Found the keys "instruction", "input", "output", which are those of  '
        "kind: instruction. Correct dataset sums, or the row."
    )


def test_a_key_that_the_dataset_requires_is_missed_by_name() -> None:
    strict = RowContract(name="bin", required=("id",))
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    assert 'row 1: there is no "id"; expected the keys that dataset bin requires' in refusal(
        lines(row), strict
    )


@pytest.mark.parametrize(("share", "passes"), [(0.0, False), (0.01, True), (0.009, False)])
def test_invalid_rows_are_left_out_up_to_the_share_and_no_further(share: float, passes: bool) -> None:
    import msgspec

    contract = msgspec.structs.replace(QA, max_invalid_fraction=share)
    bad = [qa(number) for number in range(200)]
    bad[17]["answer"] = " "
    bad[99] = {"question": "99?"}
    if not passes:
        message = refusal(lines(*bad), contract)
        assert 'row 18: field "answer" is empty' in message
        counted = (
            "2 of 200 rows are invalid; "
            "expected at most 0.900% of all its rows (max_invalid_fraction of dataset sums)"
        )
        assert (counted in message) == (share > 0)
        return
    found, taken = sieve(lines(*bad), "q", [contract])
    assert (found.num_rows, found.num_left_out, [one.row for one in found.left_out]) == (198, 2, [18, 100])
    assert [row.messages[0].content for row in rows(taken, "q", contract.shape)] == [
        f"{number}?" for number in range(200) if number not in (17, 99)
    ]
    assert found.digest == "sha256:" + hashlib.sha256(taken).hexdigest()


def test_a_file_torn_at_the_end_is_refused_whatever_share_may_be_invalid() -> None:
    lenient = RowContract(name="sums", shape=QA.shape, max_invalid_fraction=0.5)
    content = lines(*(qa(number) for number in range(50)))[:-9]
    assert "row 50: the file is torn at the end" in refusal(content, lenient)


@pytest.mark.parametrize(
    ("num_bad", "end"),
    [
        (0, ""),
        (1, "Fill it or remove the row."),
        (2, "Fill it or remove the row. Also row 2; all: reconcile validate --data"),
        (4, "Also rows 2, 3, 4; all: reconcile validate --data"),
        (30, "Also rows 2, 3, 4 and 26 more; all: reconcile validate --data"),
    ],
)
def test_rows_that_are_left_out_are_counted_and_the_first_named_with_where_all_stand(num_bad, end) -> None:
    rows = [qa(n) | ({"answer": ""} if n < num_bad else {}) for n in range(100)]
    found, _ = sieve(lines(*rows), "q", [msgspec.structs.replace(QA, max_invalid_fraction=0.5)])
    told = found.text_of_left_out
    assert told.endswith(end)
    start = f'{num_bad} invalid left out: row 1: field "answer" is empty' if num_bad else ""
    assert told.startswith(start)
    assert bool(told) == bool(num_bad)


def test_a_file_torn_at_the_end_is_refused_however_many_rows_are_left_out_before() -> None:
    lenient = RowContract(name="sums", shape=QA.shape, max_invalid_fraction=0.5)
    content = lines(*map(qa, range(50)), *({"question": "x"} for _ in range(12)), qa(50))[:-9]
    assert "row 63: the file is torn at the end" in refusal(content, lenient)


def test_a_file_of_invalid_rows_only_is_refused() -> None:
    lenient = RowContract(name="sums", shape=QA.shape, max_invalid_fraction=0.5)
    assert 'row 1: field "answer" is empty' in refusal(lines({"question": "1?", "answer": ""}), lenient)


def test_an_input_follows_its_instruction_and_may_be_absent() -> None:
    content = lines(
        {"instruction": "Add.", "input": "1 1", "output": "2"},
        {"instruction": "Say hi.", "output": "hi"},
        {"instruction": "Say yo.", "input": "", "output": "yo"},
    )
    sieve(content, "q", [INSTRUCTION])
    assert [row.messages for row in rows(content, "q", INSTRUCTION.shape)] == [
        (Message("user", "Add.\n\n1 1"), Message("assistant", "2")),
        (Message("user", "Say hi."), Message("assistant", "hi")),
        (Message("user", "Say yo."), Message("assistant", "yo")),
    ]
    assert 'field "input" is the number 3' in refusal(
        lines({"instruction": "Add.", "input": 3, "output": "2"}), INSTRUCTION
    )


def test_a_row_of_text_is_one_message_of_plain_text() -> None:
    content = lines({"text": "Once."})
    assert [row.messages for row in rows(content, "q", TEXT.shape)] == [(Message("text", "Once."),)]


def test_the_highest_draw_says_from_which_share_on_every_row_is_held_out() -> None:
    content = lines(*(qa(number) for number in range(20)))
    draw = highest_draw(row_digests(content, "q", QA))
    digests = [row_digest(row.messages) for row in rows(content, "q", QA.shape)]
    assert all(is_held_out(digest, draw + 1e-9) for digest in digests)
    assert not all(is_held_out(digest, draw) for digest in digests)


def test_gsm8k_is_refused_before_a_dataset_names_its_shape_and_whole_after(cases) -> None:
    content = (cases / "gsm8k" / "train.jsonl").read_bytes()
    assert "kind: question_answer" in refusal(content, *BUILT_IN)
    found, _ = sieve(content, "train.jsonl", [QA, *BUILT_IN])
    assert (found.contract.name, found.num_rows) == ("sums", 7473)


def test_messages_alone_need_no_dataset() -> None:
    content = lines(
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "n": 1}
    )
    assert sieve(content, "q", BUILT_IN)[0].contract == MESSAGES
