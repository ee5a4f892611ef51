"""Campaigns go back: by a line of their spec, or since the loss left its bounds. Nothing is lost or counted twice.

Trainers are instant ones: real requests, cursors and manifests, without weights.
"""

import json
import shutil
from pathlib import Path

import pytest
from lab import rows
from one_campaign import MORE, ONE, RELEASE, REWIND, SUMS, Life, learnt_once
from worlds import check_nothing_is_left

from reconciler.app.asking import answers
from reconciler.app.explaining.explain import explain
from reconciler.app.looking.get import get
from reconciler.app.surroundings.errors import Failed
from reconciler.cli.text_get import listing_text
from state.contract.files import read
from state.contract.manifest import MANIFEST_NAME, Manifest
from state.contract.request import DecayBranch


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def test_a_campaign_goes_back_and_learns_again_what_only_the_left_segment_had_learnt(life: Life) -> None:
    life.world.apply()
    before = life.names
    life.commit(rewind=REWIND)

    life.world.apply()

    assert before == ["5", "10", "15", "20", "25", "30"]
    assert life.names == ["5", "10", "1:15", "1:20", "1:25", "1:30", "15", "20", "25", "30"]
    assert [(one.segment, one.resume_step) for one in life.requests()] == [(1, None), (2, 10)]
    assert {job.quest_id: job.status for job in life.store.jobs} == {"sums": "completed", "more": "completed"}
    life.check_whole()


def test_both_histories_are_proven_each_row_once_in_each(life: Life) -> None:
    life.world.apply()
    life.commit(rewind=REWIND)
    life.world.apply()

    for which in ("latest", "1:30"):
        assert learnt_once(life.prove(which)) == [("sums", 40, 0, 0), ("more", 20, 0, 0)]
    assert [one.checkpoint for one in life.prove("1:30").ancestors] == [
        f"{ONE}@{which}" for which in ("1:30", "1:25", "1:20", "1:15", "10", "5")
    ]


def test_a_line_is_done_once_and_another_reason_goes_back_once_more(life: Life) -> None:
    life.world.apply()
    life.commit(rewind=REWIND)
    life.world.apply()
    life.commit(rewind={"to": 10, "reason": "once more"})
    life.world.apply()

    assert [(one.number, one.parent_segment, one.parent_step) for one in life.store.segments] == [
        (2, 1, 10), (3, 1, 10),
    ]  # fmt: skip
    assert [one for one in life.names if one.startswith("2:")] == ["2:15", "2:20", "2:25", "2:30"]
    assert learnt_once(life.prove("latest")) == [("sums", 40, 0, 0), ("more", 20, 0, 0)]
    life.check_whole()


def test_what_a_person_took_back_of_a_left_segment_is_not_dropped_again(life: Life) -> None:
    """The wrong turn: it was dropped by the same apply, and the living one of its step was kept for it."""
    life.world.apply()
    life.commit(rewind=REWIND)
    life.world.apply()
    life.rules = {"campaigns": {"active": {"keep_checkpoints": 1}}, "minimum_age": "1s"}
    life.commit()
    life.world.pass_time(minutes=1)
    life.world.apply()
    left = life.world.lab.layout.campaign(ONE).segment(1)
    before = sorted(path.name for path in left.glob("checkpoint-*"))

    life.world.ask("undelete", f"{ONE}@1:20")
    life.world.apply()

    assert "checkpoint-20" not in before
    assert sorted(path.name for path in left.glob("checkpoint-*")) == sorted([*before, "checkpoint-20"])
    waiting = {stone.thing for stone in life.store.trash if stone.state == "trashed"}
    assert f"{ONE}@20" in waiting
    assert f"{ONE}@1:20" not in waiting
    check_nothing_is_left(life.world)


def test_back_to_the_first_weights_everything_is_learnt_again(life: Life) -> None:
    life.world.apply()
    life.commit(rewind={"to": 0, "reason": "from the start"})
    life.world.apply()

    assert life.requests()[-1].resume_step is None
    assert learnt_once(life.prove("latest")) == [("sums", 40, 0, 0), ("more", 20, 0, 0)]
    life.check_whole()


def test_after_the_loss_left_its_bounds_training_goes_on_before_the_trouble_with_half_the_rate(
    life: Life,
) -> None:
    life.world.apply(["diverges", "well"])

    first, second = life.requests()
    assert (second.segment, second.resume_step) == (2, 15)
    assert second.config.training.learning_rate == first.config.training.learning_rate / 2
    assert second.generation == first.generation + 1
    assert life.names == ["5", "10", "15", "1:20", "1:25", "1:30", "20", "25", "30"]
    assert learnt_once(life.prove("latest")) == [("sums", 40, 0, 0), ("more", 20, 0, 0)]
    saga = life.world.lab.layout.campaign(ONE).saga.read_text().splitlines()
    begun = [line for line in map(json.loads, saga) if line["event"] == "segment_begun"]
    assert [(line["step"], line["why"]) for line in begun] == [
        (15, "the loss left its bounds: the loss rose at step 30")
    ]
    life.check_whole()


def test_after_two_rollbacks_the_campaign_stops_with_its_reason_until_a_person_lets_it_go_on(
    life: Life,
) -> None:
    life.world.apply(["diverges"] * 3)

    rates = [one.config.training.learning_rate for one in life.requests()]
    assert rates == [0.001, 0.0005, 0.00025]
    (blocked,) = (one for one in life.world.plan().plan.blocked if one.code == "diverged")
    assert blocked.message.startswith(
        "it is stopped: after 2 rollbacks, each with lower rates, the loss left"
    )

    life.world.pass_time(minutes=1)
    life.world.ask("resume", ONE)
    life.world.apply()

    assert life.requests()[-1].config.training.learning_rate == 0.00025
    assert {job.status for job in life.store.jobs} == {"completed"}
    life.check_whole()


def test_rewind_commits_one_line_and_names_what_cannot_be_gone_back_to(life: Life) -> None:
    life.world.apply()
    lab = life.world.lab
    lab.write("specs/campaigns/one/campaign-001.yaml", "id: campaign-001\n")
    lab.commit()

    def rewind(which: str, *why: str) -> tuple[int, str]:
        done = lab.reconcile("rewind", f"{ONE}@{which}", *why)
        return done.returncode, done.stdout + done.stderr

    assert rewind("10") == (
        64,
        "reconcile: say why, in one line: --why TEXT; it is kept in the campaign's history\n",
    )
    code, said = rewind("11", "--why", "better")
    assert (code, f"{ONE}@10" in said) == (5, True)
    assert rewind("1:10", "--why", "better")[0] == 64
    code, said = rewind("10", "--why", "better there")
    assert (code, "+rewind: {to: 10, reason: better there}" in said) == (0, True)
    life.world.apply()
    assert [one.reason for one in life.store.segments] == ["better there"]
    code, said = rewind("10", "--why", "better there")
    assert (code, "for that reason already (segment 2)" in said) == (3, True)


def test_a_release_branches_off_and_the_campaign_goes_on_as_without_it(life: Life, tmp_path: Path) -> None:
    plain = Life(tmp_path / "plain")
    life.commit(releases=[RELEASE])

    life.world.apply()
    plain.world.apply()

    assert life.names == ["5", "10", "15", "20", "25", "30", "2:14"]
    (branch,) = (one for one in life.requests() if one.decay is not None)
    assert (branch.segment, branch.resume_step, branch.decay) == (
        2, 10, DecayBranch(start_step=10, updates=4, final_ratio=0.1),
    )  # fmt: skip
    assert [row.step for row in life.store.ledger if row.is_living] == [
        row.step for row in plain.store.ledger
    ]
    assert {job.quest_id: job.final_step for job in life.store.jobs} == {"sums": 20, "more": 30}
    life.check_whole()


def test_the_checkpoint_to_hand_out_is_named_wherever_checkpoints_are(life: Life) -> None:
    life.commit(releases=[RELEASE])
    life.world.apply()
    environment, options = life.world.environment, life.world.options

    listing = get(environment, options, "checkpoints")
    told = {fact.name: fact.text for fact in explain(environment, options, f"{ONE}@2:14").facts}
    of_campaign = {fact.name: fact.text for fact in explain(environment, options, ONE).facts}

    asked = "release at 10: 4 updates to 0.1"
    assert {item.id: item.release for item in listing.items if item.release} == {f"{ONE}@2:14": asked}
    (line,) = (one for one in listing_text(listing, 120).splitlines() if f"{ONE}@2:14" in one)
    assert line.endswith("complete, release")
    assert told["release"] == asked
    assert of_campaign["release"] == f"{ONE}@2:14; reconcile export {ONE}@2:14 --to DIR"


@pytest.mark.parametrize(("asked", "named"), [("2:15", "2:15"), ("15", "15"), ("latest", "30")])
def test_try_names_the_checkpoint_that_answers_with_its_segment(
    life: Life, monkeypatch: pytest.MonkeyPatch, asked: str, named: str
) -> None:
    life.commit(releases=[{"at": 10, "updates": 5}])
    life.world.apply()
    monkeypatch.setattr(answers, "NEEDED", ())
    monkeypatch.setattr(
        answers, "_ask", lambda *_: ()
    )  # these trainers save no weights, so nothing can answer
    told = answers.answers(
        life.world.environment, life.world.options, f"{ONE}@{asked}", ["?"], max_new_tokens=1, device="cpu"
    )
    rows = {f"{ONE}@{row.which}": row.digest for row in life.store.ledger}
    assert (told.checkpoint, told.digest) == (f"{ONE}@{named}", rows[f"{ONE}@{named}"])


def test_try_names_a_damaged_checkpoint_and_the_whole_one_before_it_with_their_segment(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.commit(releases=[{"at": 10, "updates": 5}])
    life.world.apply()
    monkeypatch.setattr(answers, "NEEDED", ())
    (branch,) = life.world.lab.layout.campaign(ONE).segment(2).glob("checkpoint-15")
    entry = next(one for one in read(branch / MANIFEST_NAME, Manifest).files if one.size_bytes)
    (branch / entry.path).write_bytes(b"?" * entry.size_bytes)
    with pytest.raises(Failed, match=f"checkpoint {ONE}@2:15 is damaged: .*none before it is whole"):
        answers.answers(
            life.world.environment, life.world.options, f"{ONE}@2:15", ["?"], max_new_tokens=1, device="cpu"
        )


def test_release_and_campaign_have_each_learnt_every_row_of_their_way_once(life: Life) -> None:
    life.commit(releases=[RELEASE])
    life.world.apply()

    assert learnt_once(life.prove("2:14")) == [("sums", 28, 0, 0)]
    assert learnt_once(life.prove("latest")) == [("sums", 40, 0, 0), ("more", 20, 0, 0)]
    assert [one.checkpoint for one in life.prove("2:14").ancestors] == [
        f"{ONE}@{w}" for w in ("2:14", "10", "5")
    ]


def test_a_release_at_the_end_waits_for_rows_and_then_both_learn_them(life: Life) -> None:
    life.commit(releases=[{"at": 30, "updates": 4}])
    life.world.apply()
    waiting = [one.code for one in life.world.plan().plan.blocked]
    life.quests = [SUMS, MORE, {"id": "last", "file": "data/last.jsonl"}]
    life.world.lab.write("data/last.jsonl", rows(range(200, 220)))
    life.commit()

    life.world.apply()

    assert waiting == ["release-waits"]
    assert learnt_once(life.prove("2:34"))[-1] == ("last", 8, 0, 0)
    assert learnt_once(life.prove("latest"))[-1] == ("last", 20, 0, 0)
    life.check_whole()


def test_a_release_whose_trainer_is_lost_goes_on_where_it_saved(life: Life) -> None:
    life.commit(releases=[{"at": 10, "updates": 7}])

    life.world.apply(["well", "lost", "well"])

    assert [(one.segment, one.resume_step) for one in life.requests()] == [(1, None), (2, 10), (2, 10)]
    assert life.names[-2:] == ["2:15", "2:17"]
    life.check_whole()


def test_a_rollback_before_a_release_makes_it_again_off_what_lives_now(life: Life) -> None:
    life.commit(releases=[RELEASE])
    life.world.apply()
    life.commit(rewind={"to": 5, "reason": "earlier"})
    life.world.apply()

    assert "2:14" in life.names
    assert life.names[-1] == "4:14"
    assert learnt_once(life.prove("4:14")) == [("sums", 28, 0, 0)]
    life.check_whole()


def killed_at(life: Life, aside: Path, at: int) -> bool:
    """Kill the apply that goes back at a failpoint, apply again, and check; say whether it came that far."""
    root = life.world.lab.layout.root
    shutil.rmtree(root)
    shutil.copytree(aside, root, symlinks=True)
    killed = life.world.apply_killed([], at)
    life.world.apply()
    assert life.names == ["5", "10", "1:15", "1:20", "1:25", "1:30", "15", "20", "25", "30"], at
    assert learnt_once(life.prove("latest")) == [("sums", 40, 0, 0), ("more", 20, 0, 0)], at
    assert [one.number for one in life.store.segments] == [2], at
    life.check_whole()
    return killed


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("first", "stride"),
    [(3, 47), *(pytest.param(3 + part, 16, marks=pytest.mark.long) for part in range(16))],
)
def test_a_rollback_killed_anywhere_ends_as_undisturbed(
    life: Life, tmp_path: Path, first: int, stride: int
) -> None:
    life.world.is_watched = False
    life.world.apply()
    life.commit(rewind=REWIND)
    aside = tmp_path / "aside"
    shutil.copytree(life.world.lab.layout.root, aside, symlinks=True)

    at = first
    while killed_at(life, aside, at):
        at += stride
    assert at > 60
