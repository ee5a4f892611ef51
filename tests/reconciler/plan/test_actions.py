"""Every action has one planner, one sentence and (see the tests of act) one executor."""

import re
from pathlib import Path
from typing import get_args

import pytest

import reconciler.plan
from reconciler.plan.actions import AnyAction
from reconciler.plan.sentences import _SENTENCES

ACTIONS = get_args(AnyAction)
PLANNERS = [
    path
    for path in sorted(Path(reconciler.plan.__file__).parent.rglob("*.py"))
    if path.parent.name != "actions" and path.stem not in ("sentences", "changes", "draft")
]


def test_every_action_has_a_sentence_and_every_sentence_an_action():
    assert set(_SENTENCES) == set(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
def test_every_action_is_made_in_one_file_of_the_plan(action):
    call = re.compile(rf"(?<!\w)(?<!case a\.){action.__name__}\(")  # a pattern is no call
    makers = [path.stem for path in PLANNERS if call.search(path.read_text())]
    assert len(makers) == 1, makers
