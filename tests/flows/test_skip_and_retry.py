"""A person sends a quest behind the others, out of the queue, and back, as the command line does it."""

from lab import Lab, found_realm, realm, rows

ONE = "one/campaign-001"


def job(lab: Lab) -> tuple[str, bool, str | None]:
    (found,) = (job for job in lab.store().jobs if job.quest_id == "a")
    return found.status, found.demoted, found.last_error


def test_a_skip_sends_back_then_out_and_retry_brings_the_quest_into_its_place(the_lab: Lab) -> None:
    the_lab.write("data/a.jsonl", rows(range(4)))
    found_realm(the_lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl"}])
    not_launched = {"lr_scheduler": "cosine"}  # until which update, nobody says: it is queued and waits
    the_lab.spec("campaigns/one/campaign-001", id="campaign-001", config_overrides=not_launched)
    the_lab.commit()
    the_lab.converge()

    assert "Asked to skip quest/a" in the_lab.reconcile("skip", "a", "--why", "too long").stdout
    the_lab.converge()
    status, demoted, said = job(the_lab)
    assert (status, demoted) == ("queued", True)
    assert said is not None
    assert said.endswith(": too long")

    the_lab.reconcile("skip", "a")
    the_lab.converge()
    assert job(the_lab)[:2] == ("skipped", True)
    (blocked,) = (one for one in the_lab.plan()["blocked"] if one["subject"] == "quest/a")
    assert (blocked["code"], blocked["hint"]) == ("quest-skipped", "reconcile retry a")

    the_lab.reconcile("retry", "a")
    the_lab.converge()
    assert job(the_lab) == ("queued", False, None)


def test_a_quest_that_nobody_knows_is_named_with_the_nearest(the_lab: Lab) -> None:
    the_lab.write("data/a.jsonl", rows(range(4)))
    found_realm(the_lab, ["one"], ONE, [{"id": "sums", "file": "data/a.jsonl"}])
    the_lab.spec("realm", **realm(ONE, suspend={"reason": "a look first"}))
    the_lab.commit()
    the_lab.converge()
    done = the_lab.reconcile("skip", "sum")
    assert done.returncode == 5
    assert "sums" in done.stderr
