"""The command that writes a batch."""

import json
import subprocess
import sys
import time
from collections import Counter

import pytest

from state.contract.orders import RowShape
from state.contract.quest_rows import check_rows
from trainer.skills.generate import main
from trainer.skills.registry import find_skill


def test_a_batch_is_a_quest_file_that_both_sides_accept(tmp_path):
    out = tmp_path / "bin.jsonl"
    assert main(["bin", "--level", "1", "--count", "200", "--seed", "7", "--out", str(out)]) == 0
    assert check_rows(out.read_bytes(), str(out), RowShape()).num_rows == 200
    assert [path.name for path in tmp_path.iterdir()] == ["bin.jsonl"]


def test_without_a_file_the_rows_go_to_standard_output(tmp_path, capfdbinary):
    arguments = ["bin", "--level", "9", "--count", "3", "--seed", "1"]
    main(arguments)
    printed = capfdbinary.readouterr().out
    main([*arguments, "--out", str(tmp_path / "rows")])
    assert printed == (tmp_path / "rows").read_bytes()


def test_evenly_dealt_problems_come_equally_often_and_drawn_ones_do_not(capfdbinary):
    arguments = ["bin", "--level", "1", "--count", "330", "--seed", "7"]
    main([*arguments, "--evenly"])
    evenly = often(capfdbinary.readouterr().out)
    assert (len(evenly), set(evenly.values())) == (160, {2, 3})
    main(arguments)
    drawn = often(capfdbinary.readouterr().out)
    assert len(drawn) < 160
    assert max(drawn.values()) > 5


def test_levels_that_cannot_be_listed_are_drawn_as_without_the_flag(capfdbinary):
    arguments = ["bin", "--level", "2", "--count", "20", "--seed", "7"]
    main([*arguments, "--evenly"])
    evenly = capfdbinary.readouterr().out
    main(arguments)
    assert capfdbinary.readouterr().out == evenly


def test_a_longer_even_batch_starts_with_the_shorter_one_and_another_seed_deals_otherwise():
    generate = find_skill("bin").generate_evenly
    longer = list(generate(1, 200, 7))
    assert longer[:50] == list(generate(1, 50, 7))
    assert longer[:50] != list(generate(1, 50, 8))


def often(rows: bytes) -> Counter[str]:
    return Counter(json.loads(line)["messages"][0]["content"] for line in rows.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["binn", "--level", "1", "--count", "1"],
            "generate: 'binn' is not a built-in skill; known: bin; did you",
        ),
        (["bin", "--level", "31", "--count", "1"], "level 31 does not exist; bin has levels 1 to 30"),
        (["bin", "--level", "0", "--count", "1"], "level 0 does not exist"),
        (["bin", "--level", "1", "--count", "0"], "argument --count: 0 is below 1"),
        (["bin", "--level", "one", "--count", "1"], "argument --level: invalid int value: 'one'"),
        (["bin", "--count", "1"], "the following arguments are required: --level"),
    ],
)
def test_wrong_use_is_exit_code_64_with_the_reason(arguments, message, capsys):
    assert main(arguments) == 64
    assert message in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named(tmp_path, capsys):
    out = tmp_path / "none" / "bin.jsonl"
    assert main(["bin", "--level", "1", "--count", "1", "--out", str(out)]) == 1
    assert f"{out}: No such file or directory" in capsys.readouterr().err


def test_four_thousand_rows_take_well_under_a_second(tmp_path):
    start = time.process_time()
    main(["bin", "--level", "1", "--count", "4000", "--seed", "7", "--out", str(tmp_path / "rows")])
    assert time.process_time() - start < 1.0


def test_generating_loads_no_deep_learning_library():
    code = "import sys, trainer.skills.generate; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
