import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from reconciler.observed.runs import MAX_NAMED, observe_runs, run_number
from reconciler.observed.stat_cache import StatCache
from state import failpoints
from state.contract.exit import RunExit
from state.contract.orders import Orders
from state.contract.process import ProcessIdentity, folder_id
from state.contract.status import RunStatus
from state.layout import CampaignLayout, Layout
from trainer.engine.leaving import LastWord

BOOT = "11111111-2222-3333-4444-555555555555"
NOW = "2026-01-31T12:00:00Z"
STATUS = RunStatus(phase="training", updated_at=NOW, orders_sequence=1, step=7)
EXIT = RunExit(
    reason="finished", message="All quests are done.", step=9, last_checkpoint_step=9, exited_at=NOW
)
HOLD = """
import sys
from pathlib import Path
from state.run_hold import hold
assert hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""
CLAIM = ProcessIdentity(pid=42, boot_id=BOOT, start_ticks=500, cookie="biscuit", claimed_at=NOW)


@pytest.fixture
def campaign(tmp_path: Path) -> CampaignLayout:
    layout = Layout(tmp_path / "root").campaign("tiny/campaign-001")
    layout.runs.mkdir(parents=True)
    return layout


@pytest.fixture
def observe(tmp_path: Path, campaign: CampaignLayout, fake_proc):
    def look(**options: object):
        return observe_runs(campaign, tmp_path / "root", proc=fake_proc.folder, **options)

    return look


def write(campaign: CampaignLayout, run: str, **records: object) -> Path:
    folder = campaign.runs / run
    folder.mkdir(exist_ok=True)
    for name, record in records.items():
        content = record if isinstance(record, bytes) else msgspec.json.encode(record)
        (folder / f"{name}.json").write_bytes(content)
    return folder


def test_a_campaign_that_never_ran_has_no_runs(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    facts = observe_runs(Layout(root).campaign("tiny/campaign-001"), root)
    assert (facts.runs, facts.problems) == ((), ())


def test_in_a_copy_of_the_root_the_process_of_the_original_is_nobodys(observe, campaign, fake_proc) -> None:
    fake_proc.add(42, cookie="biscuit")
    folder = write(campaign, "g1-a1", request=b"{}")
    write(campaign, "g1-a1", process=msgspec.structs.replace(CLAIM, folder_id=folder_id(folder.stat())))
    assert [run.alive for run in observe().runs] == [True]
    folder.rename(folder.with_name("g1-a9"))
    shutil.copytree(folder.with_name("g1-a9"), folder)
    assert [(run.attempt, run.alive) for run in observe().runs] == [(1, False), (9, True)]


def test_a_living_run_is_known_with_all_its_files(observe, campaign, fake_proc) -> None:
    fake_proc.add(42, cookie="biscuit")
    orders = Orders(sequence=3, quests=())
    folder = write(campaign, "g2-a1", request=b"{}", process=CLAIM, status=STATUS, orders=orders)
    (run,) = observe().runs
    assert (run.folder, run.generation, run.attempt) == (str(folder), 2, 1)
    assert (run.has_request, run.claimed, run.alive) == (True, True, True)
    assert (run.process, run.status, run.orders, run.exit) == (CLAIM, STATUS, orders, None)
    assert run.problems == ()


def test_a_run_whose_process_died_is_not_alive(observe, campaign) -> None:
    write(campaign, "g1-a1", process=CLAIM, status=STATUS)
    (run,) = observe().runs
    assert (run.claimed, run.alive, run.status) == (True, False, STATUS)


def test_a_launch_that_nobody_claimed_yet_is_told_apart(observe, campaign) -> None:
    write(campaign, "g1-a1", request=b"{}")
    (run,) = observe().runs
    assert (run.has_request, run.claimed, run.alive) == (True, False, False)


def test_a_trainer_of_another_pid_namespace_lives_as_long_as_it_holds_its_folder(
    observe, campaign, fake_proc
) -> None:
    (fake_proc.folder / "self/ns").mkdir()
    (fake_proc.folder / "self/ns/pid").symlink_to("pid:[2]")
    fake_proc.add(42, cookie="somebody else's")
    there = msgspec.structs.replace(CLAIM, pid_namespace="pid:[1]")
    folder = write(campaign, "g1-a1", process=there)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        (run,) = observe().runs
        assert (run.alive, run.unreachable, run.process) == (True, True, there)
        fake_proc.add(4242, cookie="biscuit")
        (run,) = observe().runs
        assert (run.alive, run.unreachable, run.process.pid) == (True, False, 4242)
        holder.kill()
        holder.wait()
    assert [(run.alive, run.unreachable) for run in observe().runs] == [(False, False)]


def test_runs_are_ordered_by_generation_and_attempt_as_numbers(observe, campaign) -> None:
    for name in ("g10-a1", "g2-a11", "g2-a2"):
        write(campaign, name)
    assert [(run.generation, run.attempt) for run in observe().runs] == [(2, 2), (2, 11), (10, 1)]


HOSTILE = {
    "empty": (b"", "status.json: not a RunStatus"),
    "torn": (b'{"phase": "trai', "status.json: not a RunStatus"),
    "deep": (b"[" * 100_000, "status.json: not a RunStatus"),
    "NaN": (
        msgspec.json.encode(STATUS).replace(b'"loss":null', b'"loss":NaN'),
        "status.json: not a RunStatus",
    ),
    "infinite": (
        msgspec.json.encode(STATUS).replace(b'"loss":null', b'"loss":1e999'),
        "status.json: not a RunStatus",
    ),
    "not UTF-8": (b'{"phase":"\xff"}', "status.json: not a RunStatus"),
    "later": (
        msgspec.json.encode(msgspec.structs.replace(STATUS, schema_version=2)),
        "schema version 2 is newer than 1",
    ),
    "huge": (b" " * (1024 * 1024 + 1), "status.json: is larger than 1048576 bytes"),
}


@pytest.mark.parametrize(("content", "message"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_torn_or_hostile_file_is_a_problem_of_its_run(observe, campaign, content, message) -> None:
    write(campaign, "g1-a1", status=content, exit=EXIT)
    (run,) = observe().runs
    (problem,) = run.problems
    assert message in problem
    assert (run.status, run.exit) == (None, EXIT)


def test_a_torn_claim_still_counts_as_claimed(observe, campaign) -> None:
    write(campaign, "g1-a1", process=b'{"pid": 4')
    (run,) = observe().runs
    assert (run.claimed, run.process, run.alive) == (True, None, False)
    assert "process.json: not a ProcessIdentity" in run.problems[0]


def test_a_link_in_place_of_a_file_is_not_followed(observe, campaign, tmp_path) -> None:
    (tmp_path / "secret").write_bytes(msgspec.json.encode(STATUS))
    folder = write(campaign, "g1-a1")
    (folder / "status.json").symlink_to(tmp_path / "secret")
    (run,) = observe().runs
    assert run.status is None
    assert run.problems[0].endswith("status.json: is a symbolic link, which is not followed")


@pytest.mark.parametrize(
    "name", ["g1", "g01-a1", "g1-a1x", "g-1-a1", "a1-g1", ".staging-g1-a1", "g1-a1\n", "g١-a1"]
)
def test_a_folder_of_another_name_is_named_as_a_problem(observe, campaign, name) -> None:
    write(campaign, name)
    facts = observe()
    assert facts.runs == ()
    assert "not a run's folder (g<generation>-a<attempt>)" in facts.problems[0]
    assert run_number(name) is None


def test_a_linked_run_folder_is_a_problem(observe, campaign, tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (campaign.runs / "g1-a1").symlink_to(tmp_path / "elsewhere")
    facts = observe()
    assert facts.runs == ()
    assert facts.problems[0].endswith("g1-a1: is a symbolic link, which is not followed")


def test_a_file_in_place_of_the_runs_folder_is_a_problem(observe, campaign) -> None:
    campaign.runs.rmdir()
    campaign.runs.write_text("")
    facts = observe()
    assert facts.problems == (f"{campaign.runs}: is not a folder",)


def test_with_a_cache_a_run_that_left_is_read_once_and_a_living_one_always(
    observe, campaign, fake_proc
) -> None:
    fake_proc.add(42, cookie="biscuit")
    write(campaign, "g1-a1", exit=EXIT, status=STATUS)
    write(campaign, "g1-a2", process=CLAIM, status=STATUS)
    cache = StatCache()
    first, second = observe(cache=cache), observe(cache=cache)
    assert second.runs[0] is first.runs[0]
    assert second.runs[1] is not first.runs[1]
    write(campaign, "g1-a1", exit=msgspec.structs.replace(EXIT, step=10))
    third = observe(cache=cache)
    assert third.runs[0].exit is not None
    assert third.runs[0].exit.step == 10


def test_a_trainer_that_wrote_its_exit_is_looked_at_until_it_is_gone(observe, campaign, fake_proc) -> None:
    fake_proc.add(42, cookie="biscuit")
    write(campaign, "g1-a1", process=CLAIM, exit=EXIT)
    cache = StatCache()
    assert observe(cache=cache).runs[0].alive
    (fake_proc.folder / "42" / "stat").unlink()
    assert not observe(cache=cache).runs[0].alive


def test_what_a_trainer_says_that_it_uses_is_read_only_while_it_lives(observe, campaign, fake_proc) -> None:
    write(campaign, "g1-a1", request=b"{}", process=CLAIM, effective=b'{"schema_version": 1}')
    assert (observe().runs[0].effective, observe().runs[0].problems) == (None, ())
    fake_proc.add(42, cookie="biscuit")
    (problem,) = observe().runs[0].problems
    assert "effective.json: not a EffectiveRun: Object missing required field" in problem


def test_of_many_strange_entries_a_few_are_named_and_the_others_counted(observe, campaign) -> None:
    for number in range(MAX_NAMED + 7):
        (campaign.runs / f"x{number:05}").touch()
    problems = observe().problems
    assert len(problems) == MAX_NAMED + 1
    assert problems[-1] == f"{campaign.runs}: and 7 more like these"


def printed(capsys: pytest.CaptureFixture[str], folder: Path) -> str:
    """Return the log of a trainer that could not write why it left."""

    def strike(name: str) -> None:
        if name in ("file.create", "reserve.write"):
            raise OSError(28, "No space left on device")

    failpoints.observe(strike)
    word = LastWord(folder / "exit.json")
    word.prepare()
    assert not word.write(EXIT)
    failpoints.observe(None)
    return capsys.readouterr().out


def test_a_run_whose_disk_had_no_room_for_its_last_word_says_it_in_its_log(observe, campaign, capsys) -> None:
    folder = write(campaign, "g1-a1", process=CLAIM, status=STATUS)
    log = printed(capsys, folder)
    (folder / "training.log").write_text("x" * 100_000 + f"\n{log}and what came behind it\n")

    (run,) = observe().runs

    assert (run.exit, run.exit_file, run.problems) == (EXIT, "training.log", ())


def test_the_log_of_a_living_run_or_a_torn_record_says_nothing_of_an_end(
    observe, campaign, capsys, fake_proc
) -> None:
    folder = write(campaign, "g1-a1", process=CLAIM, status=STATUS)
    log = printed(capsys, folder)
    (folder / "training.log").write_text(log.rstrip()[:-20] + '"}\n')
    assert [run.exit for run in observe().runs] == [None]
    (folder / "training.log").write_text(log)
    fake_proc.add(42, cookie="biscuit")
    assert [(run.alive, run.exit) for run in observe().runs] == [(True, None)]
