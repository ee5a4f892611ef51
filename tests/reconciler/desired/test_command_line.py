"""`--set KEY=VALUE`: the last layer, held to the rules of the specs, and remembered nowhere."""

import msgspec
import pytest

from reconciler.desired.command_line import BadSettingError, said_on_command_line
from reconciler.desired.desired import Here
from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache

NAME = "pip/campaign-001"


def settings_with(tree, files, *words: str):
    desired = load(tree(files), NoCache())
    here = Here(host="box" if desired.hosts else None, said=said_on_command_line(words))
    return resolve(layers_of(msgspec.structs.replace(desired, here=here), NAME))


def test_the_command_line_wins_over_every_spec_and_says_so(tree, small) -> None:
    small["specs/hosts.yaml"] = "hosts: {box: {training: {learning_rate: 1.0e-3}}}\n"
    found = settings_with(tree, small, "learning_rate=1e-4")["learning_rate"]
    assert (found.value, found.layer, found.origin) == (1e-4, "command line", "--set learning_rate=1e-4")
    assert [(one.layer, one.value) for one in found.shadowed] == [("host", 1e-3), ("hero", 2e-3)]


def test_keys_of_sections_and_older_names_are_understood(tree, small) -> None:
    words = (
        "evaluation.every_updates=7",
        "save_steps = 9",
        "evaluation.held_out.file=a.jsonl",
        "optimizer=muon",
    )
    found = settings_with(tree, small, *words)
    assert found["evaluation.every_updates"].value == 7
    assert (found["checkpoint.every_updates"].value, found["checkpoint.every_updates"].origin) == (
        9,
        "--set save_steps = 9",
    )
    assert found["evaluation.held_out"].value.file == "a.jsonl"
    assert found["evaluation.held_out"].origin == "--set evaluation.held_out.file=a.jsonl"
    assert found["optimizer"].value == "muon"


def test_nothing_said_is_nothing_different() -> None:
    assert said_on_command_line(()) is None


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["lerning_rate=1e-4"],
         '--set lerning_rate=1e-4: misspelt key "lerning_rate"; did you mean "learning_rate"?'),
        (["learning_rate"], "--set learning_rate: expected KEY=VALUE"),
        (["learning_rate="], "--set learning_rate=: learning_rate is empty; give a value or remove the line"),
        (["learning_rate=fast"], '--set learning_rate=fast: is "fast" (a string); expected a number'),
        (["learning_rate=2"], "--set learning_rate=2: must be below 1 (got 2)"),
        (["learning_rate=.inf"], "--set learning_rate=.inf: is .inf; expected a finite number"),
        (["clip=1", "clip=2"], "--set clip=2: is given twice"),
        (["vocab_size=3"], '--set vocab_size=3: "vocab_size" is locked: it comes from the hero; another value is another hero'),
        (["hf_name=a/b"], '--set hf_name=a/b: "hf_name" is locked: it comes from the hero; another value is another hero'),
        (["optimizer=moun"], '--set optimizer=moun: "moun" is not an optimizer; known: adamw, muon; did you mean "muon"?'),
        (["save_steps=3", "checkpoint.every_updates=4"],
         "--set save_steps=3: save_steps is an older name of checkpoint.every_updates, which is given too; "
         "keep checkpoint.every_updates"),
        (["evaluation=3", "evaluation.max_rows=4"],
         "--set evaluation.max_rows=4: evaluation is given a value of its own, too"),
        (["evaluation=3"], "--set evaluation=3: is 3 (a whole number); expected a mapping"),
        (["evaluation.max_row=3"], '--set evaluation.max_row=3: misspelt key "max_row"; did you mean "max_rows"?'),
        (["clip=0", "seed=-1"], "--set clip=0: must be above 0 (got 0)\n--set seed=-1: must be at least 0 (got -1)"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_the_word_that_it_is_about(words: list[str], text: str) -> None:
    with pytest.raises(BadSettingError) as caught:
        said_on_command_line(words)
    assert str(caught.value) == text
