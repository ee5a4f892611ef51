"""Dataset specs: exactly one shape comes out of each, or the mistake is named."""

import pytest

from reconciler.desired.dataset import contract_of, shape_of
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache
from state.contract.orders import RowShape
from state.contract.profiles import RowProfile

PLACE = "specs/datasets/sums.yaml"
QUEUE = "specs/queue.yaml"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("kind: messages", RowShape()),
        ("kind: prompt_completion", RowShape(kind="fields", prompt="prompt", completion="completion")),
        ("kind: question_answer", RowShape(kind="fields", prompt="question", completion="answer")),
        (
            "kind: user_prompt_assistant_response",
            RowShape(kind="fields", prompt="user_prompt", completion="assistant_response"),
        ),
        (
            "kind: instruction",
            RowShape(kind="fields", prompt="instruction", context="input", completion="output"),
        ),
        ("kind: text", RowShape(kind="text", text="text")),
        (
            "kind: fields\nfields: {prompt: q, completion: a, context: c}",
            RowShape(kind="fields", prompt="q", completion="a", context="c"),
        ),
        ("kind: fields\nfields: {text: body}", RowShape(kind="text", text="body")),
        (
            "kind: messages\nprofile: {name: symbolic, date: 2026-01-31}",
            RowShape(profile=RowProfile(name="symbolic", date="2026-01-31")),
        ),
        ("kind: messages\nprofile: {name: plain}", RowShape()),
        ("kind: text\nlong_rows: split", RowShape(kind="text", text="text", long_rows="split")),
        ("kind: text\nlong_rows: refuse", RowShape(kind="text", text="text")),
        (
            "required_fields: [question, answer]",
            RowShape(kind="fields", prompt="question", completion="answer"),
        ),
        ("kind: jsonl\nrequired_fields: [messages, id]", RowShape()),
    ],
)
def test_each_declared_shape_is_read(tree, small, text, shape) -> None:
    desired = load(tree(small | {PLACE: f"id: sums\n{text}\n"}), NoCache())
    assert shape_of(desired.datasets["sums"].spec) == shape


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "required_fields: [messages, user_prompt, assistant_response]",
            f"{PLACE}:2:18: required_fields match 2 shapes: messages, user_prompt_assistant_response; "
            "say which one: kind: messages",
        ),
        (
            "required_fields: [id]",
            f"{PLACE}:1:1: no shape of rows: required_fields hold none, and kind names none; "
            "known: messages, prompt_completion, question_answer, user_prompt_assistant_response, instruction, text; "
            "write kind",
        ),
        (
            "kind: fields",
            f"{PLACE}:2:7: kind: fields lacks fields; add  fields: {{prompt: <key>, completion: <key>}}",
        ),
        (
            "kind: fields\nfields: {prompt: q}",
            f"{PLACE}:3:9: names no whole shape; expected prompt and completion (and context), or text alone",
        ),
        (
            "kind: text\nfields: {text: body}",
            f"{PLACE}:3:1: fields goes with kind: fields; kind is text; keep one of them",
        ),
        ("kind: mesages", f'{PLACE}:2:7: is "mesages"; known: messages, prompt_completion, question_answer,'),
        ("kind: mesages\nfields: {text: body}", f'{PLACE}:2:7: is "mesages"; known: messages,'),
        (
            "kind: text\nprofile: {name: symbolic}",
            f"{PLACE}:3:1: a profile is for conversations; the rows are plain text; remove it",
        ),
        ("kind: messages\nprofile: {name: symbolic, date: 2026-02-30}", "a day such as 2026-01-31"),
        ("kind: messages\nprofile: {name: emoji}", "known: plain, emoji_think, symbolic"),
        (
            "kind: messages\nlong_rows: split",
            f"{PLACE}:3:12: split goes with plain text; rows that are conversations cannot be split; shorten the "
            "rows, or raise max_length",
        ),
        ("kind: text\nmax_invalid_fraction: 0.7", f"{PLACE}:3:23: must be at most 0.5 (got 0.7)"),
        ("kind: text\nversion: '2'\nid: sums_v1", "sums"),
    ],
)
def test_a_dataset_without_exactly_one_shape_is_refused(mistakes_in, small, text, sentence) -> None:
    head = "" if "id:" in text else "id: sums\n"
    found = [f"{one.where}: {one.sentence}" for one in mistakes_in(small | {PLACE: head + text + "\n"})]
    assert len(found) == 1
    assert sentence in found[0]


def test_fields_and_dataset_together_are_refused(mistakes_in, small) -> None:
    small |= {
        PLACE: "id: sums\nkind: text\n",
        QUEUE: "quests:\n  - {id: q, file: a.jsonl, dataset: sums, fields: {prompt: a, completion: b}}\n",
    }
    [mistake] = mistakes_in(small)
    assert mistake.sentence == "fields goes without dataset, which says what the rows are; keep one of them"


def test_a_misspelt_dataset_is_named_with_the_nearest(mistakes_in, small) -> None:
    small |= {
        PLACE: "id: sums\nkind: text\n",
        QUEUE: "quests:\n  - {id: q, file: a.jsonl, dataset: sumz}\n",
    }
    [mistake] = mistakes_in(small)
    assert mistake.sentence == '"sumz" is not the id of a dataset; known: sums; did you mean "sums"?'


def test_a_dataset_allows_its_own_keys_and_those_that_it_declares(tree, small) -> None:
    text = "id: sums\nkind: instruction\noptional_fields: [_metadata]\nschema: {tags: 'list[str]'}\n"
    dataset = load(tree(small | {PLACE: text}), NoCache()).datasets["sums"].spec
    contract = contract_of("sums", dataset)
    assert contract.keys == ("instruction", "output", "input", "_metadata", "tags")
    assert contract.types == {"tags": "list[str]"}
