"""`install-service` and what apply tells systemd; `status --prometheus`."""

import re
import socket
from pathlib import Path

import pytest

from reconciler.app.applying.notifying import Notifier
from reconciler.app.surroundings.environment import current_environment


def test_the_unit_runs_apply_for_this_realm_and_stops_the_reconciler_alone(
    run, lab: Path, root: Path
) -> None:
    result = run("install-service")
    assert result.exit_code == 0, result.stderr
    unit = current_environment().home / ".config/systemd/user/realm-lab.service"
    assert result.stdout == f"{unit}\n"
    text = unit.read_text()
    assert re.search(
        rf"^ExecStart=.*python.* -m reconciler.cli --root {root} --repo {lab} apply$", text, re.M
    )
    for line in (
        "Type=notify",
        "KillMode=process",
        "Restart=always",
        "WatchdogSec=1800",
        "WantedBy=default.target",
    ):
        assert f"\n{line}\n" in text
    assert "systemctl --user enable --now realm-lab.service" in result.stderr


def test_a_unit_that_says_something_else_is_not_replaced(run) -> None:
    run("install-service")
    unit = current_environment().home / ".config/systemd/user/realm-lab.service"
    assert run("install-service").exit_code == 0
    unit.write_text("[Unit]\n")
    refused = run("install-service")
    assert (refused.exit_code, unit.read_text()) == (3, "[Unit]\n")
    assert "is there already and says something else" in refused.stderr


def test_show_writes_nothing_and_system_is_for_the_machine(run) -> None:
    shown = run("install-service", "--show", "--system").stdout
    assert shown.endswith("WantedBy=multi-user.target\n")
    assert not (current_environment().home / ".config").exists()


def test_what_systemd_would_read_as_its_own_is_escaped(run, tmp_path: Path) -> None:
    odd = tmp_path / "a %h $x root"
    shown = run("--root", str(odd), "install-service", "--show").stdout
    assert f'--root "{tmp_path}/a %%h $$x root"' in shown


def test_the_folder_of_a_unit_stands_without_quotes_which_systemd_would_not_take_off(run, lab: Path) -> None:
    odd = lab.rename(lab.with_name('a %h $x "lab'))
    shown = run("--repo", str(odd), "install-service", "--show").stdout
    folder = str(odd).replace("%", "%%")
    assert f"\nWorkingDirectory={folder}\n" in shown


def test_a_path_that_systemd_cannot_be_told_of_is_refused(run, tmp_path: Path) -> None:
    refused = run("--root", f"{tmp_path}/a\nExecStartPre=/bin/false", "install-service", "--show")
    assert refused.exit_code == 1
    assert "systemd cannot be told of a path" in refused.stderr


@pytest.mark.parametrize("kind", ["file", "abstract"])
def test_apply_says_that_it_is_ready_lives_and_leaves(
    run, lab: Path, git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    name = str(tmp_path / "notify") if kind == "file" else f"@{tmp_path.name}-notify"
    (lab / "specs/realm.yaml").write_text("id: lab\n")  # nothing trains
    git(lab, "commit", "-qam", "Rest")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(f"\0{name[1:]}" if name[0] == "@" else name)
        end.settimeout(100)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        assert run("apply", "--once").exit_code == 0
        told = [end.recv(100).decode() for _ in range(3)]
    assert told == ["READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_without_systemd_nobody_is_told_and_a_socket_that_is_gone_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    real = socket.socket
    monkeypatch.setattr(socket, "socket", lambda *kind: opened.append(kind) or real(*kind))
    for variables in ({}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}):
        notifier = Notifier(variables)
        notifier.ready()
        notifier.alive()
        notifier.leaves()
        assert len(opened) == (3 if variables else 0)


SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="([^"\\\n]|\\.)*"(,[a-z]+="([^"\\\n]|\\.)*")*\})? [-0-9.e+]+')


def test_the_metrics_are_in_the_text_format_and_say_what_status_says(run, store, rows, root: Path) -> None:
    store.write(
        [rows.run(state="running", ended_at=None, end=None, final_step=None), rows.job(status="queued")]
    )
    lines = run("status", "--prometheus").stdout.splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert all(SAMPLE.fullmatch(line) for line in samples)
    assert 'realm_up{realm="lab"} 0' in samples
    assert 'realm_campaign_step{realm="lab",campaign="pip/campaign-001"} 0' in samples
    names = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(names) == len(set(names))
    assert {line.partition("{")[0] for line in samples} == set(names)
    assert run("status", "--prometheus", "--json").exit_code == 64
