"""`plan`: text at 80 columns, JSON that keeps to its schema, exit codes, and what is said about commits."""

import json
import os
from pathlib import Path

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from reconciler.app.planning.plan_document import plan_schema
from reconciler.app.surroundings.place import Following, write_following
from reconciler.cli.text_layout import PLAIN
from reconciler.cli.text_plan import Layout as PlanLayout
from reconciler.cli.text_plan import Line
from state.layout import Layout
from state.lock import hold_lock

FIRST_PLAN = """\
  + create    campaign mu/campaign-001   new in the specs
              specs/campaigns/mu/campaign-001.yaml:1
  + create    campaign pip/campaign-001  new in the specs
              specs/campaigns/pip/campaign-001.yaml:1
  → activate  pip/campaign-001  no campaign was active  specs/realm.yaml:2
  + generate  quest q1                   made by skill bin  specs/queue.yaml:2
  + enqueue   quest q1  for pip/campaign-001  specs/queue.yaml:2
"""


def test_a_first_plan_says_what_where_and_why(run, root: Path) -> None:
    result = run("plan")
    assert result.exit_code == 0
    assert result.stdout.startswith("lab   main@")
    assert f"There is no root yet; apply creates it: {root} " in " ".join(result.stdout.split())
    assert FIRST_PLAN in result.stdout
    assert "  … waits     quest/q2" in result.stdout
    assert "Legend: + create/generate/enqueue/launch, → move, … waits for its turn\n" in result.stdout
    assert (
        "Plan: 2 to create, 1 to activate, 1 to generate, 1 to enqueue, 1 to launch,\n1 waiting, 2 unchanged.\n"
        in result.stdout
    )
    assert "Do it:  reconcile apply" in result.stdout


def test_a_plan_writes_nothing_and_says_the_same_twice(run, root: Path, lab: Path) -> None:
    def without_time(text: str) -> list[str]:
        return text.splitlines()[1:]

    before = sorted(path for path in lab.rglob("*") if path.is_file())
    first, second = run("plan").stdout, run("plan").stdout
    assert without_time(first) == without_time(second)
    assert not root.exists()
    assert sorted(path for path in lab.rglob("*") if path.is_file()) == before


def test_detailed_exitcode_tells_changes_from_none(run) -> None:
    assert run("plan").exit_code == 0
    assert run("plan", "--detailed-exitcode").exit_code == 2


def test_json_keeps_to_its_schema_and_counts_what_the_text_counts(run) -> None:
    document = json.loads(run("plan", "--json").stdout)
    jsonschema.validate(document, plan_schema())
    assert document["schema_version"] == 1
    assert document["counts"] == {"create": 2, "activate": 1, "generate": 1, "enqueue": 1, "launch": 1}
    assert [change["action"]["action"] for change in document["changes"]][-1] == "LaunchRun"
    assert document["waits"][0]["subject"] == "quest/q2"


def test_uncommitted_files_are_named_and_not_applied(run, lab: Path) -> None:
    (lab / "specs/realm.yaml").write_text("id: other\nactive: pip/campaign-001\n")
    result = run("plan")
    assert "Not committed, so not applied: specs/realm.yaml\n" in result.stdout
    assert result.stdout.startswith("lab   ")


def test_worktree_previews_the_files_and_says_so(run, lab: Path) -> None:
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: mu/campaign-001\n")
    result = run("plan", "--worktree")
    assert result.stdout.startswith("lab   the work tree on main@")
    assert "This is a preview of the files in the work tree; apply follows commits." in result.stdout
    assert "→ activate  mu/campaign-001" in result.stdout
    assert "Commit it, then:  reconcile apply" in result.stdout


def test_a_branch_that_apply_does_not_follow_is_named_with_what_it_is_ahead_of(
    run, lab: Path, root: Path, git
) -> None:
    write_following(Layout(root), Following(repository=str(lab), branch="main"))
    git(lab, "switch", "-q", "-c", "switch-to-mu")
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: mu/campaign-001\n")
    git(lab, "commit", "-qam", "switch")
    git(lab, "switch", "-q", "main")
    result = run("plan", "switch-to-mu")
    assert ", 1 commit ahead of main@" in result.stdout
    assert "This is not what apply follows: main@" in result.stdout
    assert "Merge it into main, then:  reconcile apply" in result.stdout


def test_a_commit_that_the_branch_has_already_is_not_to_be_merged(run, lab: Path, root: Path, git) -> None:
    root.mkdir()
    write_following(Layout(root), Following(repository=str(lab), branch="main"))
    older = git(lab, "rev-parse", "HEAD")[:7]
    git(lab, "commit", "-q", "--allow-empty", "-m", "newer")
    text = run("plan", older).stdout
    assert "Merge it" not in text
    assert (
        f"Nothing to merge: main has this commit already. To go back to it:\n  git revert {older}..main\n"
        in text
    )


def test_a_preview_does_not_point_to_an_explanation_of_what_is_checked_out(run, lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: [{id: q2, file: missing.jsonl, for: [pip]}]\n")
    git(lab, "commit", "-qam", "a file that is not there")
    assert "reconcile explain quest/q2" in run("plan").stdout
    assert "reconcile explain" not in run("plan", "--worktree").stdout
    git(lab, "branch", "other")
    assert "reconcile explain" not in run("plan", "other").stdout


def test_a_ref_that_nothing_has_exits_5(run) -> None:
    for arguments in (("plan", "nope"), ("validate", "--ref", "nope")):
        result = run(*arguments)
        assert (result.exit_code, '"nope" is no branch or commit; branches: main' in result.stderr) == (
            5,
            True,
        )


def test_before_the_first_apply_another_branch_is_not_what_apply_would_follow(run, lab: Path, git) -> None:
    git(lab, "branch", "other")
    text = run("plan", "other").stdout
    assert "Apply follows the branch that is checked out when it first runs.\n" in text
    assert "Merge it, then:  reconcile apply" in text
    git(lab, "switch", "-q", "--detach")
    assert "Apply follows the branch that is checked out" in " ".join(run("plan").stdout.split())


def test_hostile_names_never_reach_a_terminal_raw(run, lab: Path) -> None:
    (lab / "specs" / "a\x1b[31mb.yaml").write_text("x")
    result = run("plan")
    assert "\x1b" not in result.output
    assert "a\\x1b[31mb.yaml" in result.stdout


def test_a_model_that_is_not_there_is_counted_once(run, lab: Path, git, hero_text: str) -> None:
    text = hero_text.replace("init: scratch, tokenizer: bytes", "hf_name: some/model")
    text = text.replace(", config: {hidden_size: 16}", "")
    (lab / "specs/heroes/pip.yaml").write_text(text)
    git(lab, "commit", "-qam", "a model from elsewhere")
    seen = json.loads(run("plan", "--json").stdout)["blocked"]
    assert {item["code"] for item in seen} == {"model-missing", "hero-blocked"}
    assert " 1 blocked, " in " ".join(run("plan").stdout.split())
    assert json.loads(run("status", "--json").stdout)["num_blocked"] == 1


def test_quiet_leaves_out_legend_and_hints(run) -> None:
    text = run("plan", "-q").stdout
    assert "Legend" not in text
    plan, *cost = text.rstrip().splitlines()[-4:]
    assert plan.endswith(" unchanged.")
    assert cost == [
        "Cost: 1 update, time unknown before a run like it,",
        "disk unknown before a first training.",
        "Memory of pip/campaign-001: unknown, as are the sizes of its model.",
    ]


def test_the_shipped_schema_of_the_plan_is_the_one_that_is_made(request) -> None:
    shipped = Path(__file__).resolve().parents[3] / "schemas" / "plan.schema.json"
    assert json.loads(shipped.read_text()) == json.loads(json.dumps(plan_schema()))


def test_one_long_row_is_folded_and_the_others_stay_in_columns() -> None:
    lines = [
        Line("+", "create", "campaign a/b", "new", "specs/a.yaml:1"),
        Line("!", "blocked", "quest/q", "waits " * 20 + "long", "specs/queue.yaml:9"),
        Line("~", "stop", "run a/b", "not active", "specs/realm.yaml:3"),
    ]
    layout = PlanLayout(lines, 80)
    shown = [layout.render(line, PLAIN) for line in lines]
    assert shown[0] == "  + create   campaign a/b  new         specs/a.yaml:1"
    assert shown[2] == "  ~ stop     run a/b       not active  specs/realm.yaml:3"
    assert shown[1].splitlines()[0] == "  ! blocked  quest/q"
    assert len(shown[1].splitlines()) > 2


@given(
    st.lists(st.tuples(*[st.text("ab ", max_size=60)] * 3), max_size=6),
    st.integers(60, 120),
)
def test_no_row_of_a_plan_is_wider_than_the_terminal_but_for_one_long_word(rows, width: int) -> None:
    lines = [Line("+", "create", *map(str.strip, row)) for row in rows]
    layout = PlanLayout(lines, width)
    for line in lines:
        for text in layout.render(line, PLAIN).splitlines():
            words = max(len(line.thing), len(line.where), *map(len, line.detail.split(" ")))
            assert len(text) <= max(width, 12 + words)


def test_a_plan_beside_a_running_apply_says_who_will_do_it(run, root: Path) -> None:
    with hold_lock(Layout(root).lock, command="reconcile apply", since="2026-01-31T12:00:00Z"):
        text = run("plan").stdout
        document = json.loads(run("plan", "--json").stdout)
    assert f"The apply that runs (pid {os.getpid()} on " in text
    assert ", since 2026-01-31 12:00 UTC) does it in its next tick." in " ".join(text.split())
    assert "Do it:" not in text
    assert document["reconciler"]["pid"] == os.getpid()
    assert "Do it:  reconcile apply" in run("plan").stdout


def test_what_does_it_has_the_settings_that_the_plan_was_made_with(run, root: Path, lab: Path) -> None:
    text = run("plan", "--repo", str(lab), "--root", str(root), "--set", "learning_rate=1e-4").stdout
    assert f"Do it:  reconcile apply --repo {lab} --root {root} --set learning_rate=1e-4" in text
