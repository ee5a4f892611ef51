"""What failed and is tried again in time waits, everywhere in the same word: nobody has to mend anything."""

import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from reconciler.app.planning.look import look
from reconciler.app.surroundings.environment import current_environment, utc_now
from reconciler.app.surroundings.place import Options
from reconciler.plan.actions import LaunchRun
from state.layout import Layout
from state.store.connection import open_writer
from state.store.tables import put

Git = Callable[..., str]
NAME = "pip/campaign-001"
BLOCKED = 3


SOURCE = """\
import json, sys
row = {"messages": [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}]}
open(sys.argv[-1], "w").write((json.dumps(row) + chr(10)) * 10)
"""


def patient(lab: Path) -> None:
    """Let the time to wait be longer than any test."""
    (lab / "specs/realm.yaml").write_text(f"id: lab\nactive: {NAME}\napply: {{retry: {{backoff: 20m}}}}\n")


@pytest.fixture
def failed_run(run, lab: Path, root: Path, git: Git, rows) -> None:
    """A run that failed a moment ago; its quest is in the queue again."""
    (lab / "source.py").write_text(SOURCE)
    command = f"source: {{command: [{sys.executable}, {lab / 'source.py'}]}}"
    (lab / "specs/skills/bin.yaml").write_text(f"id: bin\nmax_level: 30\n{command}\n")
    patient(lab)
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    text = spec.read_text()
    assert "config_overrides:\n" in text
    unfit = "config_overrides:\n  lr_scheduler: cosine\n"  # until which update, nobody says
    spec.write_text(text.replace("config_overrides:\n", unfit))
    git(lab, "commit", "-qam", "rows are made, and nothing trains yet")
    assert run("apply", "--until-converged").exit_code == BLOCKED
    spec.write_text(text)
    git(lab, "commit", "-qam", "it trains")
    plan = look(current_environment(), Options(repository=lab, root=root)).plan
    (launch,) = (one.action for one in plan.changes if isinstance(one.action, LaunchRun))
    config = {"config_hash": launch.config_hash, "config_json": msgspec.json.encode(launch.config).decode()}
    failed = {"end": "failed", "failure_class": "hardware", "message": "the card fell off the bus"}
    run_row = rows.run(campaign_uid=launch.campaign_uid, **config, **failed, final_step=0, ended_at=utc_now())
    with closing(open_writer(Layout(root).store)) as store:
        put(store, [run_row])
    assert run("apply", "--once").exit_code == 0


@pytest.fixture
def failed_fetch(run, lab: Path, git: Git) -> None:
    """Content that could not be brought in a moment ago."""
    patient(lab)
    fail_to_fetch(run, lab, git)


@pytest.fixture
def given_up(run, lab: Path, git: Git) -> None:
    """Content that could not be brought in and is not tried again."""
    (lab / "specs/realm.yaml").write_text(f"id: lab\nactive: {NAME}\napply: {{retry: {{attempts: 1}}}}\n")
    fail_to_fetch(run, lab, git)


def fail_to_fetch(run, lab: Path, git: Git) -> None:
    source = "[python, -c, 'raise SystemExit(\"no numbers left\")']"
    (lab / "specs/skills/bin.yaml").write_text(f"id: bin\nmax_level: 30\nsource: {{command: {source}}}\n")
    git(lab, "commit", "-qam", "a source that fails")
    assert run("apply", "--once").exit_code == 1


def test_a_run_in_its_backoff_waits_and_is_not_blocked(run, failed_run) -> None:
    plan = json.loads(run("plan", "--json").stdout)
    assert (NAME in str(plan["blocked"]), "backoff" in [item["code"] for item in plan["waits"]]) == (
        False,
        True,
    )
    told = " ".join(run("plan").stdout.split())
    assert f"… waits campaign/{NAME} tries again at " in told
    assert "to try at once: reconcile resume" in told
    assert "blocked" not in told


def test_status_and_its_metrics_count_a_run_in_its_backoff_as_waiting(run, failed_run) -> None:
    report = json.loads(run("status", "--json").stdout)
    (again,) = report["tried_again"]
    assert (report["num_blocked"], again["code"], again["subject"]) == (0, "backoff", f"campaign/{NAME}")
    (pip,) = (one for one in report["campaigns"] if one["name"] == NAME)
    assert (pip["synced"]["state"], pip["healthy"]["state"]) == ("out of sync", "degraded")
    assert "tries again at" in pip["synced"]["sentence"]
    metrics = run("status", "--prometheus").stdout
    assert 'realm_blocked{realm="lab"} 0' in metrics
    assert 'realm_tried_again{realm="lab"} 1' in metrics


@pytest.mark.parametrize("thing", [NAME, "quest/q1"])
def test_explain_tells_a_run_in_its_backoff_with_the_mark_of_what_waits(run, failed_run, thing: str) -> None:
    told = run("explain", thing).stdout
    assert f"  … campaign/{NAME}: tries again at " in told
    assert f"! campaign/{NAME}" not in told


def test_apply_says_that_it_waits_and_ends_well(run, failed_run) -> None:
    result = run("apply", "--once")
    assert result.exit_code == 0, result.stderr
    assert f"… wait       {NAME}" in result.stdout
    assert "blocked" not in result.stdout


def test_content_that_is_fetched_again_in_time_waits_and_status_says_when_and_why(run, failed_fetch) -> None:
    told = " ".join(run("plan").stdout.split())
    assert "… waits quest/q1 its content cannot be brought in, tried again at" in told
    assert "blocked" not in told
    report = json.loads(run("status", "--json").stdout)
    assert (report["num_blocked"], report["queue"]) == (0, {"waits": 2})
    status = " ".join(run("status").stdout.split())
    assert "waiting quest/q1: its content cannot be brought in, tried again at" in status
    assert "no numbers left" in status
    assert run("apply", "--once").exit_code == 0


def test_nothing_is_idle_while_something_is_tried_again_in_time(run, failed_run) -> None:
    result = run("wait", "realm", "--for", "idle", "--timeout", "0")
    assert result.exit_code == 6


@pytest.mark.parametrize(("thing", "condition"), [(NAME, "step=9"), ("quest/q1", "completed")])
def test_the_next_try_is_waited_for(run, failed_run, thing: str, condition: str) -> None:
    (again,) = json.loads(run("status", "--json").stdout)["tried_again"]
    assert again["until"] in again["message"]
    assert run("wait", thing, "--for", condition, "--timeout", "0").exit_code == 6


def axes_of(run) -> tuple[str, str, str, str]:
    """Return state and reason of both axes of the active campaign."""
    campaigns = json.loads(run("status", "--json").stdout)["campaigns"]
    (pip,) = (one for one in campaigns if one["name"] == NAME)
    return pip["synced"]["state"], pip["synced"]["reason"], pip["healthy"]["state"], pip["healthy"]["reason"]


def test_a_campaign_whose_quest_was_given_up_is_blocked_and_not_well(run, given_up) -> None:
    assert axes_of(run) == ("blocked", "fetch-given-up", "degraded", "fetch-given-up")
    told = " ".join(run("status").stdout.split())
    assert "is in force, what is left of it is blocked or waits" not in told
    assert "is in force, what is left of it is blocked" in told
    assert "quest/q1: its content cannot be brought in, given up after 1 tries: " in told
    assert "it has not been launched yet" not in told.rpartition(NAME)[2]


@pytest.mark.parametrize("condition", ["synced", "healthy"])
def test_a_campaign_whose_quest_was_given_up_is_not_waited_for(run, given_up, condition: str) -> None:
    result = run("wait", NAME, "--for", condition, "--timeout", "200")
    assert result.exit_code == 1, result.output
    assert f"{NAME} will not be {condition}: quest/q1: its content cannot be brought in" in result.stderr


def test_a_campaign_whose_quest_is_fetched_again_in_time_is_not_synced_and_not_ill(run, failed_fetch) -> None:
    assert axes_of(run) == ("out of sync", "fetch-backoff", "healthy", "idle")


def failing(run) -> tuple[str, ...]:
    """Return what the metrics say of failures, and of the two axes of the active campaign."""
    names = ("realm_failing{", "realm_campaign_synced{", "realm_campaign_healthy{")
    lines = run("status", "--prometheus").stdout.splitlines()
    return tuple(line[-1] for line in lines if line.startswith(names) and "mu/" not in line)


def test_the_metrics_of_a_failure_do_not_flap_until_it_is_given_up(
    run, lab: Path, git: Git, failed_fetch, pass_time
) -> None:
    still = ("1", "0", "1")
    assert failing(run) == still, "it waits for its next try"
    pass_time(3600)
    assert failing(run) == still, "its next try is due"
    realm = lab / "specs/realm.yaml"
    realm.write_text(realm.read_text().replace("backoff: 20m", "attempts: 1"))
    git(lab, "commit", "-qam", "one try is enough")
    assert failing(run) == ("1", "0", "0"), "it was given up"


@pytest.mark.parametrize(
    ("thing", "condition", "how"),
    [
        ("quest/q1", "completed", "it waits: its content cannot be brought in, tried again at 20"),
        ("realm", "applied", "; quest/q1: its content cannot be brought in, tried again at 20"),
    ],
)
def test_what_waits_says_of_a_failure_when_it_is_tried_again(
    run, failed_fetch, thing: str, condition: str, how: str
) -> None:
    result = run("wait", thing, "--for", condition, "--timeout", "0")
    assert result.exit_code == 6
    assert how in result.stderr
    assert "no numbers left" in result.stderr


def test_wait_says_for_whom_a_quest_waits(run, failed_fetch) -> None:
    result = run("wait", "quest/q2", "--for", "completed", "--timeout", "0")
    assert "after 0 s: it waits until mu/campaign-001 is active" in result.stderr
