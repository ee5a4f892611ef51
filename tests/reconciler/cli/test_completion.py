"""`completion`: a real bash completes verbs, options and the ids that there are; finding them loads nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.live_ids import KINDS, candidates, print_ids
from reconciler.cli.verbs import VERBS


@pytest.fixture
def ids(lab: Path, root: Path, capsys):
    """Return what is printed for the word after these."""

    def find(current: str, *words: str) -> list[str]:
        print_ids([current, "--repo", str(lab), "--root", str(root), *words])
        return capsys.readouterr().out.split()

    return find


@pytest.fixture
def complete(run, lab: Path, root: Path, tmp_path: Path):
    """Return what bash offers for a line, with our script and our command."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    script = tmp_path / "completion.bash"
    script.write_text(run("completion", "bash", anywhere=True).stdout)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "reconcile"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler.cli "$@"\n')
    command.chmod(0o755)
    package = str(Path(__file__).resolve().parents[3])

    def offer(line: str) -> list[str]:
        program = f'source "{script}"; COMP_LINE="$1"; COMP_POINT=${{#1}}; _reconcile; printf "%s\\n" "${{COMPREPLY[@]}}"'
        env = {"PATH": f"{bin_folder}:/usr/bin:/bin", "PYTHONPATH": package, "REALM_ROOT": str(root)}
        said = subprocess.run(
            [bash, "--norc", "-c", program, "bash", line],
            cwd=lab, env=env, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return said.stdout.split()

    return offer


def test_bash_completes_commands_options_and_live_ids(complete, root: Path) -> None:
    (root / "campaigns/pip/campaign-001/checkpoints/checkpoint-500").mkdir(parents=True)
    assert complete("reconcile expl") == ["explain"]
    assert "--detailed-exitcode" in complete("reconcile plan --d")
    assert complete("reconcile pause ") == ["mu/campaign-001", "pip/campaign-001"]
    assert complete("reconcile skip q") == ["q1", "q2"]
    assert complete("reconcile plan ma") == ["main"]
    assert complete("reconcile --root /nowhere try pip/campaign-001@") == ["best", "latest"]
    assert complete("reconcile try pip/campaign-001@5") == ["500"]


def test_things_are_campaigns_heroes_and_quests(ids) -> None:
    assert ids("", "explain") == ["mu", "mu/campaign-001", "pip", "pip/campaign-001", "q1", "q2"]


def test_a_campaign_whose_spec_is_gone_is_completed_from_its_folder(ids, root: Path) -> None:
    (root / "campaigns/pip/campaign-009").mkdir(parents=True)
    (root / "campaigns/archive/pip").mkdir(parents=True)
    assert ids("pip/", "logs") == ["pip/campaign-001", "pip/campaign-009"]


def test_the_root_is_found_by_what_the_repository_remembers(
    lab: Path, tmp_path: Path, git, monkeypatch
) -> None:
    monkeypatch.delenv("REALM_ROOT", raising=False)
    git(lab, "config", "realm.root", str(tmp_path / "there"))
    (tmp_path / "there/campaigns/pip/campaign-004").mkdir(parents=True)
    assert "pip/campaign-004" in set(candidates("", ["--repo", str(lab), "logs"]))


def test_where_there_is_no_realm_or_no_such_verb_nothing_is_offered(ids, tmp_path: Path, capsys) -> None:
    assert ids("", "validate") == []
    assert ids("") == []
    print_ids(["", "--repo", str(tmp_path), "pause"])
    print_ids([])
    assert capsys.readouterr().out == ""


def test_names_that_a_shell_could_misread_are_not_offered(ids, lab: Path) -> None:
    (lab / "specs/campaigns/pip/$(touch x).yaml").write_text("")
    assert ids("", "pause") == ["mu/campaign-001", "pip/campaign-001"]


def test_every_verb_that_is_completed_exists() -> None:
    assert KINDS.keys() <= VERBS.keys()


def test_finding_ids_loads_nothing_that_takes_time(lab: Path) -> None:
    heavy = (
        "click",
        "msgspec",
        "apsw",
        "pydantic",
        "ruamel",
        "git",
        "json",
        "subprocess",
        "typing_extensions",
    )
    program = (
        "import sys; sys.argv = ['reconcile', '__ids', '', 'pause']\n"
        "import os; os._exit = lambda code: sys.exit(code)\n"
        "from reconciler.cli.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n"
        f"    print([name for name in {heavy!r} if name in sys.modules])"
    )
    package = str(Path(__file__).resolve().parents[3])
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=lab, env={"PYTHONPATH": package}, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    assert said.stdout.splitlines() == ["mu/campaign-001", "pip/campaign-001", "[]"]


def test_help_says_how_to_load_it(run) -> None:
    assert "source <(reconcile completion bash)" in run("completion", "--help").stdout
    assert "bashcompinit" in run("completion", "zsh").stdout
