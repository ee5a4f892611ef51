"""Apply looks through rows before it takes them in; what cannot be trained is named and nothing of it is done."""

import json
import struct
import sys
from pathlib import Path

import pytest
from lab import Lab, found_realm

from state.contract.inspection import CHECKER_VERSION

pytestmark = [pytest.mark.train, pytest.mark.timeout(900)]
ONE = "one/campaign-001"


def rows(*answers: str) -> str:
    found = ({"prompt": f"{n}?", "completion": answer} for n, answer in enumerate(answers))
    return "".join(json.dumps(row) + "\n" for row in found)


def blocked(lab: Lab) -> list[str]:
    return [f"{item['subject']} {item['code']}: {item['message']}" for item in lab.plan()["blocked"]]


def test_a_row_that_is_too_long_is_named_by_apply_and_trains_once_it_is_mended(the_lab: Lab) -> None:
    the_lab.write("long.jsonl", rows("a", "x" * 90, "c"))
    the_lab.write("good.jsonl", rows("d", "e"))
    quests = [{"id": "long", "file": "long.jsonl"}, {"id": "good", "file": "good.jsonl"}]
    found_realm(the_lab, ["one"], ONE, quests)
    overrides = {"evaluation": {"held_out": 0}}
    the_lab.spec("campaigns/one/campaign-001", id="campaign-001", config_overrides=overrides)
    the_lab.commit()
    assert blocked(the_lab) == []  # plan itself looks through nothing

    said = the_lab.converge()

    assert f"looking through {the_lab.repository / 'long.jsonl'}" in said.stdout + said.stderr
    (message,) = blocked(the_lab)
    assert message.startswith("quest/long quest-file: long.jsonl: row 2: 113 tokens; expected at most 64")
    assert [job.quest_id for job in the_lab.store().jobs] == ["good"]
    assert the_lab.newest_step(ONE) == 1

    the_lab.write("long.jsonl", rows("a", "b", "c"))
    the_lab.commit()
    the_lab.converge()

    assert blocked(the_lab) == []
    assert {job.quest_id: job.status for job in the_lab.store().jobs} == {
        "good": "completed",
        "long": "completed",
    }


SUMS = """import json, sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
first = int(given["--seed"])
rows = [{"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": "y"}]}
        for n in range(first, first + int(given["--count"]))]
open(given["--out"], "w").write("".join(json.dumps(row) + "\\n" for row in rows))
"""


def test_what_a_skill_is_examined_with_is_not_learnt_until_the_specs_allow_it_by_name(the_lab: Lab) -> None:
    source = the_lab.write("sums.py", SUMS)
    the_lab.write("own.jsonl", rows("a", "b", "c"))  # asks 0?, 1?, 2?
    the_lab.spec(
        "skills/sums", id="sums", max_level=1, source={"command": [sys.executable, str(source)]},
        evaluation={"samples_per_level": 2, "seed": 2},
    )  # fmt: skip
    made = {"id": "made", "skill": "sums", "level": 1, "count": 4}
    found_realm(the_lab, ["one"], ONE, [{"id": "own", "file": "own.jsonl"}, made])
    the_lab.commit()
    the_lab.converge()

    own, skill = sorted(blocked(the_lab), reverse=True)
    asks = "it asks the same as row 1 of the evaluation of skill sums, level 1"
    assert own.startswith(f"quest/own quest-file: own.jsonl: row 3: {asks}; expected other rows than those")
    assert skill.startswith("quest/made fetch-given-up: what skill sums made cannot be trained on: ")
    assert f"row 3: {asks}" in skill
    assert the_lab.store().jobs == ()

    reason = {"sums-level-1": "it is to be learnt by heart"}
    the_lab.spec("queue", quests=[made | {"allow_leakage": reason}, {"id": "own", "file": "own.jsonl"}])
    the_lab.spec("datasets/own", id="own", kind="prompt_completion", allow_leakage=reason)
    the_lab.commit()
    assert blocked(the_lab) == []  # nobody has judged them by these specs
    the_lab.converge()

    assert blocked(the_lab) == []
    assert {job.quest_id: job.status for job in the_lab.store().jobs} == {
        "own": "completed",
        "made": "completed",
    }
    told = " ".join(the_lab.reconcile("explain", "quest/made").stdout.split())
    assert "made by sums, version unknown, 20" in told
    assert f"; count 4, level 1, seed 0; checked by inspection, version {CHECKER_VERSION}" in told


MADE = """import json, sys
out = sys.argv[sys.argv.index("--out") + 1]
open(__file__ + ".runs", "a").write("x")
rows = [{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "x" * n}]} for n in (1, 30)]
open(out, "w").write("".join(json.dumps(row) + "\\n" for row in rows))
"""


def test_rows_that_a_skill_made_and_that_are_refused_are_made_again_only_when_the_specs_judge_them_by_others(
    the_lab: Lab,
) -> None:
    source = the_lab.write("make_rows.py", MADE)
    runs = source.with_name("make_rows.py.runs")
    the_lab.write(".gitignore", "*.runs\n")
    the_lab.spec("skills/long", id="long", max_level=1, source={"command": [sys.executable, str(source)]})
    found_realm(the_lab, ["one"], ONE, [{"id": "made", "skill": "long", "level": 1, "count": 2}])
    shorter, whole = {"max_length": 48}, {"max_length": 64}
    no_share = {"evaluation": {"held_out": 0}}
    the_lab.spec("campaigns/one/campaign-001", id="campaign-001", config_overrides=shorter | no_share)
    the_lab.commit()

    said = the_lab.converge()

    assert "looking through rows that were just made" in said.stdout + said.stderr
    assert "it fails again until something is changed" in said.stdout
    (first,) = the_lab.plan()["blocked"]
    told = "what skill long made cannot be trained on: row 2: 52 tokens; expected at most 48 (max_length). "
    assert (first["code"], first["message"]) == (
        "fetch-given-up",
        f"{told}Split the row or raise max_length.",
    )
    assert first["cause"] == "specs/queue.yaml:3"
    assert "it goes on by itself" in first["hint"]
    assert the_lab.store().jobs == ()
    assert list(the_lab.layout.data.iterdir()) == []

    the_lab.converge()
    assert runs.read_text() == "x"  # by the same specs the same rows are refused again

    the_lab.spec("campaigns/one/campaign-001", id="campaign-001", config_overrides=whole | no_share)
    the_lab.commit()
    assert blocked(the_lab) == []
    the_lab.converge()
    assert {job.quest_id: job.status for job in the_lab.store().jobs} == {"made": "completed"}
    assert runs.read_text() == "xx"


def test_a_tokenizer_that_cannot_be_loaded_is_named_before_a_launch_with_its_file(the_lab: Lab) -> None:
    folder = the_lab.folder / "model"
    damaged = a_model(folder) / "tokenizer.json"
    the_lab.write("good.jsonl", rows("d", "e"))
    found_realm(the_lab, ["one"], ONE, [{"id": "good", "file": "good.jsonl"}])
    the_lab.spec("heroes/one", id="one", model=MODEL | {"hf_name": str(folder)}, chat={"template": "chatml"})
    the_lab.commit()

    refused = the_lab.reconcile("validate", "--data")
    assert refused.returncode == 1
    assert f"error: template: {damaged}: the tokenizer cannot be loaded:" in " ".join(refused.stdout.split())
    the_lab.converge()

    (first, *_) = blocked(the_lab)
    assert first == "campaign/one/campaign-001 hero-blocked: waits for hero/one: tokenizer-unusable"
    told = next(line for line in blocked(the_lab) if line.startswith("hero/one "))
    assert told.startswith(f"hero/one tokenizer-unusable: {damaged}: the tokenizer cannot be loaded:")
    assert the_lab.store().runs == ()


def test_a_tokenizer_larger_than_the_models_vocabulary_is_named_before_a_launch_with_both_sizes(
    the_lab: Lab,
) -> None:
    folder = the_lab.folder / "model"
    with_a_tokenizer(a_model(folder), num_tokens=400)
    the_lab.write("good.jsonl", rows("d", "e"))
    found_realm(the_lab, ["one"], ONE, [{"id": "good", "file": "good.jsonl"}])
    the_lab.spec("heroes/one", id="one", model=MODEL | {"hf_name": str(folder)}, chat={"template": "chatml"})
    the_lab.commit()

    refused = the_lab.reconcile("validate", "--data")
    assert refused.returncode == 1
    sizes = "the tokenizer has tokens up to id 399, the model's vocabulary is 320 tokens"
    assert sizes in " ".join(refused.stdout.split())
    the_lab.converge()

    told = next(line for line in blocked(the_lab) if line.startswith("hero/one "))
    assert told.startswith(f"hero/one tokenizer-unusable: {sizes}")
    assert the_lab.store().runs == ()


def with_a_tokenizer(folder: Path, num_tokens: int) -> None:
    """Put a tokenizer of so many words into a model's folder."""
    tokenizers = pytest.importorskip("tokenizers")
    words = {"<|im_end|>": 0, "<|im_start|>": 1, "?": 2} | {f"w{n}": n for n in range(3, num_tokens)}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words))
    made.save(str(folder / "tokenizer.json"))
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))


MODEL = {"family": "qwen3", "architecture": "Qwen3ForCausalLM", "vocab_size": 320, "context_length": 64}


def a_model(folder: Path) -> Path:
    """Return the folder of a model whose tokenizer is no tokenizer."""
    config = {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": 320}
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 64}))
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    return folder
