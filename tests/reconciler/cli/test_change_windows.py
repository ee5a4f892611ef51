"""Outside the change windows a new commit waits, and what is in force goes on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest


def closed() -> str:
    """Return a window that opens in three hours, as a line of realm.yaml."""
    begin = datetime.now(UTC) + timedelta(hours=3)
    end = begin + timedelta(hours=1)
    return f'{{from: "{begin:%H:%M}", to: "{end:%H:%M}", zone: UTC}}'


@pytest.fixture
def held(run, lab: Path, git) -> str:
    """A realm at rest whose windows are closed, with a newer commit; return the id of the one in force."""

    def commit(active: str, windows: str) -> None:
        (lab / "specs/realm.yaml").write_text(f"id: lab\nactive: {active}\napply: {{windows: [{windows}]}}\n")
        (lab / "specs/queue.yaml").write_text("quests: []\n")
        git(lab, "commit", "-qam", "Specs")

    commit("pip/campaign-001", closed())
    assert run("apply", "--until-converged").exit_code == 0
    before = git(lab, "rev-parse", "HEAD").strip()
    commit("mu/campaign-001", "")
    return before


def test_a_commit_outside_the_windows_waits_by_name_and_the_one_before_stays_in_force(run, held: str) -> None:
    done = run("apply", "--until-converged")
    assert done.exit_code == 3
    assert "waits for the change window, which opens at " in done.stderr
    assert f"main@{held[:7]} stays in force" in done.stderr
    assert "activate" not in done.stdout
    report = json.loads(run("status", "--json").stdout)
    assert (report["applied_commit"], report["attempted_commit"]) == (held, held)


def test_plan_says_that_the_commit_waits_and_a_commit_cannot_open_the_window_for_itself(
    run, held: str
) -> None:
    plan = " ".join(run("plan").stdout.split())
    assert "→ activate mu/campaign-001" in plan
    assert "Warning: main@" in plan
    assert "waits for the change window, which opens at" in plan


def test_drift_is_mended_outside_the_windows_too(run, held: str, root: Path) -> None:
    pointer = root / "control" / "active_campaign.json"
    pointer.write_text("{}")
    run("apply", "--once")
    assert json.loads(pointer.read_text())["hero_id"] == "pip"


def test_inside_a_window_or_when_asked_the_commit_is_taken_up(run, held: str, pass_time) -> None:
    pass_time(3 * 3600 + 120)
    done = run("apply", "--until-converged")
    assert done.exit_code == 0, done.stderr
    assert "activate   mu/campaign-001" in done.stdout


def test_a_newer_commit_supersedes_the_one_that_waited(
    run, held: str, lab: Path, git, root: Path, pass_time
) -> None:
    """What the commit between asked for is never begun: mu is not made active for a moment."""
    assert run("apply", "--once").exit_code == 3
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: pip/campaign-001\nname: The lab\n")
    git(lab, "commit", "-qam", "on second thoughts")
    pass_time(3 * 3600 + 120)
    done = run("apply", "--until-converged")
    assert done.exit_code == 0, done.stderr
    assert "mu/campaign-001" not in done.stdout
    assert json.loads(run("status", "--json").stdout)["applied_commit"] == git(lab, "rev-parse", "HEAD")


def test_any_time_takes_it_up_at_once(run, held: str) -> None:
    done = run("apply", "--until-converged", "--any-time")
    assert done.exit_code == 0, done.stderr
    assert "activate   mu/campaign-001" in done.stdout


@pytest.mark.parametrize(("begin", "end"), [("23:00", "23:00"), ("00:00", "00:00"), ("24:00", "00:00")])
def test_a_window_that_never_opens_is_refused_at_its_line_and_the_commit_before_stays_in_force(
    run, held: str, lab: Path, git, begin: str, end: str
) -> None:
    window = f'{{from: "{begin}", to: "{end}", zone: UTC}}'
    (lab / "specs/realm.yaml").write_text(
        f"id: lab\nactive: mu/campaign-001\napply: {{windows: [{window}]}}\n"
    )
    git(lab, "commit", "-qam", "never")
    refused = run("validate")
    assert refused.exit_code == 1
    said = " ".join(refused.stdout.split())
    assert "specs/realm.yaml:3:" in said
    assert 'this window never opens; for whole days write from: "00:00", to: "24:00"' in said
    run("apply", "--once")
    assert json.loads(run("status", "--json").stdout)["attempted_commit"] == held
