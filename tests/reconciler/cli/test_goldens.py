"""What people read, as a whole: plan, status, history, mistakes and the comment under a pull request.

A real realm with a fixed clock, in 80 columns, with and without colour; `␛` stands for the escape character.
After a change that is meant: WRITE_GOLDENS=1 pytest tests/reconciler/cli/test_goldens.py, and read the diff.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.app.checking.validate import validate
from reconciler.app.looking.history import history
from reconciler.app.looking.status import status_of
from reconciler.app.planning.look import View
from reconciler.app.planning.plan_document import document_of
from reconciler.app.planning.snapshots import look_at_snapshot, observe
from reconciler.app.surroundings.environment import current_environment
from reconciler.app.surroundings.place import Options
from reconciler.cli.text_get import history_text
from reconciler.cli.text_layout import Paint, columns, harmless
from reconciler.cli.text_markdown import plan_markdown
from reconciler.cli.text_plan import plan_text
from reconciler.cli.text_status import status_text
from reconciler.cli.text_validate import validation_text
from reconciler.observed.machine_records import DiskFacts, GpuInventory

WIDTH = 80
FOLDER = Path(__file__).parent / "goldens"
WRITES = bool(os.environ.get("WRITE_GOLDENS"))
CLOCK = "2026-01-31T14:02:11Z"
MISTAKES = {
    "specs/campaigns/pip/campaign-001.yaml": (
        "id: campaign-001\nskills_focus: [binn]\nconfig_overrides:\n  learning_rate: 2.0e+3\n  warmup: 3\n"
    ),
    "specs/realm.yaml": "id: lab\nactive: pip/campaign-01\n",
}


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, root: Path) -> Options:
    """A realm with a campaign that has trained, dropped a checkpoint and has more to do; one is new."""
    for whose in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{whose}_DATE", CLOCK)
    lab, store, rows = (request.getfixturevalue(name) for name in ("lab", "store", "rows"))
    failed = {"end": "failed", "message": "loss is not finite at update 90", "failure_class": "diverged"}
    store.write(
        [
            rows.run(),
            rows.run(attempt=2, resume_step=125, final_step=90, **failed, launched_at="2026-01-31T13:00:00Z"),
            rows.job(),
            rows.ledger(),
            rows.trash(),
        ]
    )
    return Options(repository=lab, root=root)


@pytest.fixture
def view(options: Options) -> View:
    """The realm as it would be seen on a quiet machine without a GPU."""
    seen = observe(current_environment(), options)
    disk = DiskFacts(
        root="/srv/realm/lab", exists=True, readable=True, writable=True, free_bytes=73_800_000_000,
        total_bytes=200_000_000_000, work_tree=None, file_system="ext4", is_network=False,
    )  # fmt: skip
    facts = replace(seen.facts, disk=disk, gpus=GpuInventory(gpus=(), source="none"))
    snapshot = replace(seen, root=disk.root, machine="box", seen_at=CLOCK, facts=facts)
    return look_at_snapshot(replace(current_environment(), now=lambda: CLOCK), options, snapshot, "HEAD")


def assert_as_golden(name: str, shown: str, width: int | None = WIDTH) -> None:
    """Compare what is shown with the golden file, once it is known to be harmless and narrow enough."""
    plain = re.sub("\x1b\\[[0-9;]*m", "", shown)
    assert harmless(shown) == shown
    assert width is None or [line for line in plain.splitlines() if columns(line) > width] == []
    assert [line for line in plain.splitlines() if line != line.rstrip()] == []
    file, text = FOLDER / name, shown.replace("\x1b", "␛") + "\n"
    if WRITES:
        file.write_text(text)
    assert text == file.read_text()


Render = Callable[[View, Options, Paint], str]
SHOWN: dict[str, Render] = {
    "plan": lambda view, _, paint: plan_text(document_of(view), WIDTH, paint),
    "status": lambda view, _, paint: status_text(status_of(view), WIDTH, paint),
    "history": lambda _, options, paint: history_text(history(current_environment(), options), WIDTH, paint),
}


@pytest.mark.parametrize("colours", [False, True], ids=["plain", "colours"])
@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_in_80_columns_is_as_it_was(
    view: View, options: Options, name: str, colours: bool
) -> None:
    assert_as_golden(
        f"{name}{'.colours' if colours else ''}.txt", SHOWN[name](view, options, Paint(on=colours))
    )


@pytest.mark.parametrize("colours", [False, True], ids=["plain", "colours"])
def test_mistakes_are_told_as_they_were(options: Options, colours: bool) -> None:
    for path, text in MISTAKES.items():
        assert options.repository is not None
        (options.repository / path).write_text(text)
    found = validate(current_environment(), options)
    assert_as_golden(
        f"mistakes{'.colours' if colours else ''}.txt", validation_text(found, Paint(on=colours))
    )


def test_the_comment_under_a_pull_request_is_as_it_was(view: View) -> None:
    comment = plan_markdown(document_of(view)).rstrip("\n")
    fence = comment.partition("```diff\n")[2].partition("```")[0]
    assert max(map(columns, fence.splitlines())) <= WIDTH
    comment = re.sub("sha256:[0-9a-f]{12}", "sha256:...", comment)  # of all that there is, versions too
    assert_as_golden("comment.md", comment, width=None)  # a forge folds what stands outside the fence
