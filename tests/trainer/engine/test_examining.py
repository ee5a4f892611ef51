"""A checkpoint carries what its weights answered: greedily, the same problems every time, without a trace in training."""

from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, a_training, orders
from seen import losses, manifest, metrics, saved_steps, why

from state.atomic import write_json
from state.contract.examination import SkillExam, exam_version
from state.contract.files import read
from state.contract.orders import QuestOrder
from state.contract.request import RunConfig
from state.contract.status import RunStatus
from trainer.data.rendering import Renderer, RowError
from trainer.engine import examining
from trainer.engine.examining import Examiner, problems_of
from trainer.engine.generating import answers
from trainer.engine.run import run
from trainer.engine.session import Session
from trainer.skills.registry import find_skill


def an_exam(**changes: Any) -> SkillExam:
    usual = {"skill": "bin", "source": "bin", "levels": (1, 2), "samples": 3, "seed": 5, "max_new_tokens": 12}
    return SkillExam(**(usual | {"pass_threshold": 0.8, "over": 3} | changes))


def examined(config: RunConfig, *exams: SkillExam) -> RunConfig:
    evaluation = msgspec.structs.replace(config.evaluation, skills=exams)
    return msgspec.structs.replace(config, evaluation=evaluation)


def test_each_checkpoint_that_was_due_carries_its_results_by_level(realm: Realm) -> None:
    config = examined(a_config(save_every=2), an_exam())
    files = realm.run(orders(realm.quest()), config)
    assert run(files.request) == 0
    assert saved_steps(realm) == [2, 4, 5]
    for step in (2, 4, 5):
        found = manifest(realm, step).skills or ()
        assert [(one.skill, one.level, one.total, one.correct) for one in found] == [
            ("bin", 1, 3, 0),
            ("bin", 2, 3, 0),
        ]
    told = [(one.step, one.level, one.correct, one.total) for one in metrics(files, "examination")]
    assert told == [(step, level, 0, 3) for step in (2, 4, 5) for level in (1, 2)]


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_training_is_the_same_to_the_bit_with_and_without_examinations(
    realm: Realm, tmp_path: Path, dropout: float
) -> None:
    from builders import TINY, a_model

    config = a_config(save_every=2, model=a_model(config={**TINY, "attention_dropout": dropout}))
    other = Realm(tmp_path / "other")
    plain = other.run(orders(other.quest()), config)
    run(plain.request)
    files = realm.run(orders(realm.quest()), examined(config, an_exam()))
    run(files.request)
    assert losses(files) == losses(plain)
    for name in ("model.safetensors", "optimizer.safetensors", "trainer_state.json"):
        ours, theirs = (place.campaign.checkpoint(5) / name for place in (realm, other))
        assert ours.read_bytes() == theirs.read_bytes(), name


@pytest.mark.long
def test_adapters_are_examined_and_train_on_to_the_bit(realm: Realm, tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="needs the lora extra")
    from adapters import adapter_training

    config = a_config(save_every=2, training=adapter_training())
    other = Realm(tmp_path / "other")
    plain = other.run(orders(other.quest()), config)
    run(plain.request)
    files = realm.run(orders(realm.quest()), examined(config, an_exam()))
    assert run(files.request) == 0, why(files).message
    assert losses(files) == losses(plain)
    assert [one.total for one in manifest(realm, 5).skills or ()] == [3, 3]


def test_whoever_is_asked_to_leave_saves_at_once_and_is_not_examined(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    quest, made = realm.quest(), Session.train_update
    files = realm.run(orders(quest), examined(a_config(save_every=2), an_exam()))

    def and_stop_at_three(session: Session, order: QuestOrder) -> None:
        made(session, order)
        if session.progress.step == 3:
            write_json(files.orders, orders(quest, sequence=2, stop="enough"))

    monkeypatch.setattr(Session, "train_update", and_stop_at_three)
    assert run(files.request) == 0
    assert (why(files).message, manifest(realm, 2).skills is not None) == ("enough", True)
    assert manifest(realm, 3).skills is None


def test_an_examination_ends_with_the_next_token_once_the_run_must_leave(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    quest, held = realm.quest(), Examiner._after_token
    files = realm.run(orders(quest), examined(a_config(save_every=2), an_exam()))
    moves: list[int] = []

    def and_stop_in_the_second_level(examiner: Examiner, *asked: Any) -> None:
        if len(moves) == 1:
            write_json(files.orders, orders(quest, sequence=2, stop="enough"))
        before = examiner._teller.heartbeat.moves
        moves.append(0)
        held(examiner, *asked)
        moves[-1] = examiner._teller.heartbeat.moves - before

    monkeypatch.setattr(Examiner, "_after_token", and_stop_in_the_second_level)
    assert run(files.request) == 0
    assert (why(files).message, saved_steps(realm), manifest(realm, 2).skills) == ("enough", [2], None)
    assert moves == [1, 0], "a token counts as progress for the watchdog; no more is asked for"


def test_an_examination_that_takes_too_long_is_ended_and_told_and_training_goes_on(realm: Realm) -> None:
    """No result of any skill: what was answered in time would say something about the machine."""
    config = examined(a_config(save_every=2), an_exam(), an_exam(skill="slow", max_minutes=1e-9))
    files = realm.run(orders(realm.quest()), config)
    assert run(files.request) == 0
    assert saved_steps(realm) == [2, 4, 5]
    assert [manifest(realm, step).skills for step in (2, 4, 5)] == [None] * 3
    told = [(one.step, one.note) for one in metrics(files, "examination") if one.skill == "slow"]
    assert [step for step, _ in told] == [2, 4, 5], "once at each checkpoint"
    assert "cut short after 1e-09 min (evaluation.max_minutes of skill slow)" in str(told[0][1])
    cut = read(files.status, RunStatus).cut_short
    assert cut is not None
    assert (cut.skill, cut.level, cut.step) == ("slow", 1, 5)


def test_once_one_was_in_time_nothing_is_told_of_those_before(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()), examined(a_config(save_every=2), an_exam(max_minutes=60.0)))
    assert run(files.request) == 0
    assert read(files.status, RunStatus).cut_short is None
    assert manifest(realm, 5).skills is not None


def test_the_last_checkpoint_of_a_goal_is_examined(realm: Realm) -> None:
    files = realm.run(orders(realm.quest(), goal_updates=3), examined(a_config(save_every=2), an_exam()))
    assert run(files.request) == 0
    assert [one.total for one in manifest(realm, 3).skills or ()] == [3, 3]


def test_an_examination_that_was_killed_is_held_again_and_counts_once(
    realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = examined(a_config(save_every=2), an_exam())
    undisturbed = Realm(tmp_path / "undisturbed")
    run(undisturbed.run(orders(undisturbed.quest()), config).request)

    asked = count(1)

    def killed(*_: Any) -> Any:
        if next(asked) > 2:  # both levels were asked at step 2
            raise MemoryError
        return answers(*_)

    with monkeypatch.context() as patched:
        patched.setattr(examining, "answers", killed)
        first = realm.run(orders(realm.quest()), config)
        assert run(first.request) == 1
    assert saved_steps(realm) == [2]
    second = realm.run(orders(realm.quest()), config, resume_step=2)
    assert run(second.request) == 0
    for step in (2, 4, 5):
        assert manifest(realm, step).skills == manifest(undisturbed, step).skills


def test_what_is_known_by_heart_is_counted_exactly_and_generation_ends_with_the_turn(realm: Realm) -> None:
    """A longer limit changes nothing: the answers end with the token that ends the turn."""
    quest = by_heart(realm, samples=2)
    config = a_config(training=a_training(learning_rate=1e-2), held_out_fraction=0.0)
    exam = an_exam(levels=(1,), samples=2, max_new_tokens=60)
    files = realm.run(orders(quest), examined(config, exam, msgspec.structs.replace(exam, max_new_tokens=99)))
    assert run(files.request) == 0
    last = saved_steps(realm)[-1]
    assert [(one.correct, one.total) for one in manifest(realm, last).skills or ()] == [(2, 2), (2, 2)]


def by_heart(realm: Realm, samples: int) -> QuestOrder:
    """Return a quest of nothing but the problems of the examination."""
    rows = [msgspec.json.encode(row).decode() for row in find_skill("bin").generate(1, samples, 5)]
    return realm.quest_of("\n".join(rows * 100) + "\n", rows=100 * samples)


def test_a_level_that_the_skill_does_not_have_ends_the_run_by_name(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()), examined(a_config(save_every=2), an_exam(levels=(31,))))
    assert run(files.request) == 1
    assert why(files).failure_class == "settings"
    assert (
        why(files).message
        == "examination of skill bin, level 31: level 31 does not exist; bin has levels 1 to 30"
    )


def test_a_version_names_everything_that_a_result_depends_on() -> None:
    problems = problems_of("bin", 1, 3, 5)
    usual = {"exam": an_exam(), "level": 1, "problems": problems, "template": "t", "tokenizer": "k"}
    changed: list[dict[str, Any]] = [
        {},
        {"exam": an_exam(seed=6)},
        {"exam": an_exam(max_new_tokens=13)},
        {"level": 2},
        {"problems": problems_of("bin", 1, 3, 6)},
        {"template": "another"},
        {"tokenizer": "another"},
    ]
    versions = [exam_version(**(usual | change)) for change in changed]
    assert len(set(versions)) == len(changed)
    assert versions[0] == exam_version(**usual | {"exam": an_exam(pass_threshold=0.5, over=1)})


def test_questions_that_the_template_refuses_end_the_run_by_name_with_what_it_learnt(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise RowError("the chat template refuses the conversation", "a system turn", "Write one.")

    monkeypatch.setattr(Renderer, "prompt_ids", refuse)
    files = realm.run(orders(realm.quest()), examined(a_config(save_every=2), an_exam()))
    assert (run(files.request), why(files).failure_class, saved_steps(realm)) == (1, "settings", [2])
    assert why(files).message == (
        "examination of skill bin, level 1: the chat template refuses the conversation; expected a system turn. "
        "Write one."
    )
