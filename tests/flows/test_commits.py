"""A commit is taken up at once, however long the loop would sleep otherwise."""

import subprocess
import time

import pytest
from lab import Lab, found_realm, realm, wait_until

SLEEPY = {"apply": {"interval": "1h"}}


@pytest.mark.parametrize("linked", [False, True], ids=["in-the-repository", "in-a-linked-work-tree"])
def test_a_commit_wakes_a_sleeping_apply(the_lab: Lab, linked: bool) -> None:
    found_realm(the_lab, ["one"], None, [])
    the_lab.spec("realm", **realm(None, **SLEEPY))
    the_lab.commit()
    if linked:
        the_lab.git("switch", "-q", "--detach")
        there = the_lab.folder / "linked"
        the_lab.git("worktree", "add", "-q", str(there), "main")
        the_lab.repository = there
    reconciler = settled(the_lab)

    the_lab.spec("campaigns/one/campaign-002", id="campaign-002")
    the_lab.commit()
    wait_until(lambda: len(the_lab.store().campaigns) == 2, 100, "the commit is applied", say=the_lab.said)

    assert reconciler.poll() is None


def test_a_commit_with_mistakes_is_told_and_the_good_one_stays_in_force(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [])
    the_lab.spec("realm", **realm(None, **SLEEPY))
    good = the_lab.commit()
    reconciler = settled(the_lab)

    the_lab.write("specs/queue.yaml", "quest: []\n")
    the_lab.commit()
    wait_until(lambda: "stay in force" in the_lab.said(), 100, "the mistake is told", say=the_lab.said)
    assert "specs/queue.yaml:1" in the_lab.said()
    assert 'did you mean "quests"' in the_lab.said()
    assert f"main@{good[:7]} stay in force" in the_lab.said()
    assert reconciler.poll() is None

    the_lab.spec("queue", quests=[])
    the_lab.spec("campaigns/one/campaign-002", id="campaign-002")
    the_lab.commit()
    wait_until(
        lambda: len(the_lab.store().campaigns) == 2, 100, "the mended commit is applied", say=the_lab.said
    )


def test_a_commit_with_another_id_is_told_and_the_realm_goes_on_as_before(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [])
    words = realm(None, **SLEEPY)
    the_lab.spec("realm", **words)
    the_lab.commit()
    reconciler = settled(the_lab)

    the_lab.spec("realm", **{**words, "id": "another"})
    the_lab.spec("campaigns/one/campaign-002", id="campaign-002")
    the_lab.commit()
    wait_until(lambda: "stay in force" in the_lab.said(), 100, "the other id is told", say=the_lab.said)
    assert f"belongs to realm {words['id']}, not another; write id: {words['id']} again" in the_lab.said()
    assert (reconciler.poll(), len(the_lab.store().campaigns)) == (None, 1)

    the_lab.spec("realm", **words)
    the_lab.commit()
    wait_until(lambda: len(the_lab.store().campaigns) == 2, 100, "the next one is applied", say=the_lab.said)


def settled(lab: Lab) -> "subprocess.Popen[str]":
    """Return a reconciler that has nothing to do and sleeps."""
    reconciler = lab.start("apply")
    wait_until(lambda: "Converged" in lab.said(), 100, "it has settled", say=lab.said)
    time.sleep(1)
    return reconciler
