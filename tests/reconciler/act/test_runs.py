"""A launch: one process per run key, with everything it needs in its folder, under any kill."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from reconciler.act.launcher import LocalLauncher
from reconciler.observed.processes import find_by_cookie
from reconciler.provenance import ProvenanceUnknown
from state.contract.files import read
from state.contract.orders import Orders
from state.contract.request import RunRequest, config_hash

CODE = "c" * 40


class Recorder:
    """A machine that remembers what it was asked to start."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def spawn(self, argv: Any, **given: Any) -> int:
        self.asked.append({"argv": list(argv), **given})
        return 0

    def reap(self) -> tuple[()]:
        return ()


def run_row(realm: Any) -> Any:
    return realm.view().runs[0]


def test_a_launch_says_in_its_request_everything_the_run_was_asked_to_be(realm: Any, make: Any) -> None:
    realm.save_checkpoint(7)
    realm.done(make.launch(goal_updates=50))

    request = read(realm.run.request, RunRequest)
    assert request.config == make.config
    assert (request.realm_uid, request.campaign_uid, request.segment) == ("realm", make.uid, 1)
    assert (request.resume_step, request.optimizer_state) == (7, "resume")
    assert Path(request.checkpoints_dir) == realm.layout.campaign(make.campaign).checkpoints
    assert Path(request.trainer_lock) == realm.layout.trainer_lock


def test_config_hash_and_code_version_are_in_request_run_campaign_job_and_campaign_json(
    realm: Any, make: Any
) -> None:
    realm.done(make.launch())

    view, wanted = realm.view(), (config_hash(make.config), CODE)
    campaign = next(row for row in view.campaigns if row.uid == make.uid)
    request, (job,) = read(realm.run.request, RunRequest), view.jobs
    record = realm.json(realm.layout.campaign(make.campaign).record)
    assert (request.config_hash, str(request.code_version)) == wanted
    assert (run_row(realm).config_hash, run_row(realm).code_version) == wanted
    assert (campaign.config_hash, campaign.code_version) == wanted
    assert (job.config_hash, job.git_commit) == wanted
    assert (record["config_hash"], record["code_version"]) == wanted
    assert {request.specs_commit, campaign.specs_commit, job.specs_commit, record["specs_commit"]} == {
        "d" * 40
    }


def test_the_first_orders_hold_the_jobs_in_their_order_with_their_content(realm: Any, make: Any) -> None:
    realm.done(make.enqueue(job_uid="b", quest_id="b", epochs=3))
    realm.done(make.launch(job_uids=("b", make.job), goal_updates=50))

    orders = read(realm.run.orders, Orders)
    assert [(quest.quest_id, quest.epochs, quest.num_rows) for quest in orders.quests] == [
        ("b", 3, 3),
        ("sums", 1, 3),
    ]
    assert Path(orders.quests[0].path) == realm.layout.snapshot(make.digest)
    assert (orders.sequence, orders.goal_updates, orders.pause, orders.stop) == (1, 50, False, None)


def test_the_trainer_is_started_with_its_request_its_log_and_its_cookie(realm: Any, make: Any) -> None:
    machine = Recorder()
    realm.done(make.launch(), launcher=machine)

    (asked,) = machine.asked
    assert asked["argv"] == [sys.executable, "-m", "trainer", "run", "--request", str(realm.run.request)]
    assert asked["env"]["REALM_RUN_COOKIE"] == run_row(realm).cookie == realm.cookie
    assert (asked["log"], asked["cwd"]) == (realm.run.log, realm.run.folder)


def test_the_log_of_the_newest_run_is_linked(realm: Any, make: Any) -> None:
    realm.start_trainer()

    link = realm.layout.campaign(make.campaign).training_log
    assert str(link.readlink()) == "../runs/g1-a1/training.log"
    deadline = time.monotonic() + 100
    while link.read_text() != "training\n" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert link.read_text() == "training\n"


def test_an_unhealthy_or_foreign_checkpoint_is_not_resumed_from(realm: Any, make: Any) -> None:
    realm.save_checkpoint(5)
    realm.save_checkpoint(6, healthy=False)
    realm.save_checkpoint(7, campaign_uid="someone else")
    (realm.layout.campaign(make.campaign).checkpoints / "checkpoint-8").mkdir()

    realm.done(make.launch())

    assert read(realm.run.request, RunRequest).resume_step == run_row(realm).resume_step == 5


def test_when_the_checkpoints_cannot_be_read_nothing_is_launched(realm: Any, make: Any) -> None:
    folder = realm.layout.campaign(make.campaign).checkpoints
    folder.rmdir()
    folder.write_text("not a folder")
    machine = Recorder()

    outcome = realm.fails(make.launch(), launcher=machine)

    assert "no run starts before it is known what is there" in outcome.text
    assert machine.asked == []


def test_launched_again_it_finds_the_trainer_and_starts_no_second(realm: Any, make: Any) -> None:
    realm.start_trainer()
    machine = Recorder()

    (text,) = realm.done(make.launch(), launcher=machine)

    assert machine.asked == []
    assert text.startswith(f"pid {realm.json(realm.run.process)['pid']}, config ")
    assert run_row(realm).state == "running"


def test_a_trainer_that_lives_and_has_not_claimed_yet_is_not_started_twice(
    realm: Any, make: Any, tmp_path: Path
) -> None:
    realm.done(make.launch())
    realm.has_processes = True
    LocalLauncher().spawn(
        [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"],
        env={"REALM_RUN_COOKIE": realm.cookie}, log=tmp_path / "log", cwd=tmp_path,
    )  # fmt: skip
    while find_by_cookie(realm.cookie) is None:
        time.sleep(0.005)
    machine = Recorder()

    realm.done(make.launch(), launcher=machine)

    assert machine.asked == []


def test_while_a_run_is_not_over_no_other_starts(realm: Any, make: Any) -> None:
    realm.done(make.launch())

    outcome = realm.fails(make.launch(campaign=make.other, campaign_uid=make.other_uid))

    assert f"run g1-a1 of campaign uid {make.uid} is not over; {make.other} starts after it" in outcome.text
    assert not outcome.permanent


def test_a_run_that_is_over_is_not_launched_again(realm: Any, make: Any) -> None:
    realm.done(make.launch(), make.close("never_started"))

    assert (
        "run tiny/campaign-001 g1-a1 is over (never_started); planned again"
        in realm.fails(make.launch()).text
    )


def test_a_request_is_never_rewritten(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    before = realm.run.request.read_bytes()

    outcome = realm.fails(make.launch(device="cuda:0"))

    assert "this run was asked for before, and differs in device" in outcome.text
    assert realm.run.request.read_bytes() == before


def test_without_the_content_of_any_job_nothing_is_launched_and_no_run_is_left(realm: Any, make: Any) -> None:
    realm.layout.snapshot(make.digest).unlink()
    machine = Recorder()

    outcome = realm.fails(make.launch(), launcher=machine)

    assert outcome.text == "none of its quests has its content in the realm; the next plan brings it in"
    assert machine.asked == []
    assert realm.rows("runs") == []
    assert not realm.run.folder.exists()


def test_a_job_that_could_not_be_enqueued_keeps_no_other_waiting(realm: Any, make: Any) -> None:
    realm.done(make.launch(job_uids=("ghost", make.job)))

    assert [quest.job_uid for quest in read(realm.run.orders, Orders).quests] == [make.job]


def test_the_reconcilers_death_leaves_the_trainer_in_its_own_session(realm: Any) -> None:
    realm.start_trainer()

    pid = realm.json(realm.run.process)["pid"]
    assert os.getsid(pid) == pid


def test_a_launch_without_its_campaign_is_refused(realm: Any, make: Any) -> None:
    outcome = realm.fails(make.launch(campaign="tiny/ghost", campaign_uid="ghost"))

    assert "campaign tiny/ghost (uid ghost) is not in the store" in outcome.text


def test_a_launch_that_cannot_say_which_code_trains_is_refused(realm: Any, make: Any) -> None:
    def unknown() -> Any:
        raise ProvenanceUnknown("neither a checkout nor installed")

    outcome = realm.fails(make.launch(), code_version=unknown)

    assert (outcome.text, outcome.permanent) == ("neither a checkout nor installed", True)


def test_a_used_run_folder_that_the_store_does_not_know_is_left_as_it_is(realm: Any, make: Any) -> None:
    realm.run.folder.mkdir(parents=True)
    realm.run.request.write_bytes(b"of the run that the store forgot")
    machine = Recorder()

    outcome = realm.fails(make.launch(), launcher=machine)

    assert "was used by a run that the store does not know" in outcome.text
    assert not outcome.permanent
    assert realm.run.request.read_bytes() == b"of the run that the store forgot"
    assert (realm.view().runs, machine.asked) == ((), [])


def test_a_launch_that_is_done_again_keeps_the_cookie_of_its_run(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    first, machine = run_row(realm).cookie, Recorder()

    realm.done(make.launch(), launcher=machine, new_cookie=lambda: "another")

    assert run_row(realm).cookie == first
    assert [asked["env"]["REALM_RUN_COOKIE"] for asked in machine.asked] == [first]
