"""`python -m trainer inspect` as a process."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from files import a_request, a_row, many, trained_as, write

from state.contract.inspection import Guard, InspectAnswer, Inspection, InspectRequest
from trainer.inspection import main

INSPECT = [sys.executable, "-m", "trainer", "inspect"]


def run(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*INSPECT, *map(str, arguments)], input=stdin, capture_output=True, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.train
def test_it_says_rows_tokens_and_findings(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    file = write(tmp_path / "q.jsonl", *many(20), a_row("x" * 200, "y"), *[a_row()] * 13)
    done = run(file, "--max-length", "128")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == f"{file}: 34 rows, messages"
    assert "tokens, " in lines[1]
    assert "of 128; 3 updates an epoch, batches " in lines[1]
    assert lines[2].startswith("  error: length: row 21: 222 tokens; expected at most 128 (max_length).")
    assert lines[3].startswith("  warning: duplicate: row 23: the same as row 22;")
    assert lines[-2:] == ["  duplicate: 2 more", "  to name them: --findings 12"]
    named = run(file, "--max-length", "128", "--findings", "12").stdout.splitlines()
    assert [line.startswith("  warning: duplicate: ") for line in named[3:]] == [True] * 12


def test_requests_on_standard_input_are_answered_each_by_a_line(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", a_row())
    guard = Guard(name="the held-out file", path=str(tmp_path / "no.jsonl"), digest="sha256:1")
    requests = [a_request(file), a_request(file, guards=(guard,)), a_request(tmp_path / "no.jsonl")]
    done = run("--request", "-", stdin=b"\n".join(map(msgspec.json.encode, requests)))
    assert done.returncode == 0
    good, guarded, absent = msgspec.json.Decoder(InspectAnswer).decode_lines(done.stdout)
    assert good.inspection is not None
    assert (good.inspection.num_rows, good.why_not) == (1, None)
    assert guarded.inspection is None
    assert "the held-out file: " in str(guarded.why_not)
    assert "there is no such file" in str(guarded.why_not)
    assert absent.inspection is not None
    assert absent.inspection.num_errors == 1


def test_rows_at_which_a_check_fails_unforeseen_are_refused_and_the_next_file_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = (write(tmp_path / name, a_row()) for name in ("bad.jsonl", "good.jsonl"))
    look = main.inspect

    def stumbling(request: InspectRequest) -> Inspection:
        return next(iter(())) if request.path == str(bad) else look(request)

    monkeypatch.setattr(main, "inspect", stumbling)
    (tmp_path / "asked").write_bytes(b"\n".join(msgspec.json.encode(a_request(file)) for file in (bad, good)))
    options = argparse.Namespace(files=[], request=str(tmp_path / "asked"))
    assert main.main(options) == 0
    refused, taken = msgspec.json.Decoder(InspectAnswer).decode_lines(capsys.readouterr().out)
    assert refused.inspection is not None
    assert refused.inspection.findings[0].found == "a check of our own fails at these rows: StopIteration: "
    assert refused.inspection.num_errors == 1
    assert taken.inspection is not None
    assert taken.inspection.num_errors == 0


@pytest.mark.train
def test_no_deep_learning_library_is_loaded_for_it(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    request = a_request(write(tmp_path / "q.jsonl", a_row()), depth="deep", trained_as=trained_as())
    file = tmp_path / "request.json"
    file.write_bytes(msgspec.json.encode(request))
    code = (
        "import sys; from trainer.__main__ import main; "
        f"print(main(['inspect', '--request', {str(file)!r}])); "
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["0", "[]"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name files, or --request"),
        (("a.jsonl", "--request", "-"), "name files, or --request"),
        (("a.jsonl", "--findings", "1000000000"), "--findings 1000000000: expected 1 to 100,000"),
        (("a.jsonl", "--findings", "0"), "--findings 0: expected 1 to 100,000"),
        (
            ("a.jsonl", "--fields", "question"),
            "--fields question: expected two keys, such as question,answer",
        ),
    ],
)
def test_wrong_use_is_said(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 64
    assert f"inspect: {said}" in done.stderr


def test_what_is_no_request_is_said() -> None:
    done = run("--request", "-", stdin=b'{"path": 1}')
    assert done.returncode == 64
    assert "inspect: -: no request: " in done.stderr


def test_a_model_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_text("")
    done = run(write(tmp_path / "q.jsonl", a_row()), "--model", tmp_path)
    assert done.returncode == 1
    assert "tokenizer" in done.stderr
    assert str(tmp_path) in done.stderr


def test_json_gives_one_object_for_each_file(tmp_path: Path) -> None:
    files = [write(tmp_path / name, a_row()) for name in ("a.jsonl", "b.jsonl")]
    done = run(*files, "--json", "--depth", "quick", "--fields", "prompt,completion")
    assert [json.loads(line)["contract"] for line in done.stdout.splitlines()] == [None, None]
    assert done.returncode == 1
