"""Jobs go from one status to the next as the rules say, and leave one line of history when they end."""

import json
from typing import Any

import pytest

from reconciler.act.jobs import TRANSITIONS
from reconciler.plan import actions as a


def history(realm: Any) -> list[dict[str, Any]]:
    path = realm.layout.job_history
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def job(realm: Any) -> Any:
    return realm.view().jobs[0]


def dequeue(make: Any) -> a.DequeueJob:
    return a.DequeueJob(job_uid=make.job, quest_id="sums", campaign=make.campaign, why="left the queue")


def move(make: Any, status: str) -> a.AnyAction:
    return dequeue(make) if status == "skipped" else make.mark(status)


def update(make: Any, epochs: int) -> a.UpdateJob:
    return a.UpdateJob(
        job_uid=make.job, quest_id="sums", campaign=make.campaign, priority="high", epochs=epochs
    )


def test_a_new_job_is_queued_normal_and_untried(realm: Any, make: Any) -> None:
    found = job(realm)

    assert (found.status, found.priority, found.attempts) == ("queued", "normal", 0)
    assert (found.id, found.num_examples, found.digest) == ("2026-01-31T12:00:00_sums.jsonl", 3, make.digest)


def test_ids_are_unique_within_a_second(realm: Any, make: Any) -> None:
    realm.done(make.enqueue(job_uid="b", quest_id="b"), make.enqueue(job_uid="c", quest_id="c"))

    assert sorted(found.id for found in realm.view().jobs) == [
        "2026-01-31T12:00:00_sums.jsonl", "2026-01-31T12:00:00_sums.jsonl-2", "2026-01-31T12:00:00_sums.jsonl-3",
    ]  # fmt: skip


def test_starting_counts_an_attempt_once_and_notes_the_step(realm: Any, make: Any) -> None:
    realm.done(make.mark("processing", start_step=12))
    realm.done(make.mark("processing", start_step=99))

    found = job(realm)
    assert (found.attempts, found.start_step, found.started_at) == (1, 12, make.now)


def test_what_a_damaged_checkpoint_learnt_does_not_complete_a_quest_until_it_is_learnt_again(
    realm: Any, make: Any
) -> None:
    manifest = realm.save_checkpoint(40)
    realm.flip_a_bit(40)
    realm.done(make.record(manifest))
    completed = make.mark("completed", start_step=1, final_step=40)

    failed = realm.fails(completed)

    assert (
        "quest sums: checkpoint tiny/campaign-001@40, which learnt the last of it, is damaged: model.saf"
        in (failed.text)
    )
    assert job(realm).status == "queued"

    realm.flip_a_bit(40)
    other = realm.save_checkpoint(50)
    realm.done(make.record(other), make.mark("completed", start_step=1, final_step=50))
    assert job(realm).status == "completed"


def test_completing_notes_steps_and_losses_and_writes_history(realm: Any, make: Any) -> None:
    realm.done(make.mark("completed", start_step=1, final_step=9, final_loss=0.5, final_val_loss=0.75))

    found = job(realm)
    assert (found.status, found.finished_at, found.final_step) == ("completed", make.now, 9)
    (line,) = history(realm)
    assert (line["id"], line["status"], line["final_loss"], line["final_val_loss"]) == (
        found.id, "completed", 0.5, 0.75,
    )  # fmt: skip


def test_what_is_learnt_again_says_nothing_of_its_end(realm: Any, make: Any) -> None:
    realm.done(make.mark("completed", start_step=1, final_step=9, final_loss=0.5, final_val_loss=0.75))

    realm.done(make.mark("queued", start_step=3))

    found = job(realm)
    assert (found.status, found.start_step, found.finished_at) == ("queued", 3, None)
    assert (found.final_step, found.final_loss, found.final_val_loss) == (None, None, None)


def test_a_skip_keeps_its_reason(realm: Any, make: Any) -> None:
    realm.done(dequeue(make))

    assert (job(realm).status, job(realm).last_error) == ("skipped", "left the queue")
    assert history(realm)[0]["last_error"] == "left the queue"


def test_a_quest_that_comes_back_is_queued_again_under_its_old_job(realm: Any, make: Any) -> None:
    before = job(realm).id
    realm.done(dequeue(make), make.enqueue(epochs=4))

    found = job(realm)
    assert (found.id, found.status, found.epochs, found.last_error) == (before, "queued", 4, None)


def test_more_epochs_of_a_quest_that_was_skipped_before_it_was_learnt_wait_in_its_place(
    realm: Any, make: Any
) -> None:
    realm.done(make.mark("completed", demoted=True), update(make, epochs=2))
    assert (job(realm).status, job(realm).demoted) == ("queued", False)


def test_more_epochs_wake_a_completed_job_and_fewer_do_not(realm: Any, make: Any) -> None:
    realm.done(make.mark("completed"), update(make, epochs=1))
    assert (job(realm).status, job(realm).priority) == ("completed", "high")

    realm.done(update(make, epochs=2))
    assert (job(realm).status, job(realm).epochs, job(realm).finished_at) == ("queued", 2, None)


def test_history_grows_by_one_line_each_time_a_job_ends(realm: Any, make: Any) -> None:
    realm.done(make.mark("completed"), make.mark("completed"), update(make, 2), make.mark("failed"))

    assert [line["status"] for line in history(realm)] == ["completed", "failed"]


WAYS = {
    "queued": [], "processing": ["processing"], "completed": ["completed"], "failed": ["failed"],
    "skipped": ["skipped"],
}  # fmt: skip


@pytest.mark.parametrize("target", list(TRANSITIONS))
@pytest.mark.parametrize("origin", list(TRANSITIONS))
def test_a_job_changes_its_status_only_as_the_rules_say(
    origin: Any, target: Any, realm: Any, make: Any
) -> None:
    realm.done(*(move(make, status) for status in WAYS[origin]))

    (outcome,) = realm.perform(move(make, target))

    if target == origin or target in TRANSITIONS[origin]:
        assert (outcome.ok, job(realm).status) == (True, target)
    else:
        assert f"is {origin} and cannot become {target}; it may become" in outcome.text
        assert (outcome.permanent, job(realm).status) == (True, origin)


def test_a_job_without_content_waits_for_it(realm: Any, make: Any) -> None:
    outcome = realm.fails(make.enqueue(job_uid="b", source_key="unknown"))

    assert outcome.text == "quest sums: its content is not in the realm yet; it is brought in first"
    assert not outcome.permanent


def test_an_unknown_job_cannot_be_marked(realm: Any, make: Any) -> None:
    action = a.MarkJob(
        job_uid="ghost", quest_id="sums", campaign=make.campaign, status="failed", start_step=None
    )

    assert realm.fails(action).text == "quest sums: there is no job ghost in the store"
