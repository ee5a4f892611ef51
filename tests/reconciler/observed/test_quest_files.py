import hashlib
import os
from pathlib import Path

import pytest
from memory_cache import MemoryCache

from reconciler.observed import quest_files
from reconciler.observed.quest_files import observe_quest_file
from state.contract import sieve as gate
from state.contract.orders import RowShape
from state.contract.row_contracts import BUILT_IN, MESSAGES, RowContract
from state.kept_answers import KeptAnswers

GSM8K = RowContract(
    name="gsm8k",
    shape=RowShape(kind="fields", prompt="question", completion="answer"),
    keys=("question", "answer"),
)
ROW = b'{"messages": [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}]}\n'


@pytest.fixture
def observe(tmp_path: Path):
    for name in ("root", "repo"):
        (tmp_path / name).mkdir()

    def look(name: object, contract: RowContract = MESSAGES, cache: object = None):
        return observe_quest_file(str(name), tmp_path / "root", tmp_path / "repo", (contract,), cache)

    return look


def only_finding(facts) -> str:
    assert facts.content is None
    (finding,) = facts.findings
    return str(finding)


def test_a_good_file_is_known_by_size_digest_and_rows(observe, tmp_path) -> None:
    path = tmp_path / "quest.jsonl"
    path.write_bytes(ROW * 3)
    facts = observe(path)
    assert (facts.path, facts.size_bytes, facts.content.num_rows, facts.findings) == (
        str(path),
        len(ROW) * 3,
        3,
        (),
    )
    assert facts.sha256 == facts.content.digest == "sha256:" + hashlib.sha256(ROW * 3).hexdigest()


def test_a_relative_name_is_looked_up_under_the_root_then_the_repository(observe, tmp_path) -> None:
    (tmp_path / "repo" / "q.jsonl").write_bytes(ROW)
    assert observe("q.jsonl").path == str(tmp_path / "repo" / "q.jsonl")
    (tmp_path / "root" / "q.jsonl").write_bytes(ROW)
    assert observe("q.jsonl").path == str(tmp_path / "root" / "q.jsonl")


def test_a_missing_file_says_where_it_was_looked_for(observe, tmp_path) -> None:
    message = only_finding(observe("q.jsonl"))
    assert message.startswith(f"there is no file {tmp_path}/root/q.jsonl and {tmp_path}/repo/q.jsonl;")


def test_a_file_that_is_missing_in_the_one_place_for_it_is_told_once(tmp_path) -> None:
    message = only_finding(observe_quest_file("q.jsonl", tmp_path, tmp_path, (MESSAGES,)))
    assert message.startswith(f"there is no file {tmp_path}/q.jsonl;")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../q.jsonl", "the path ../q.jsonl has .."),
        ("a/../../q", "has .."),
        ("", "the name ''"),
        ("a\0b", "the name"),
    ],
)
def test_a_hostile_name_is_refused(observe, name, message) -> None:
    assert message in only_finding(observe(name))


def test_a_link_that_leaves_its_folder_is_refused_and_one_within_is_followed(observe, tmp_path) -> None:
    (tmp_path / "secret.jsonl").write_bytes(ROW)
    (tmp_path / "repo" / "out.jsonl").symlink_to(tmp_path / "secret.jsonl")
    assert "is a link that leaves" in only_finding(observe("out.jsonl"))
    (tmp_path / "repo" / "real.jsonl").write_bytes(ROW)
    (tmp_path / "repo" / "in.jsonl").symlink_to("real.jsonl")
    assert observe("in.jsonl").path == str(tmp_path / "repo" / "real.jsonl")


def test_an_empty_file_is_a_finding(observe, tmp_path) -> None:
    (tmp_path / "root" / "q.jsonl").write_bytes(b"")
    facts = observe("q.jsonl")
    assert "the file is empty" in only_finding(facts)
    assert facts.size_bytes == 0


def test_a_file_of_blank_lines_is_not_called_empty(observe, tmp_path) -> None:
    (tmp_path / "root" / "q.jsonl").write_bytes(b"\n\n")
    assert "the file has blank lines and no row" in only_finding(observe("q.jsonl"))


@pytest.mark.timeout(60)  # who opens the pipe waits for ever
def test_a_folder_or_a_pipe_is_no_quest(observe, tmp_path) -> None:
    assert "is not a regular file" in only_finding(observe(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file" in only_finding(observe(tmp_path / "pipe"))
    assert "is not a regular file" in only_finding(observe("/dev/zero"))


def test_a_link_to_nothing_is_a_finding(observe, tmp_path) -> None:
    (tmp_path / "q.jsonl").symlink_to(tmp_path / "absent")
    assert "is a link to nothing" in only_finding(observe(tmp_path / "q.jsonl"))


def test_a_link_to_itself_is_told_to_be_corrected_not_to_be_made_readable(observe, tmp_path) -> None:
    (tmp_path / "q.jsonl").symlink_to(tmp_path / "q.jsonl")
    finding = only_finding(observe(tmp_path / "q.jsonl"))
    assert "Correct the link, which leads back to itself, or put the file there." in finding
    assert "permission" not in finding


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_file_is_a_finding(observe, tmp_path) -> None:
    (tmp_path / "q.jsonl").write_bytes(ROW)
    (tmp_path / "q.jsonl").chmod(0)
    assert "cannot be read (Permission denied)" in only_finding(observe(tmp_path / "q.jsonl"))


def test_a_pointer_is_told_as_such(observe, tmp_path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"
    (tmp_path / "q.jsonl").write_bytes(pointer)
    assert "is a Git LFS pointer" in only_finding(observe(tmp_path / "q.jsonl"))


def test_a_file_too_large_to_read_is_refused_before_it_is_read(observe, tmp_path) -> None:
    with (tmp_path / "q.jsonl").open("wb") as file:
        file.truncate((1 << 30) + 1)
    assert "has 1,073,741,825 bytes; expected at most 1,073,741,824" in only_finding(
        observe(tmp_path / "q.jsonl")
    )


def test_a_file_that_grows_while_it_is_read_is_not_trusted(observe, tmp_path, monkeypatch) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(ROW)
    read = quest_files._content

    def read_while_someone_writes(descriptor: int, size: int) -> bytes:
        content = read(descriptor, size)
        with path.open("ab") as file:
            file.write(ROW)
        return content

    monkeypatch.setattr(quest_files, "_content", read_while_someone_writes)
    cache = MemoryCache()
    assert "changed while it was read" in only_finding(observe(path, cache=cache))
    monkeypatch.undo()
    assert observe(path, cache=cache).content.num_rows == 2


def test_wrong_rows_are_named_by_their_number(observe, tmp_path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(ROW + b'{"messages": [\n' + ROW + b'{"text": "x"}\n' + b'{"text": "\xff"}\n')
    facts = observe(path)
    assert [finding.row for finding in facts.findings] == [2, 4, 5]
    assert facts.content is None


def test_real_data_is_refused_until_its_shape_is_named(observe, cases, tmp_path) -> None:
    path = cases / "gsm8k" / "test.jsonl"
    facts = observe_quest_file(str(path), tmp_path, tmp_path, BUILT_IN)
    assert str(facts.findings[0]) == (
        'row 1: unknown row shape, found the keys "question", "answer"; expected one of messages, '
        "prompt/completion. Declare it: specs/datasets/<id>.yaml with  kind: question_answer."
    )
    facts = observe(cases / "gsm8k" / "test.jsonl", GSM8K)
    assert (facts.content.num_rows, facts.findings) == (1319, ())


def test_what_was_read_once_is_remembered_by_content_and_shape(observe, tmp_path, monkeypatch) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(ROW)
    cache = KeptAnswers(tmp_path / "cache")
    first, wrong = observe(path, cache=cache), observe(path, GSM8K, cache)
    monkeypatch.setattr(gate, "sieve", None)
    assert observe(path, cache=cache) == first
    assert observe(path, GSM8K, cache) == wrong
    assert wrong.findings
    monkeypatch.undo()
    path.write_bytes(ROW * 2)
    assert observe(path, cache=cache).content.num_rows == 2


@pytest.mark.parametrize("content", [b"", b"\xff" * 90, b"{}", b"[]"], ids=repr)
def test_a_cache_entry_of_another_version_is_not_believed(observe, tmp_path, content) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(ROW)
    cache = MemoryCache()
    observe(path, cache=cache)
    for key in list(cache._answers):
        cache.put(key, content)
    assert observe(path, cache=cache).content.num_rows == 1


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(observe, tmp_path) -> None:
    (tmp_path / "q.jsonl").write_bytes(ROW)
    (tmp_path / "file").write_text("")
    assert observe(tmp_path / "q.jsonl", cache=KeptAnswers(tmp_path / "file" / "cache")).content.num_rows == 1
