"""A changed config in words: lists of settings are read by people, too."""

from collections.abc import Callable
from typing import Any

import msgspec

from reconciler.plan.configs.changed import classify
from reconciler.plan.configs.resolved import ResolvedRun, resolve_run
from state.contract.examination import SkillExam


def test_a_skill_that_is_examined_from_now_on_is_told_in_words(world_of: Callable[..., Any]) -> None:
    resolved = resolve_run(world_of({"specs": {}}), "pip/campaign-001")
    assert isinstance(resolved, ResolvedRun)
    before = resolved.config
    examined = SkillExam(
        skill="bin",
        source="bin",
        levels=(1, 2),
        samples=5,
        seed=0,
        max_new_tokens=256,
        pass_threshold=0.8,
        over=3,
    )
    evaluation = msgspec.structs.replace(before.evaluation, skills=(examined,))

    text = classify(before, msgspec.structs.replace(before, evaluation=evaluation)).text

    assert text.startswith("evaluation.skills none → skill bin source bin levels 1, 2")
    assert "{" not in text
