"""Everything that a command prints fits 80 columns without a terminal, unless --wide asks for all of it."""

import re
from pathlib import Path

import pytest

from reconciler.app.looking.get import KINDS
from reconciler.cli.session import Session
from reconciler.cli.text_layout import columns

HERO = "a-hero-with-a-long-name"
CAMPAIGN = f"{HERO}/campaign-001"


@pytest.fixture
def long_names(run, store, rows):
    """A realm whose campaign has a long name, with runs, jobs, checkpoints and something in the trash."""
    message = "the loss is not finite at update 90 of quest a-quest-with-a-long-name, in row 7"
    store.write(
        [
            rows.campaign(name=CAMPAIGN),
            rows.run(device="NVIDIA RTX 6000 Ada", end="failed", message=message, failure_class="diverged"),
            rows.job(hero_id=HERO, quest_id="a-quest-with-a-long-name", status="failed", last_error=message),
            rows.ledger(),
            rows.trash(campaign=CAMPAIGN),
        ]
    )
    return run


COMMANDS = [
    *(("get", kind) for kind in KINDS),
    ("get", "checkpoints", "--summary"),
    ("history",),
    ("status",),
    ("plan",),
    ("explain", CAMPAIGN),
    ("explain", "pip/campaign-001", "--origin"),
    ("diff", "pip/campaign-001", "mu/campaign-001"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_line_is_wider_than_80_columns(long_names, root: Path, command: tuple[str, ...]) -> None:
    result = long_names(*command)
    assert (result.exit_code, result.stderr) == (0, "")
    wide = [line for line in result.stdout.splitlines() if columns(line) > 80]
    assert [line for line in wide if str(root) not in line] == []  # what is to be copied stays whole


TOLD = [
    *(("get", kind) for kind in ("campaigns", "checkpoints", "quests", "jobs", "runs", "trash")),
    ("history",),
    ("status",),
    ("plan",),
    ("plan", "main..edits"),
    ("plan", "--until", "7d"),
    ("proposals",),
    ("doctor",),
    ("diff", "pip/campaign-001", "mu/campaign-001"),
    *(
        ("explain", thing)
        for thing in (CAMPAIGN, "pip/campaign-001", "quest/q1", "hero/pip", "skill/bin", "realm", "queue")
    ),
]


@pytest.fixture
def branches(lab: Path, git) -> None:
    """A branch that edits what main has, too, and one with mistakes."""
    queue = lab / "specs/queue.yaml"
    before = queue.read_text()
    git(lab, "switch", "-qc", "edits")
    queue.write_text(before.replace("id: q1,", "id: q1, priority: high, epochs: 3,"))
    git(lab, "commit", "-qam", "Twice as often and before all others, so that it is known")
    git(lab, "switch", "-qc", "broken", "main")
    queue.write_text(before.replace("skill: bin", "skil: bin"))
    git(lab, "commit", "-qam", "Mistakes")
    git(lab, "switch", "-q", "main")
    git(lab, "commit", "-q", "--allow-empty", "-m", "Since then")


@pytest.mark.parametrize("command", TOLD, ids=" ".join)
def test_a_terminal_of_40_columns_has_no_wider_line_but_of_what_is_to_be_copied(
    long_names, branches: None, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(Session, "width", 40)
    result = long_names(*command)
    assert (result.exit_code, result.stderr) == (0, "")
    wide = [line for line in result.stdout.splitlines() if columns(line) > 40]
    assert [line for line in wide if not re.search(r"\S{20}|reconcile [a-z-]+ ", line)] == []


def test_wide_shows_every_column_and_a_row_a_line(long_names) -> None:
    header, row = long_names("get", "runs", "--wide").stdout.splitlines()
    assert header.split()[:4] == ["RUN", "LAUNCHED", "(UTC)", "DEVICE"]
    assert row.startswith(f"{CAMPAIGN}/g1-a1  2026-01-31 12:00  NVIDIA RTX 6000 Ada")


def test_a_listing_of_campaigns_shows_at_80_columns_what_each_is_like_and_why(long_names) -> None:
    header, *rows, left_out = long_names("get", "campaigns").stdout.splitlines()
    assert header.split() == ["CAMPAIGN", "STATE", "SYNCED", "HEALTHY", "REASON"]
    assert left_out == "no room for step, goal: see --wide or --json"
    assert [row.split()[-1] for row in rows] == ["failed", "new", "new"]
