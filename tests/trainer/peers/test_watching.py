"""A script of another trainer is a run like any other: claimed, heard, and ended with a reason."""

import http.client
import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from state import failpoints
from state.contract.exit import RunExit
from state.contract.files import read
from state.contract.metrics import MetricsRecord
from state.contract.status import RunStatus
from state.layout import RunLayout
from trainer.peers.progress import NotAReport, Progress, parse_report
from trainer.peers.server import listening
from trainer.peers.watching import watch

REPORTING = """
import json, os, sys, urllib.request
def report(**status):
    status["lastUpdatedTime"] = "2026-01-31T12:00:00+00:00"
    token = open(os.environ["KUBEFLOW_TRAINER_SERVER_TOKEN"]).read().strip()
    data = json.dumps({"trainerStatus": status}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    sent = urllib.request.Request(os.environ["KUBEFLOW_TRAINER_SERVER_URL"], data=data, headers=headers)
    assert urllib.request.urlopen(sent, timeout=5).status == 200
report(progressPercentage=0, metrics=[{"name": "total_steps", "value": "4"}])
for step in (2, 2, 4):
    found = {"loss": "1.5", "grad_norm": "nan", "current_step": str(step)}
    report(progressPercentage=50, estimatedRemainingSeconds=3,
           metrics=[{"name": name, "value": value} for name, value in found.items()])
print("said by the script")
sys.exit(int(sys.argv[1]))
"""


def run_of(folder: Path, *command: str) -> tuple[RunLayout, int]:
    started = [sys.executable, "-m", "trainer", "watch", "--run", str(folder), "--", *command]
    return RunLayout(folder), subprocess.run(started, check=False).returncode


@pytest.mark.parametrize(("code", "reason"), [(0, "finished"), (3, "failed")])
def test_a_script_is_heard_step_by_step_and_its_end_has_a_reason(
    tmp_path: Path, code: int, reason: str
) -> None:
    files, left = run_of(tmp_path / "run", sys.executable, "-c", REPORTING, str(code))

    assert left == code
    records = [
        msgspec.json.decode(line, type=MetricsRecord) for line in files.metrics.read_text().splitlines()
    ]
    assert [(one.kind, one.step, one.loss, one.gradient_norm) for one in records] == [
        ("update", 2, 1.5, None),
        ("update", 4, 1.5, None),
    ]
    status, end = read(files.status, RunStatus), read(files.exit, RunExit)
    assert (status.phase, status.step, status.loss, status.eta_seconds) == ("exited", 4, 1.5, 3)
    assert (end.reason, end.step, end.last_checkpoint_step) == (reason, 4, None)
    assert f"left with exit code {code}" in end.message
    assert files.log.read_text() == "said by the script\n"
    assert not (files.folder / "token").exists()


def test_the_report_at_the_end_which_names_no_step_is_of_the_last_one(tmp_path: Path) -> None:
    """transformers tells the rest at most every five seconds: of a quick script this is all that is heard."""
    at_the_end = """
report(progressPercentage=0, metrics=[{"name": "total_steps", "value": "20"}])
report(progressPercentage=100, estimatedRemainingSeconds=0, metrics=[{"name": "loss", "value": "0.25"}])
"""
    script = REPORTING[: REPORTING.index("report(progress")] + at_the_end
    files, _ = run_of(tmp_path / "run", sys.executable, "-c", script)

    (record,) = (
        msgspec.json.decode(line, type=MetricsRecord) for line in files.metrics.read_text().splitlines()
    )
    assert (record.step, record.loss) == (20, 0.25)
    assert "100 % without a step" in str(record.note)
    assert (read(files.status, RunStatus).step, read(files.exit, RunExit).step) == (20, 20)


@pytest.mark.parametrize(("name", "code"), [("nowhere", 127), ("not-a-program", 126)])
def test_a_command_that_cannot_be_started_is_a_run_that_failed_with_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, code: int
) -> None:
    command = tmp_path / name
    (tmp_path / "not-a-program").write_text("no program")
    files, left = run_of(tmp_path / "run", str(command))

    end = read(files.exit, RunExit)
    assert (left, end.reason, end.failure_class) == (code, "failed", "environment")
    assert end.message.startswith(f"{command} cannot be started: ")
    assert capfd.readouterr().err == f"{end.message}\n"
    assert read(files.status, RunStatus).phase == "exited"
    assert not (files.folder / "token").exists()


def test_a_script_that_ends_on_a_full_disk_has_its_reason_all_the_same(tmp_path: Path) -> None:
    asked: list[str] = []

    def full(name: str) -> None:
        asked.append(name)
        if name in ("line.append", "status.write") or (name == "file.create" and asked.count(name) > 2):
            raise OSError(28, "No space left on device")

    failpoints.observe(full)
    code = watch(tmp_path / "run", [sys.executable, "-c", REPORTING, "0"])
    failpoints.observe(None)

    assert asked.count("file.create") == 3  # the claim, the token, and in vain exit.json
    assert (code, read(RunLayout(tmp_path / "run").exit, RunExit).reason) == (0, "finished")


def test_a_run_that_was_claimed_is_not_started_again(tmp_path: Path) -> None:
    run_of(tmp_path / "run", sys.executable, "-c", "print(1)")
    files, left = run_of(tmp_path / "run", sys.executable, "-c", "print(2)")
    assert (left, files.log.read_text()) == (75, "1\n")


def test_who_asks_it_to_leave_asks_the_script(tmp_path: Path) -> None:
    files = RunLayout(tmp_path / "run")
    script = "import time; print('ready', flush=True); time.sleep(60)"
    command = [sys.executable, "-m", "trainer", "watch", "--run", str(files.folder), "--"]
    watching = subprocess.Popen([*command, sys.executable, "-c", script])
    deadline = time.monotonic() + 60
    while not (files.log.exists() and files.log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    watching.terminate()

    assert watching.wait(timeout=60) == 128 + 15
    end = read(files.exit, RunExit)
    assert (end.reason, end.failure_class) == ("stopped", "preempted")
    assert "was ended by SIGTERM" in end.message


def answer_to(url: str, body: bytes, token: str, **headers: str) -> int:
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=30)
    connection.request("POST", "/", body=body, headers={"Authorization": f"Bearer {token}", **headers})
    with closing(connection):
        return connection.getresponse().status


def test_only_reports_with_the_token_are_taken() -> None:
    heard: list[Progress] = []
    report = json.dumps({"trainerStatus": {"lastUpdatedTime": "now"}}).encode()
    with listening("secret", heard.append) as url:
        assert url.startswith("http://127.0.0.1:")
        assert answer_to(url, report, "guess") == 401
        assert answer_to(url, b"{}", "secret") == 400
        assert answer_to(url, b"", "secret", **{"Content-Length": "2000000"}) == 413
        assert heard == []
        assert answer_to(url, report, "secret") == 200
    assert len(heard) == 1


def test_values_are_numbers_in_strings_and_what_is_none_is_left_out() -> None:
    metrics = [{"name": "loss", "value": "2.5e-1"}, {"name": "current_step", "value": "7"}]
    metrics += [{"name": "learning_rate", "value": "inf"}, {"name": "note", "value": "fast"}]
    found = parse_report(json.dumps({"trainerStatus": {"lastUpdatedTime": "", "metrics": metrics}}).encode())
    assert (found.step, found.loss, found.learning_rate) == (7, 0.25, None)


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(NotAReport, match="no progress of a trainer: "):
        parse_report(b'{"trainerStatus": 1}')


@pytest.mark.train
def test_it_hears_what_transformers_itself_sends(tmp_path: Path) -> None:
    """Its own callback, called as its Trainer calls it."""
    pytest.importorskip("transformers")
    script = """
from transformers import TrainerState
from transformers.integrations import KubeflowCallback
callback, state = KubeflowCallback(), TrainerState(max_steps=4)
callback.on_train_begin(None, state, None)
callback._last_update_time = float("-inf")
state.global_step = 3
callback.on_log(None, state, None, logs={"loss": 0.5})
callback.on_step_end(None, state, None)
state.global_step = 4
callback.on_step_end(None, state, None)
callback.on_train_end(None, state, None)
"""
    files, left = run_of(tmp_path / "run", sys.executable, "-c", script)
    if "cannot import name 'KubeflowCallback'" in files.log.read_text():
        pytest.skip("this version of transformers has no KubeflowCallback")
    assert left == 0, files.log.read_text()
    records = [
        msgspec.json.decode(line, type=MetricsRecord) for line in files.metrics.read_text().splitlines()
    ]
    assert [(one.step, one.loss) for one in records] == [(3, 0.5), (4, 0.5)]
    status: Any = read(files.status, RunStatus)
    assert (status.step, status.eta_seconds) == (4, 0)
