"""Worlds for planning, built from a few words: specs as text, facts as a short mapping; `import case_...`."""

import hashlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired.desired import Desired
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache
from reconciler.desired.tree import SpecFile, SpecTree
from reconciler.observed.facts import Facts
from reconciler.plan.campaigns.renames import with_renames
from reconciler.plan.campaigns.unsaid import with_unsaid
from reconciler.plan.changes import Plan
from reconciler.plan.planner import make_plan
from reconciler.plan.world import World

sys.path.insert(0, str(Path(__file__).parent))

from case_constants import EARLIER, SPECS
from case_facts import Builder
from case_failures import with_failures


def desired_of(specs: Mapping[str, str]) -> Desired:
    """Return what these spec files say; paths are below `specs/`."""
    contents = {f"specs/{path}": text.encode() for path, text in specs.items()}
    files = tuple(
        SpecFile(path=path, blob_id=hashlib.sha256(content).hexdigest())
        for path, content in sorted(contents.items())
    )
    tree = SpecTree(files=files, mistakes=(), read=lambda file: contents[file.path])
    return load(tree, NoCache())


Planned = Callable[[Mapping[str, Any]], Plan]


@pytest.fixture
def planned() -> Planned:
    """Return the plan for a case: `specs` over the small realm, `facts` in a few words, `now`."""

    def plan(case: Mapping[str, Any]) -> Plan:
        specs = {
            path: text for path, text in (SPECS | dict(case.get("specs", {}))).items() if text is not None
        }
        desired = desired_of(specs)
        facts = Builder(desired, case.get("facts", {})).build()
        facts = with_renames(facts, desired, case.get("moved", {}))
        facts = with_unsaid(facts, desired, case.get("before"))

        def made(seen: Facts) -> Plan:
            return make_plan(desired, seen, specs_commit="c" * 40, now=case.get("now", EARLIER))

        return made(with_failures(facts, case.get("failures", {}), made))

    return plan


@pytest.fixture
def world_of() -> Callable[[Mapping[str, Any]], World]:
    """Return the world of a case, before it is planned."""

    def make(case: Mapping[str, Any]) -> World:
        desired = desired_of(SPECS | dict(case.get("specs", {})))
        facts = Builder(desired, case.get("facts", {})).build()
        return World(desired=desired, facts=facts, specs_commit="c" * 40, now=EARLIER)

    return make
