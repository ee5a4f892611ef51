"""The group: light help, exit codes, errors in words."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from reconciler.cli.group import reconcile
from reconciler.cli.verbs import VERBS

HEAVY = {
    "tempfile",
    "secrets",
    "random",
    "pydantic",
    "ruamel",
    "jsonschema",
    "git",
    "rich",
    "torch",
    "transformers",
    "watchfiles",
}
OF_A_CHANGE = {
    "reconciler.plan.sentences",
    "reconciler.plan.runs.starting",
    "state.atomic",
    "state.store.writer",
    "state.contract.quest_rows",
    "subprocess",
    "inspect",
    "typing_extensions",
}
"""What no plan with nothing to do looks into, however large its realm."""
MOST_OURS, MOST_MODULES = 250, 383
CHECKOUT = Path(__file__).resolve().parents[3]


def modules_after(arguments: list[str], cwd: Path) -> tuple[set[str], str]:
    """Run the command in a fresh interpreter; return the modules that it imported and what it printed."""
    code = (
        "import sys, json, io, contextlib\n"
        "from reconciler.cli.light import lighten\n"
        "lighten()\n"
        "out = io.StringIO()\n"
        "from reconciler.cli.group import reconcile\n"
        f"sys.argv = ['reconcile', *{arguments!r}]\n"
        "with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):\n"
        "    reconcile.main(prog_name='reconcile')\n"
        "waiting = lambda module: getattr(vars(module).get('__getattr__'), '__module__', '') == lighten.__module__\n"
        "loaded = [name for name, module in sys.modules.items() if module is not None and not waiting(module)]\n"
        "print(json.dumps([sorted(loaded), out.getvalue()]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )
    modules, out = json.loads(done.stdout)
    return {name.partition(".")[0] for name in modules} | set(modules), out


def test_help_imports_neither_the_verbs_nor_anything_slow(tmp_path: Path) -> None:
    modules, out = modules_after(["--help"], tmp_path)
    assert "Show what apply would do, and why." in out
    assert not modules & (HEAVY | {"msgspec", "apsw", "dataclasses", "asyncio", "reconciler.app"})
    assert not {name for name in modules if name.startswith("reconciler.cli.commands.")}


def test_a_plan_of_known_specs_imports_nothing_slow(lab: Path, root: Path) -> None:
    plan = ["plan", "--repo", str(lab), "--root", str(root)]
    modules_after(plan, lab)
    modules, out = modules_after(plan, lab)
    assert "+ launch" in out
    assert not modules & HEAVY


def test_a_plan_with_nothing_to_do_imports_only_what_it_looks_into(run, lab: Path, root: Path, git) -> None:
    """Most of its time is imports: whoever adds to them on this path raises a number here, knowing it."""
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to train")
    assert run("apply", "--until-converged").exit_code == 0
    plan = ["plan", "--repo", str(lab), "--root", str(root)]
    modules_after(plan, lab)
    modules, out = modules_after(plan, lab)
    assert "Nothing to do" in out
    assert sorted(modules & (HEAVY | OF_A_CHANGE)) == []
    ours = {name for name in modules if name.partition(".")[0] in ("reconciler", "state")}
    assert len(ours) <= MOST_OURS, sorted(ours)
    assert len(modules) <= MOST_MODULES, sorted(modules)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["version"], 0), (["--version"], 0), (["plan", "--repo", "/nowhere"], 1), (["oops"], 64)],
)
def test_the_process_ends_with_the_exit_code_and_everything_printed(
    tmp_path: Path, arguments: list[str], code: int
) -> None:
    command = [sys.executable, "-m", "reconciler.cli", *arguments]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert (done.stdout if code == 0 else done.stderr).endswith("\n")


def test_a_reader_that_is_gone_is_no_accident(tmp_path: Path) -> None:
    command = f"{sys.executable} -m reconciler.cli schema | true"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


KINDS = ("new hero", "new campaign", "new check")


@pytest.mark.parametrize("command", [*(verb for verb in VERBS if verb != "new"), *KINDS])
def test_every_command_has_help_with_examples(run, command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"\n  reconcile {command}" in result.output.partition("Examples:")[2]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_says_what_it_does_and_what_it_takes(verb: str) -> None:
    command = reconcile.get_command(click.Context(reconcile), verb)
    below = command.commands.values() if isinstance(command, click.Group) else [command]
    options = [one for each in below for one in each.params if isinstance(one, click.Option)]
    assert options
    assert [one.name for one in options if not one.help] == []
    takes = {one.name: one.metavar or isinstance(one.type, click.Choice) or one.is_flag for one in options}
    assert [name for name, is_said in takes.items() if not is_said] == []


def test_what_new_makes_is_said_in_whole_sentences(run) -> None:
    assert "..." not in run("new", "--help").output.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plam"], 'there is no command "plam"; did you mean "plan"?'),
        (["plan", "--jsonn"], "No such option '--jsonn'"),
        (["explain"], "Missing argument 'THING'"),
        (["apply", "--once", "--until-converged"], "--once and --until-converged: choose one"),
        (["apply", "--timeout", "5"], "--timeout is how long --until-converged may take; give both"),
        (["plan", "main", "--worktree"], "--worktree plans from the files that are there"),
        (["get", "campains"], 'did you mean "campaigns"?'),
        (["get"], "say what to list: campaigns, heroes, quests, jobs, checkpoints, legends, runs, skills"),
        (["apply", "--lock-timeout", "x"], "'x' is not a valid number."),
        (["logs", "-n", "-4"], "-4 is not in the range from 0 up."),
        (["explain", "nonsense"], '"nonsense" names no thing; expected realm, quest/<id>'),
        (["try", "pip", "x", "--max-new-tokens", "0"], "0 is not in the range"),
    ],
)
def test_words_that_do_not_fit_together_exit_64_and_say_why(run, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, said in result.stderr, result.stdout) == (64, True, "")


def test_no_repository_is_told_with_what_to_do(run, tmp_path: Path) -> None:
    result = run("plan", "--repo", str(tmp_path), anywhere=True)
    assert result.exit_code == 1
    assert (
        "no git repository here; run this in a specs repository, or make one: reconcile init DIR"
        in result.stderr
    )


def test_mistakes_in_the_specs_are_all_told_on_stderr(run, lab: Path, git) -> None:
    (lab / "specs/realm.yaml").write_text("id: lab\nactiv: pip/campaign-001\napply: {interval: soon}\n")
    git(lab, "commit", "-qam", "two mistakes")
    result = run("plan")
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'misspelt key "activ"; did you mean "active"?' in result.stderr
    assert "expected a duration such as 15s, 2m or 1h" in result.stderr
    assert "2 mistakes in 1 of 7 specs. Nothing was changed." in result.stderr


def test_an_unexpected_error_says_how_to_report_it_and_shows_its_traceback_with_v(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.app.planning import look

    def fall_over(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by \x1b[31mzero")

    monkeypatch.setattr(look, "look", fall_over)
    result = run("plan")
    assert result.exit_code == 1
    assert "this should not happen: ZeroDivisionError: by \\x1b[31mzero" in result.stderr
    assert "please report it" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in run("plan", "-v").stderr


def test_ctrl_c_exits_130(run, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.app.planning import look

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(look, "look", interrupt)
    result = run("plan")
    assert (result.exit_code, "interrupted" in result.stderr) == (130, True)


def test_options_after_the_verb_win_over_those_before_it(run, lab: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    result = run("plan", "--root", str(other))
    assert f"apply creates it: {other} " in " ".join(result.stdout.split())
