"""What a started process gets from us: an environment, a log, no open files, and somebody who reaps it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.act.environment import child_environment
from reconciler.act.launcher import Exited, LocalLauncher

TOP = Path(__file__).resolve().parents[3]


def run(launcher: LocalLauncher, code: str, folder: Path) -> Exited:
    launcher.spawn([sys.executable, "-I", "-S", "-c", code], env={}, log=folder / "log", cwd=folder)
    deadline = time.monotonic() + 100
    while not (left := launcher.reap()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return left[0]


def test_children_are_reaped_with_their_exit_code(tmp_path: Path) -> None:
    launcher = LocalLauncher()

    assert run(launcher, "raise SystemExit(7)", tmp_path).exit_code == 7
    assert run(launcher, "import os; os.kill(os.getpid(), 9)", tmp_path).exit_code == -9
    assert launcher.reap() == ()


def test_both_outputs_are_appended_to_a_private_log(tmp_path: Path) -> None:
    launcher = LocalLauncher()
    run(launcher, "print('one')", tmp_path)
    run(launcher, "import sys; print('two', file=sys.stderr)", tmp_path)

    log = tmp_path / "log"
    assert (log.read_text(), log.stat().st_mode & 0o777) == ("one\ntwo\n", 0o600)


def test_a_child_inherits_no_open_file_and_reads_nothing(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        code = "import os, sys; print(sorted(os.listdir('/proc/self/fd'))[:4], repr(sys.stdin.read()))"
        run(LocalLauncher(), code, tmp_path)

    assert (tmp_path / "log").read_text() == "['0', '1', '2', '3'] ''\n"


def test_the_environment_has_what_training_needs_and_no_secrets() -> None:
    ours = {
        "PATH": "/bin", "CUDA_VISIBLE_DEVICES": "1", "OMP_NUM_THREADS": "2", "HF_HOME": "/h", "LC_ALL": "C",
        "HF_TOKEN": "s", "AWS_SECRET_ACCESS_KEY": "s", "TOKENIZERS_PARALLELISM": "true", "EDITOR": "vi", "ENABLE_PACKING": "0",
    }  # fmt: skip

    found = child_environment(ours, REALM_RUN_COOKIE="c")

    found.pop("PYTHONPATH", None)  # there in a checkout that is not installed
    assert found == {
        "PATH": "/bin", "CUDA_VISIBLE_DEVICES": "1", "OMP_NUM_THREADS": "2", "HF_HOME": "/h", "LC_ALL": "C",
        "TOKENIZERS_PARALLELISM": "true", "REALM_RUN_COOKIE": "c", "ENABLE_PACKING": "0",
    }  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages, in a folder that no interpreter knows."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in ("reconciler", "state"):
        shutil.copytree(TOP / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def ask(checkout: Path, folder: Path, extra: str = "") -> str:
    """Return where a child that runs elsewhere imports our code from."""
    code = (
        "import os, sys, subprocess; from pathlib import Path\n"
        "from reconciler.act.environment import child_environment\n"
        "child = 'import reconciler; print(reconciler.__file__)'\n"
        "env = child_environment(os.environ, PYTHONSAFEPATH='1')\n"
        "print(subprocess.check_output([sys.executable, '-c', child], env=env, cwd='/', text=True).strip())\n"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": extra}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_checkout_that_runs_from_its_own_folder_is_found_by_its_children(
    checkout: Path, tmp_path: Path
) -> None:
    assert ask(checkout, tmp_path) == str(checkout / "reconciler/__init__.py")


def test_an_older_copy_elsewhere_is_not_taken_for_the_software_that_runs(
    checkout: Path, tmp_path: Path
) -> None:
    (tmp_path / "reconciler").mkdir()
    (tmp_path / "reconciler/__init__.py").touch()

    assert ask(checkout, tmp_path, extra=str(tmp_path)) == str(checkout / "reconciler/__init__.py")
