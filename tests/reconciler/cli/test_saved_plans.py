"""`plan --out` and `apply FILE`: just what was seen, or nothing; only what is related makes it stale."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import msgspec
import pytest

from reconciler.plan.review.saved import SavedPlan, saved_plan_schema, with_digest

NO_WORK = "quests: []\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


@pytest.fixture
def resting(lab: Path, git: Callable[..., str], run) -> Callable[..., None]:
    """Commit specs, so that nothing trains; the realm itself is made with them by the first apply."""

    def commit(**texts: str) -> None:
        for name, text in {"queue": NO_WORK, **texts}.items():
            path = lab / "specs" / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(lab, "add", ".")
        git(lab, "commit", "-qm", "Specs", "--allow-empty")

    return commit


def all_bytes(root: Path) -> dict[str, str]:
    """Return every file below a root with the digest of its bytes."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def forge(file: Path, **changes: object) -> None:
    """Write the saved plan with other values and the digest that fits them."""
    saved = msgspec.json.decode(file.read_bytes(), type=SavedPlan)
    file.write_bytes(msgspec.json.encode(with_digest(msgspec.structs.replace(saved, **changes))))


def test_a_saved_plan_is_done_as_it_was_seen_and_then_is_done(run, resting, root: Path, file: Path) -> None:
    resting()
    planned = run("plan", "--out", str(file))
    assert planned.exit_code == 0
    assert f"do just these:  reconcile apply {file}" in planned.stderr
    assert f"Do it:  reconcile apply {file}" in planned.stdout
    assert not root.exists()
    document = json.loads(file.read_text())
    jsonschema.validate(document, saved_plan_schema())
    done = run("apply", str(file))
    assert done.exit_code == 0, done.stderr
    assert "✓ activate   pip/campaign-001" in done.stdout
    many = len(document["changes"])
    assert f"Done: {many} of {many} changes of {file}.\nGo on from here:  reconcile apply\n" in done.stdout
    assert run("plan", "--detailed-exitcode").exit_code == 0
    again = run("apply", str(file))
    assert again.exit_code == 0
    assert "✓" not in again.stdout
    assert f"Nothing of {file} is left to do: it was done before." in again.stdout


def test_an_unrelated_commit_does_not_make_it_stale_and_is_not_done_either(
    run, resting, root: Path, file: Path
) -> None:
    resting()
    assert run("apply", "--until-converged").exit_code == 0
    resting(realm="id: lab\nactive: mu/campaign-001\n")
    assert run("plan", "--out", str(file)).exit_code == 0
    resting(**{"campaigns__pip__campaign-002": "id: campaign-002\n"})
    done = run("apply", str(file))
    assert done.exit_code == 0, done.stderr
    assert "activate" in done.stdout
    assert "campaign-002" not in done.stdout
    assert "create  campaign pip/campaign-002" in run("plan").stdout
    assert json.loads(run("status", "--json").stdout)["applied_commit"] is not None


def test_a_related_commit_makes_it_stale_by_the_objects_name_and_nothing_is_written(
    run, resting, root: Path, file: Path
) -> None:
    resting()
    assert run("apply", "--until-converged").exit_code == 0
    resting(realm="id: lab\nactive: mu/campaign-001\n")
    run("plan", "--out", str(file))
    resting(realm="id: lab\n")
    before = all_bytes(root)
    refused = run("apply", str(file))
    assert refused.exit_code == 3
    assert f"{file} is stale, and nothing of it was done" in refused.stderr
    assert "campaign/mu/campaign-001: activate mu/campaign-001: nothing is to be done" in refused.stderr
    assert all_bytes(root) == before


def test_a_person_s_pause_of_the_campaign_makes_it_stale(run, resting, root: Path, file: Path) -> None:
    resting()
    assert run("apply", "--until-converged").exit_code == 0
    resting(realm="id: lab\nactive: mu/campaign-001\n")
    run("plan", "--out", str(file))
    assert run("pause", "mu/campaign-001", "--why", "too warm").exit_code == 0
    refused = run("apply", str(file))
    assert refused.exit_code == 3
    assert "campaign/mu/campaign-001: a pause or stop was none, and is pause" in refused.stderr


def test_a_plan_of_another_realm_is_refused_by_name(
    run, resting, root: Path, file: Path, tmp_path: Path
) -> None:
    resting()
    run("plan", "--out", str(file))
    elsewhere = tmp_path / "elsewhere"
    refused = run("apply", str(file), "--root", str(elsewhere))
    assert refused.exit_code == 1
    assert f"a plan of realm lab at {root} (uid " in refused.stderr
    assert f"and this is lab at {elsewhere}" in refused.stderr
    assert not elsewhere.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("pip", "pup", 1), "was changed since it was written: its digest does not fit"),
        (lambda text: text.replace('"schema_version":1', '"schema_version":0'), "of an older version (0; expected 1)"),
        (lambda text: text.replace('"schema_version":1', '"schema_version":2'), "of a newer version (2; expected 1)"),
        (lambda _: '{"schema_version": 1, "ref": "HEAD"}', "this is what `plan --json` prints"),
        (lambda _: '{"schema_version": 1}', "this is no saved plan"),
        (lambda text: text[: len(text) // 2], "no saved plan that this version can read"),
        (lambda _: "[" * 100_000, "no saved plan that this version can read"),
    ],
    ids=["tampered", "older", "newer", "a document", "something else", "cut short", "deep"],
)  # fmt: skip
def test_what_is_no_whole_plan_of_this_version_is_refused_by_name(
    run, resting, root: Path, file: Path, change: Callable[[str], str], said: str
) -> None:
    resting()
    run("plan", "--out", str(file))
    text = file.read_text()
    compact = msgspec.json.encode(json.loads(text)).decode()
    assert change(compact) != compact
    file.write_text(change(compact))
    refused = run("apply", str(file))
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert not root.exists()


def test_a_forged_plan_can_do_nothing_that_the_specs_do_not_ask_for(
    run, resting, root: Path, file: Path
) -> None:
    resting()
    run("plan", "--out", str(file))
    saved = msgspec.json.decode(file.read_bytes(), type=SavedPlan)
    wish = msgspec.structs.replace(saved.changes[0], effect="sha256:" + "0" * 64, words="delete everything")
    forge(file, changes=(*saved.changes, wish))
    refused = run("apply", str(file))
    assert refused.exit_code == 3
    assert "delete everything: now it would be: create campaign" in refused.stderr
    assert not root.exists()


def test_what_is_planned_otherwise_now_is_not_told_to_be_the_same(
    run, resting, root: Path, file: Path
) -> None:
    resting()
    run("plan", "--out", str(file))
    saved = msgspec.json.decode(file.read_bytes(), type=SavedPlan)
    forge(file, changes=(msgspec.structs.replace(saved.changes[0], effect="sha256:" + "0" * 64),))
    refused = run("apply", str(file))
    assert refused.exit_code == 3
    assert f"{saved.changes[0].words}: now it would be done in another way, or for another" in refused.stderr


def test_a_plan_of_what_apply_does_not_follow_says_which_commit_is_followed(
    run, resting, lab: Path, git, file: Path
) -> None:
    resting()
    assert run("apply", "--until-converged").exit_code == 0
    git(lab, "switch", "-qc", "switch-to-mu")
    resting(realm="id: lab\nactive: mu/campaign-001\n")
    run("plan", "--out", str(file))
    refused = run("apply", str(file))
    assert refused.exit_code == 3
    assert "of switch-to-mu@" in refused.stderr
    assert "now main@" in refused.stderr


def test_only_a_part_is_saved_and_done(run, resting, root: Path, file: Path) -> None:
    resting()
    run("plan", "--only", "campaign/mu/*", "--out", str(file))
    done = run("apply", str(file))
    assert done.exit_code == 0
    assert "campaign mu/campaign-001" in done.stdout
    assert "pip" not in done.stdout
    assert json.loads(run("status", "--json").stdout)["applied_commit"] is None


def test_a_change_that_needs_something_that_nobody_saw_is_stale(run, resting, root: Path, file: Path) -> None:
    resting()
    run("plan", "--out", str(file))
    saved = msgspec.json.decode(file.read_bytes(), type=SavedPlan)
    forge(file, changes=tuple(one for one in saved.changes if not one.words.startswith("create")))
    refused = run("apply", str(file))
    assert refused.exit_code == 3
    assert "needs now, too: create campaign pip/campaign-001" in refused.stderr


def test_apply_with_only_leaves_when_that_is_done_and_what_is_left_out_stays_planned(run, resting) -> None:
    resting()
    done = run("apply", "--until-converged", "--only", "mu/campaign-001")
    assert done.exit_code == 0, done.stderr
    assert "campaign mu/campaign-001" in done.stdout
    assert "Converged" not in done.stdout
    assert "activate  pip/campaign-001" in run("plan").stdout


def test_a_plan_says_how_many_changes_it_leaves_out_and_names_slips(run, resting) -> None:
    resting()
    shown = run("plan", "--only", "quets/*")
    assert "fits nothing of this plan; it is about: campaign/mu/campaign-001" in " ".join(
        shown.stdout.split()
    )
    assert "Nothing to do: 2 unchanged, 3 left out." in shown.stdout or "left out" in shown.stdout
    assert json.loads(run("plan", "--only", "quets/*", "--json").stdout)["num_left_out"] == 3


@pytest.mark.parametrize(
    "words",
    [
        ["apply", "plan.json", "--until-converged"],
        ["apply", "plan.json", "--only", "x"],
        ["apply", "plan.json", "--set", "learning_rate=1"],
        ["plan", "--worktree", "--out", "plan.json"],
        ["plan", "main..HEAD", "--out", "plan.json"],
        ["plan", "main..HEAD", "--only", "x"],
    ],
)
def test_words_that_do_not_fit_together_are_refused(run, words: list[str]) -> None:
    assert run(*words).exit_code == 64
