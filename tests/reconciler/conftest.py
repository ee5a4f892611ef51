"""What tests of the reconciler share: git as somebody, a hero's text, a specs repository with one commit."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # import older_root

IDENTITY = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
HERO = """\
id: pip
model: {init: scratch, tokenizer: bytes, family: qwen3, architecture: Qwen3ForCausalLM, vocab_size: 320,
  context_length: 512, config: {hidden_size: 16}}
training_defaults:
  learning_rate: 2.0e-3
  max_length: 256
"""


@pytest.fixture(scope="session")
def git() -> Callable[..., str]:
    """Run git in a folder and return what it printed, without white space at the ends."""

    def run(folder: Path, *arguments: str) -> str:
        command = ["git", "-C", str(folder), *IDENTITY, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return run


@pytest.fixture(scope="session")
def hero_text() -> str:
    """Return the spec of a small hero named pip; its learning_rate is in line 5, its max_length in line 6."""
    return HERO


@pytest.fixture
def repository_of(tmp_path: Path, git: Callable[..., str]) -> Callable[..., Path]:
    """Make the repository `lab` with some files in one commit on main."""

    def make(files: Mapping[str, str], *init: str) -> Path:
        top = tmp_path / "lab"
        top.mkdir()
        git(top, "init", "-q", "-b", "main", *init)
        for path, text in files.items():
            file = top / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        git(top, "add", ".")
        git(top, "commit", "-q", "-m", "first")
        return top

    return make
