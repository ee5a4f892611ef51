"""A skill's command that takes long, or always fails, keeps nobody from stopping, and ends by name."""

import json
import sys

import pytest
from lab import Lab, rows, tiny_hero, wait_until
from lab import realm as realm_of

NAME = "pip/campaign-001"
LONG = """\
import os, pathlib, time
parent = os.getppid()
pathlib.Path({begun!r}).touch()
while os.getppid() == parent != 1:  # nobody ends it when its reconciler is killed
    time.sleep(0.2)
"""


def found(the_lab: Lab, program: str) -> None:
    source = the_lab.write("tools/source.py", program)
    tries = {"attempts": 3, "backoff": "1s", "longest_backoff": "1s"}
    the_lab.spec("realm", **realm_of(NAME, apply={"interval": "1s", "retry": tries}))
    the_lab.spec("heroes/pip", **tiny_hero("pip"))
    the_lab.spec("campaigns/pip/campaign-001", id="campaign-001")
    command = [sys.executable, str(source)]
    the_lab.spec("skills/slow", id="slow", max_level=3, source={"command": command})
    the_lab.spec("queue", quests=[{"id": "sums", "skill": "slow", "level": 1, "count": 5}])
    the_lab.commit()


def test_a_stop_takes_effect_while_a_long_command_runs(the_lab: Lab) -> None:
    begun = the_lab.folder / "begun"
    found(the_lab, LONG.format(begun=str(begun)))
    the_lab.start("apply")
    wait_until(begun.exists, 100, "the command runs", say=the_lab.said)
    said = the_lab.reconcile("stop", NAME, "--json")
    assert said.returncode == 0, said.stderr

    wait_until(lambda: the_lab.store().campaigns[0].hold == "stop", 100, "the stop holds", say=the_lab.said)


@pytest.mark.long
def test_a_command_that_always_fails_is_given_up_and_resume_tries_it_again(the_lab: Lab) -> None:
    found(the_lab, "raise SystemExit('no numbers left')")

    given_up = the_lab.reconcile("apply", "--until-converged")

    assert given_up.returncode == 3, given_up.stdout + given_up.stderr
    (item,) = the_lab.plan()["blocked"]
    assert item["code"] == "fetch-given-up"
    assert "given up after 3 tries" in item["message"]
    assert "no numbers left" in item["message"]
    assert _tries(the_lab) == 3
    the_lab.write("tools/source.py", f"import sys; open(sys.argv[-1], 'w').write({rows(range(5))!r})")
    assert the_lab.reconcile("apply", "--until-converged").returncode == 3
    the_lab.reconcile("resume", NAME)
    the_lab.converge()
    assert the_lab.status_of(NAME, "sums") == "completed"


def test_a_command_that_fails_begins_no_run_and_makes_no_campaign_ill(the_lab: Lab) -> None:
    found(the_lab, "raise SystemExit('no numbers left')")

    said = the_lab.reconcile("apply", "--once")

    assert said.returncode == 1, said.stderr
    assert "no numbers left (tried again later, a few times)" in said.stdout
    assert "- launch     pip/campaign-001  not begun: 1 of what it needs did not succeed" in said.stdout
    assert the_lab.store().runs == ()
    shown = json.loads(the_lab.reconcile("get", "campaigns", "--json").stdout)
    (campaign,) = shown["items"]
    assert campaign["healthy"] != "degraded", campaign


def _tries(the_lab: Lab) -> int:
    (failed,) = the_lab.store().failed_actions
    return len(failed.failed_at)
