"""Outside the change windows a new commit waits, and what is in force goes on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from state.layout import Layout
from state.lock import hold_lock


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


def test_doctor_says_that_the_commit_waits(run, held: str) -> None:
    (plan,) = [one for one in json.loads(run("doctor", "--json").stdout)["checks"] if one["name"] == "plan"]
    assert "waits for the change window, which opens at" in plan["sentence"]


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


def told(run, thing: str) -> list[tuple[str, str, str]]:
    """Return code, message and hint of each thing in the way."""
    done = run("explain", thing, "--json")
    assert done.exit_code == 0, done.stderr
    return [(one["code"], one["message"], one["hint"]) for one in json.loads(done.stdout)["blocked"]]


def test_explain_names_the_window_when_it_opens_and_the_way_around_it(run, held: str, root: Path) -> None:
    for thing in ("realm", "mu/campaign-001"):
        (window,) = [one for one in told(run, thing) if one[0] == "change-window"]
        assert window[1].startswith("main@")
        assert " waits for the change window, which opens at 2" in window[1]
        assert window[1].endswith(f"; main@{held[:7]} stays in force")
        assert window[2] == "at once: reconcile apply --any-time"
    assert "change-window, specs/realm.yaml:3" in " ".join(run("explain", "realm").stdout.split())


def test_a_thing_that_the_commit_in_force_asks_for_too_waits_for_no_window(
    run, held: str, lab: Path, git, root: Path
) -> None:
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: pip/campaign-001\nname: The lab\n")
    git(lab, "commit", "-qam", "a name")
    (root / "control" / "active_campaign.json").write_text("{}")  # drift is mended at any time
    report = json.loads(run("explain", "root", "--json").stdout)
    assert ([one["subject"] for one in report["changes"]], report["blocked"]) == (["pointer"], [])
    assert [code for code, _, _ in told(run, "realm")] == ["change-window"]


def test_inside_a_window_nothing_of_it_is_in_the_way(run, held: str, pass_time) -> None:
    pass_time(3 * 3600 + 120)
    assert "change-window" not in [code for code, _, _ in told(run, "realm")]


def test_a_plan_that_was_saved_outside_the_window_says_so_and_any_time_does_it(
    run, held: str, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    saved = run("plan", "--out", str(file))
    assert "when the change window opens:  reconcile apply" in saved.stderr
    assert "or at once:" in saved.stdout
    assert f"reconcile apply --any-time {file}" in saved.stdout
    refused = run("apply", str(file))
    assert refused.exit_code == 3
    assert f"{file}: nothing of it was done: main@" in refused.stderr
    assert "waits for the change window, which opens at 2" in refused.stderr
    assert f"At once: reconcile apply --any-time {file}; once it is open: reconcile apply" in refused.stderr
    assert "stale" not in refused.stderr
    assert run("apply", "--any-time", str(file)).exit_code == 0
    assert json.loads(run("status", "--json").stdout)["attempted_commit"] != held


def test_a_saved_plan_that_is_stale_at_any_time_is_called_that_outside_the_window(
    run, held: str, lab: Path, git, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    run("plan", "--out", str(file))
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: pip/campaign-001\n")
    git(lab, "commit", "-qam", "on second thoughts")
    refused = run("apply", str(file))
    assert refused.exit_code == 3
    assert "is stale, and nothing of it was done" in refused.stderr


def test_a_saved_plan_of_what_the_commit_in_force_asks_for_too_is_done_outside_the_window(
    run, held: str, lab: Path, git, root: Path, tmp_path: Path
) -> None:
    file, pointer = tmp_path / "plan.json", root / "control" / "active_campaign.json"
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: pip/campaign-001\nname: The lab\n")
    git(lab, "commit", "-qam", "a name")
    pointer.write_text("{}")
    run("plan", "--out", str(file))
    done = run("apply", str(file))
    assert done.exit_code == 3, done.stderr  # done, and the commit waits on
    assert json.loads(pointer.read_text())["hero_id"] == "pip"


def test_the_apply_that_runs_is_said_to_do_it_once_the_window_is_open(run, held: str, root: Path) -> None:
    with hold_lock(Layout(root).lock, command="reconcile apply", since="2026-01-31T12:00:00Z"):
        plan = " ".join(run("plan").stdout.split())
    assert "does it once the window is open, 2" in plan
    assert "at once: end it, then: reconcile apply --any-time" in plan
    assert "in its next tick" not in plan
