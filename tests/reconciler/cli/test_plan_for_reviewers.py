"""`plan BASE..HEAD` and `plan --format markdown`: what a reviewer sees, and nothing that could mislead one."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from reconciler.app.planning.plan_document import plan_schema
from reconciler.app.surroundings.place import Following, write_following
from state.layout import Layout

REALM = "specs/realm.yaml"


@pytest.fixture
def side(lab: Path, git) -> str:
    """A branch that switches heroes."""
    git(lab, "switch", "-qc", "side")
    (lab / REALM).write_text("id: lab\nactive: mu/campaign-001\n")
    git(lab, "commit", "-qam", "Switch")
    git(lab, "switch", "-q", "main")
    return "side"


def test_only_what_the_branch_adds_is_shown_and_what_it_takes_away_is_named(run, side: str) -> None:
    whole = json.loads(run("plan", side, "--json").stdout)
    document = json.loads(run("plan", f"main..{side}", "--json").stdout)
    jsonschema.validate(document, plan_schema())
    subjects = [(change["verb"], change["subject"]) for change in document["changes"]]
    assert ("activate", "campaign/mu/campaign-001") in subjects
    assert not any(verb == "create" for verb, _ in subjects)  # both register both campaigns
    base = document["base"]
    assert len(document["changes"]) + base["num_planned_anyway"] == len(whole["changes"])
    assert ("activate", "campaign/pip/campaign-001") in [(c["verb"], c["subject"]) for c in base["no_longer"]]
    assert document["counts"] == {"activate": 1, "generate": 1, "enqueue": 1, "launch": 1}


def test_the_text_says_with_what_it_compares(run, side: str) -> None:
    shown = run("plan", f"main..{side}").stdout
    assert "Shown is what it adds to the plan of main@" in shown
    assert "2 changes in both." in shown.replace("\n", " ")
    assert "\nNo longer done:\n  → activate  pip/campaign-001" in shown


def test_the_same_commit_adds_nothing_and_detailed_exitcode_says_so(run, side: str) -> None:
    result = run("plan", "main..HEAD", "--detailed-exitcode")
    assert (result.exit_code, "Nothing to do" in result.stdout) == (0, True)
    assert run("plan", f"main..{side}", "--detailed-exitcode").exit_code == 2


def test_with_three_dots_the_base_is_where_the_two_parted(run, lab: Path, git, side: str) -> None:
    (lab / "specs/campaigns/mu/campaign-002.yaml").write_text("id: campaign-002\n")
    git(lab, "add", "-A")
    git(lab, "commit", "-qm", "Another campaign")
    two = json.loads(run("plan", f"main..{side}", "--json").stdout)["base"]
    three = json.loads(run("plan", f"main...{side}", "--json").stdout)["base"]
    assert three["commit"] == git(lab, "merge-base", "main", side)
    created = "campaign/mu/campaign-002"
    assert created in [change["subject"] for change in two["no_longer"]]
    assert created not in [change["subject"] for change in three["no_longer"]]


@pytest.mark.parametrize(
    ("ref", "code", "message"),
    [
        ("main..", 64, '"main.." is no BASE..HEAD; as in  main..switch-to-muon'),
        ("..main", 64, "is no BASE..HEAD"),
        ("main....side", 64, "is no BASE..HEAD"),
        ("main..nope", 5, '"nope" is no branch or commit'),
        ("nope...main", 5, '"nope" is no branch or commit'),
        ("main..-x", 5, "is no name of a branch or commit"),
    ],
)
def test_a_range_that_is_none_is_said(run, side: str, ref: str, code: int, message: str) -> None:
    result = run("plan", ref)
    assert result.exit_code == code
    assert message in result.stderr


def test_histories_without_a_common_commit_are_said(run, lab: Path, git, side: str) -> None:
    git(lab, "switch", "-q", "--orphan", "island")
    git(lab, "checkout", "-q", "main", "--", "specs")
    git(lab, "commit", "-qam", "Alone")
    git(lab, "switch", "-q", "main")
    result = run("plan", "main...island")
    assert result.exit_code == 1
    assert "main and island have no commit in common" in result.stderr


MARKDOWN = """\
<!-- reconcile plan: lab -->
### lab: 1 to activate, 1 to generate, 1 to enqueue, 1 to launch, 1 waiting, 2 unchanged.
`side@{side}` beyond `main@{main}`

Cost: 2 updates, time unknown before a run like it, disk unknown before a first training.
Without it (pip/campaign-001): 1 update.
Memory of mu/campaign-001: unknown, as are the sizes of its model.

<details><summary>Every change</summary>

```diff
! → activate mu/campaign-001 no campaign was active specs/realm.yaml:2
+ generate quest q2 made by skill bin specs/queue.yaml:3
+ enqueue quest q2 for mu/campaign-001 specs/queue.yaml:3
"""


def test_the_comment_has_a_marker_the_summary_and_every_change_in_a_fence(run, lab, git, side: str) -> None:
    text = run("plan", f"main..{side}", "--format", "markdown").stdout
    commits = {name: git(lab, "rev-parse", "--short=7", name) for name in ("side", "main")}
    plain = re.sub(" +", " ", text)  # the width of the columns is for the eye
    assert plain.startswith(MARKDOWN.format(**commits))
    assert "\n# No longer done:\n- → activate pip/campaign-001" in plain
    assert text.count("```") == 2
    assert text.rstrip().endswith("`._")


def test_the_comment_warns_where_the_base_has_moved_on(run, lab: Path, git, root: Path, side: str) -> None:
    write_following(Layout(root), Following(repository=str(lab), branch="main"))
    git(lab, "commit", "-qm", "Later", "--allow-empty")
    text = run("plan", side, "--format", "markdown").stdout
    assert "> **The base has moved on:** `main` has 1 commit that this does not have" in text


def test_what_is_blocked_stands_outside_the_fold(run, lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests:\n  - {id: q, file: no/such.jsonl}\n")
    git(lab, "commit", "-qam", "A file that is not there")
    head, _, _ = run("plan", "--format", "markdown").stdout.partition("<details>")
    assert "- **Blocked** `quest/q`:" in head


def test_a_branch_cannot_write_markdown_or_html_into_the_comment(run, lab: Path, git) -> None:
    name = "x`<img/src=x>`@all"
    git(lab, "branch", name)
    (lab / "specs/queue.yaml").write_text(
        'quests:\n  - {id: q, file: "no/```</details><script>|`such`.jsonl"}\n'
    )
    git(lab, "commit", "-qam", "Odd names")
    for ref in ("HEAD", name):
        text = run("plan", ref, "--format", "markdown").stdout
        assert "<script>" not in text.partition("```diff")[0]
        assert text.count("```") == 2
        assert "`x`<img" not in text


def test_a_plan_too_long_for_a_comment_is_cut_and_says_where_the_rest_is(run, lab: Path, git) -> None:
    quests = "".join(
        f"  - {{id: q{n}, skill: bin, level: 1, count: {n + 1}, for: [pip]}}\n" for n in range(700)
    )
    (lab / "specs/queue.yaml").write_text(f"quests:\n{quests}")
    git(lab, "commit", "-qam", "Many")
    text = run("plan", "--format", "markdown").stdout
    assert len(text) < 65_536
    assert "more lines: reconcile plan HEAD\n```" in text
    assert text.count("```") == 2


def test_an_edit_of_a_quest_that_is_not_made_yet_has_its_examples_and_updates_all_the_same(
    run, lab: Path, git
) -> None:
    queue = lab / "specs/queue.yaml"
    git(lab, "switch", "-qc", "hi")
    queue.write_text(queue.read_text().replace("{id: q1,", "{id: q1, priority: high,"))
    git(lab, "commit", "-qam", "First")
    git(lab, "switch", "-q", "main")
    whole = json.loads(run("plan", "hi", "--json").stdout)

    document = json.loads(run("plan", "main..hi", "--json").stdout)

    assert "generate" not in document["counts"], "both make its content"
    shown = run("plan", "main..hi").stdout
    assert "for pip/campaign-001; priority high instead of normal" in shown
    assert "No longer done" not in shown, "it is done, only otherwise"
    assert "updates unknown" not in shown
    assert document["queue"] == whole["queue"]
    assert document["queue"]["quests"][0]["rows"] == 10
    assert document["training"]["updates"] is not None
    assert document["training"]["updates"] == whole["training"]["updates"]


def test_what_training_costs_is_told_with_what_it_would_cost_without_the_branch(run, lab: Path, git) -> None:
    """Its enqueuing is in both plans: only the launch is another."""
    git(lab, "switch", "-qc", "larger")
    hero = lab / "specs/heroes/pip.yaml"
    hero.write_text(
        hero.read_text().replace("training_defaults:", "training_defaults:\n  gradient_accumulation: 1")
    )
    git(lab, "commit", "-qam", "More updates")
    git(lab, "switch", "-q", "main")

    shown = run("plan", "main..larger").stdout

    assert "gradient_accumulation 1 instead of" in " ".join(shown.split())
    cost = next(line for line in shown.splitlines() if line.startswith("Cost: "))
    without = next(line for line in shown.splitlines() if line.startswith("Without it: "))
    assert cost.split()[1:3] != without.split()[2:4]
    assert "Without it: " in run("proposals").stdout


@pytest.mark.parametrize("is_added", [True, False], ids=["adds", "takes away"])
def test_a_branch_that_only_adds_or_takes_away_a_release_shows_what_that_costs(
    run, lab: Path, git, *, is_added: bool
) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    more = "warmup_steps: 1, checkpoint: {every_updates: 2}, batch_size: 1, gradient_accumulation: 1"
    before = f"id: campaign-001\nconfig_overrides: {{{more}}}\n"
    texts = [before, f"{before}releases: [{{at: 2, updates: 3}}]\n"]
    for text, branch in zip(texts if is_added else reversed(texts), ("first", "then"), strict=True):
        git(lab, "switch", "-qc", branch)
        spec.write_text(text)
        git(lab, "commit", "-qam", branch)

    document = json.loads(run("plan", "first..then", "--json").stdout)

    jsonschema.validate(document, plan_schema())
    assert document["changes"] == []
    with_it, without = (document["training"], document["base"]["training"])[:: 1 if is_added else -1]
    assert [(one["at"], one["updates"]) for one in with_it["releases"]] == [(2, 3)]
    assert (without["releases"], with_it["updates"] - without["updates"]) == ([], 3)
    shown = run("plan", "first..then").stdout
    assert f"Cost: {document['training']['updates']} updates" in shown
    assert f"Without it: {document['base']['training']['updates']} updates" in shown
    assert ("release at step 2: 3 updates" in shown) == is_added


def test_a_branch_that_changes_nothing_of_releases_shows_no_cost(run, lab: Path, git) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text(f"{spec.read_text()}releases: [{{at: 2, updates: 3}}]\n")
    git(lab, "commit", "-qam", "a release")
    git(lab, "switch", "-qc", "notes")
    spec.write_text(f"# for people\n{spec.read_text()}")
    git(lab, "commit", "-qam", "a note")
    assert json.loads(run("plan", "main..notes", "--json").stdout)["training"] is None


def test_a_branch_cannot_bring_a_link_or_an_image_into_the_comment(run, lab: Path, git) -> None:
    evil = "![p](https://evil.example/p.png) [go](https://evil.example) www.evil.example #7 ~~no~~"
    (lab / REALM).write_text(
        f'id: lab\nactive: pip/campaign-001\nsuspend: {{reason: "{evil}", until: 2999-01-01}}\n'
    )
    git(lab, "commit", "-qam", "Odd words")
    head, _, _ = run("plan", "--format", "markdown").stdout.partition("<details>")
    said = next(line for line in head.splitlines() if "suspended" in line)
    assert "\\!\\[p\\](https:<!-- -->//evil" in said
    assert not re.search(r"(?<!\\)[][!~]|://|www\.|#\d", said.replace("<!-- -->", " "))


def test_a_comment_has_room_for_messages_of_any_length(run, lab: Path, git) -> None:
    """Else the host refuses it, and that of an earlier push stays as if it were this one's."""
    files = "".join(f'  - {{id: q{n}, file: "{"@" * 3_900}{n}.jsonl"}}\n' for n in range(6))
    (lab / "specs/queue.yaml").write_text(f"quests:\n{files}")
    git(lab, "commit", "-qam", "Long names")
    text = run("plan", "--format", "markdown").stdout
    assert len(text) < 65_536
    assert text.count("**Blocked**") == 5
