"""Examinations in plans: who is examined in what, and which checkpoint an accuracy keeps."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from reconciler.plan.configs.resolved import ResolvedRun, resolve_run
from reconciler.plan.keeping.kept import verdicts_of
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.world import World
from state.contract.examination import LevelResult, SkillExam
from state.contract.run_config import EvaluationConfig, by_key

PIP = "pip/campaign-001"
WorldOf = Callable[[Mapping[str, Any]], World]
BIN = "id: bin\nmax_level: 30\nsource: {command: [python, -m, trainer, generate, bin]}\n"
FOCUSED = "id: campaign-001\nskills_focus: [bin]\n"


def evaluation(world: World) -> EvaluationConfig:
    resolved = resolve_run(world, PIP)
    assert isinstance(resolved, ResolvedRun), resolved
    return resolved.config.evaluation


def test_a_focused_skill_is_examined_in_the_levels_that_its_spec_names(world_of: WorldOf) -> None:
    specs = {
        "campaigns/pip/campaign-001.yaml": FOCUSED,
        "skills/bin.yaml": BIN
        + "evaluation: {levels: [1, 3], samples_per_level: 7, seed: 2, over_evaluations: 1}\n",
    }
    assert evaluation(world_of({"specs": specs})).skills == (
        SkillExam(
            skill="bin",
            source="bin",
            levels=(1, 3),
            samples=7,
            seed=2,
            max_new_tokens=256,
            pass_threshold=0.8,
            over=1,
        ),
    )


def test_without_levels_or_without_focus_nothing_is_examined_and_the_hash_is_that_of_before(
    world_of: WorldOf,
) -> None:
    examined = BIN + "evaluation: {levels: [1]}\n"
    plain = {"skills/bin.yaml": BIN + "evaluation: {seed: 1}\n"}
    for specs in (
        {"campaigns/pip/campaign-001.yaml": FOCUSED, **plain},
        {"campaigns/pip/campaign-001.yaml": "id: campaign-001\n", "skills/bin.yaml": examined},
    ):
        found = evaluation(world_of({"specs": specs}))
        assert found.skills == ()
        assert "skills" not in by_key(found)


def result(correct: int, version: str = "v1") -> LevelResult:
    return LevelResult(
        skill="bin", level=1, correct=correct, total=5, version=version, pass_threshold=0.8, over=3
    )


def kept_best(world_of: WorldOf, *results: LevelResult | None) -> list[int]:
    """Return the steps that the best accuracy keeps, of checkpoints 10, 20, ... with these results."""
    steps = [10 * (place + 1) for place in range(len(results))]
    rules = "campaigns:\n  active: {keep_checkpoints: 1, keep_best: [{metric: accuracy/bin}]}\n"
    facts = {
        "active": PIP,
        "store": {"observed_seconds": 7200.0},
        "campaigns": {PIP: {"checkpoints": [{"step": step} for step in steps]}},
    }
    world = world_of({"specs": {"retention.yaml": rules}, "facts": facts})
    row = world.facts.campaign_row(PIP)
    assert row is not None
    stock = stock_of(world, row)
    ledger = tuple(
        msgspec.structs.replace(one, skills_json=msgspec.json.encode((found,)).decode() if found else "")
        for one, found in zip(stock.ledger, results, strict=True)
    )
    verdicts = verdicts_of(world, row, msgspec.structs.replace(stock, ledger=ledger))
    return [
        int(one.id.partition("@")[2])
        for one in verdicts
        if any("accuracy/bin" in reason for reason in one.reasons)
    ]


def test_the_best_accuracy_is_the_highest(world_of: WorldOf) -> None:
    assert kept_best(world_of, result(1), result(4), result(2)) == [20]


def test_an_accuracy_in_other_problems_is_no_better_than_none(world_of: WorldOf) -> None:
    assert kept_best(world_of, result(5, "older"), None, result(1), result(2)) == [40]
