"""Snapshots become documents once; the split and the batches do not depend on when or where."""

import json

import pytest

pytest.importorskip("transformers", reason="needs the train extra")

from state.contract.chat import CHATML
from state.contract.orders import RowShape
from state.contract.profiles import RowProfile
from state.contract.quest_rows import QuestFileError
from trainer.data.quests import load_held_out_file, load_quest
from trainer.data.rendering import Renderer
from trainer.data.templates import ChatTemplate
from trainer.data.tokenizers import byte_encoder

pytestmark = pytest.mark.train
SHAPE = RowShape(kind="fields", prompt="q", completion="a")
SYMBOLIC = RowProfile(name="symbolic")


def renderer(max_length: int = 512) -> Renderer:
    return Renderer(byte_encoder(), ChatTemplate(CHATML), max_length)


def snapshot(folder, texts, name="q.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps({"q": text, "a": text * 2}) + "\n" for text in texts))
    return path


def test_a_profile_writes_what_is_learnt_and_leaves_which_rows_are_held_out(tmp_path):
    shape = RowShape(kind="fields", prompt=SHAPE.prompt, completion=SHAPE.completion, profile=SYMBOLIC)
    path = snapshot(tmp_path, [str(n) for n in range(40)])
    plain = load_quest(path, SHAPE, renderer(), held_out_fraction=0.2)
    symbolic = load_quest(path, shape, renderer(), held_out_fraction=0.2)
    assert [one.row for one in symbolic.held_out] == [one.row for one in plain.held_out]
    learnt = bytes(label for label in symbolic.training[0].labels() if 0 <= label < 256).decode()
    assert learnt.startswith("<<ANS_START>> ")
    assert learnt.endswith(" <<ANS_END>>")


def test_a_quest_is_split_by_content_so_that_duplicates_stay_together(tmp_path):
    texts = [str(number % 100) for number in range(300)]
    quest = load_quest(snapshot(tmp_path, texts), SHAPE, renderer(), held_out_fraction=0.2)
    held_out = {texts[document.row] for document in quest.held_out}
    assert len(quest.training) + len(quest.held_out) == 300
    assert 8 <= len(held_out) <= 32
    assert held_out.isdisjoint(texts[document.row] for document in quest.training)


def test_the_split_is_the_same_in_another_file_and_order(tmp_path):
    texts = [str(number) for number in range(200)]
    first = load_quest(snapshot(tmp_path, texts), SHAPE, renderer(), held_out_fraction=0.1)
    turned = load_quest(snapshot(tmp_path, texts[::-1], "r.jsonl"), SHAPE, renderer(), held_out_fraction=0.1)
    assert {texts[d.row] for d in first.held_out} == {texts[::-1][d.row] for d in turned.held_out}


def test_a_damaged_snapshot_is_refused_with_both_digests(tmp_path):
    path = snapshot(tmp_path, ["1"])
    digest = load_quest(path, SHAPE, renderer(), held_out_fraction=0.0, digest=None).digest
    assert load_quest(path, SHAPE, renderer(), held_out_fraction=0.0, digest=digest).digest == digest
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(
        QuestFileError, match=rf"sha256 [0-9a-f]{{64}}; expected {digest}\. The snapshot is damaged"
    ):
        load_quest(path, SHAPE, renderer(), held_out_fraction=0.0, digest=digest)


def test_a_quest_with_every_row_held_out_is_refused(tmp_path):
    with pytest.raises(QuestFileError, match="every row is held out; expected at least one to train on"):
        load_quest(snapshot(tmp_path, ["1"]), SHAPE, renderer(), held_out_fraction=1.0)


def test_long_rows_are_all_named(tmp_path):
    path = snapshot(tmp_path, ["1", "x" * 90, "2", "y" * 95])
    with pytest.raises(QuestFileError, match=r"row 2: .*\n.*row 4: .*at most 100"):
        load_quest(path, SHAPE, renderer(100), held_out_fraction=0.0)


def test_rows_of_a_held_out_file_are_not_trained_and_not_measured_twice(tmp_path):
    texts = [str(number) for number in range(100)]
    file = load_held_out_file(snapshot(tmp_path, texts[::4], "held.jsonl"), SHAPE, renderer())
    found = load_quest(
        snapshot(tmp_path, texts), SHAPE, renderer(), held_out_fraction=0.0, never=file.row_digests
    )
    assert [texts[document.row] for document in found.training] == [t for t in texts if int(t) % 4]
    assert found.held_out == ()


def test_a_held_out_file_is_measured_whole(tmp_path):
    quest = load_held_out_file(snapshot(tmp_path, ["1", "2"]), SHAPE, renderer())
    assert (len(quest.training), len(quest.held_out)) == (0, 2)


def test_gsm8k_is_read_whole(cases):
    shape = RowShape(kind="fields", prompt="question", completion="answer")
    quest = load_quest(cases / "gsm8k" / "train.jsonl", shape, renderer(2048), held_out_fraction=0.02)
    assert len(quest.training) + len(quest.held_out) == 7473
    assert 100 <= len(quest.held_out) <= 200
