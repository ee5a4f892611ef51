"""A rename is one in a linked work tree, and in a clone that lacks history or files: never a deletion and a new one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli.group import reconcile

Git = Callable[..., str]
NEW = "pip/first-light"


@pytest.fixture
def clone(lab: Path, git: Git, tmp_path: Path) -> Callable[..., Path]:
    """Clone the lab as somebody does who wants less than all of it."""

    def make(*how: str) -> Path:
        git(lab, "config", "uploadpack.allowFilter", "true")
        git(lab, "config", "uploadpack.allowAnySHA1InWant", "true")
        there = tmp_path / "clone"
        git(tmp_path, "clone", "-q", *how, f"file://{lab}", str(there))
        return there

    return make


@pytest.fixture
def there(root: Path) -> Callable[..., Result]:
    """Run the command in another repository, with the root."""

    def call(repository: Path, *words: str) -> Result:
        where = {"REALM_REPO": str(repository), "REALM_ROOT": str(root)}
        return CliRunner().invoke(reconcile, words, env=where, prog_name="reconcile")

    return call


def begin(there, repository: Path, root: Path, publish) -> None:
    """Let a campaign save a checkpoint, by the specs of a clone."""
    assert there(repository, "apply", "--until-converged").exit_code == 0
    publish(root / "campaigns/pip/campaign-001/checkpoints", 7)
    assert there(repository, "apply", "--once").exit_code == 0


def created_or_renamed(result: Result) -> list[tuple[str, str]]:
    assert result.exit_code == 0, result.stderr
    changes = json.loads(result.stdout)["changes"]
    return [(one["verb"], one["subject"]) for one in changes if one["verb"] in ("create", "rename")]


def fetch_the_newest(git: Git, shallow: Path) -> None:
    git(shallow, "fetch", "-q", "--depth", "1")
    git(shallow, "reset", "-q", "--hard", "origin/main")


@pytest.fixture
def quiet(lab: Path, git: Git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")


@pytest.mark.usefixtures("quiet")
def test_in_a_linked_work_tree_a_rename_is_seen_as_in_the_main_one(
    there, lab: Path, git: Git, root: Path, publish, renamed, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    git(lab, "worktree", "add", "-q", "-b", "side", str(linked))
    begin(there, linked, root, publish)
    renamed()
    git(linked, "merge", "-q", "main")
    assert created_or_renamed(there(linked, "plan", "--json")) == [("rename", f"campaign/{NEW}")]
    assert there(linked, "apply", "--until-converged").exit_code == 0
    assert [path.name for path in (root / "campaigns/pip").iterdir()] == ["campaign-001"]


@pytest.mark.usefixtures("quiet")
def test_in_a_linked_work_tree_a_rename_that_is_not_committed_is_previewed(
    there, lab: Path, git: Git, root: Path, publish, tmp_path: Path
) -> None:
    begin(there, lab, root, publish)
    linked = tmp_path / "linked"
    git(lab, "worktree", "add", "-q", "-b", "side", str(linked))
    folder = linked / "specs/campaigns/pip"
    text = (folder / "campaign-001.yaml").read_text()
    (folder / "campaign-001.yaml").unlink()
    (folder / "first-light.yaml").write_text(text.replace("id: campaign-001", "id: first-light"))
    (linked / "specs/realm.yaml").write_text(f"id: lab\nactive: {NEW}\n")
    planned = there(linked, "plan", "--worktree", "--json")
    assert created_or_renamed(planned) == [("rename", f"campaign/{NEW}")]


@pytest.mark.usefixtures("quiet")
def test_a_shallow_clone_sees_every_rename_that_came_with_commits_it_lacks(
    there, lab: Path, git: Git, root: Path, publish, renamed, clone
) -> None:
    text = "id: campaign-002\nname: Second\ndescription: the second one of them\n"
    (lab / "specs/campaigns/pip/campaign-002.yaml").write_text(text)
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "a second one")
    shallow = clone("--depth", "1")
    begin(there, shallow, root, publish)
    renamed(old="campaign-002", new="dusk")
    renamed()
    fetch_the_newest(git, shallow)
    seen = created_or_renamed(there(shallow, "plan", "--json"))
    assert seen == [("rename", "campaign/pip/dusk"), ("rename", f"campaign/{NEW}")]
    assert there(shallow, "apply", "--until-converged").exit_code == 0
    assert sorted(path.name for path in (root / "campaigns/pip").iterdir()) == [
        "campaign-001",
        "campaign-002",
    ]


@pytest.mark.usefixtures("quiet")
def test_a_shallow_clone_that_threw_the_older_commit_away_asks_and_begins_nothing(
    there, lab: Path, git: Git, root: Path, publish, renamed, clone
) -> None:
    shallow = clone("--depth", "1")
    begin(there, shallow, root, publish)
    renamed()
    fetch_the_newest(git, shallow)
    git(shallow, "reflog", "expire", "--expire=now", "--all")
    git(shallow, "gc", "-q", "--prune=now")
    plan = there(shallow, "plan", "--json")
    assert created_or_renamed(plan) == []
    assert "rename-unsaid" in [one["code"] for one in json.loads(plan.stdout)["blocked"]]
    there(shallow, "apply", "--once")
    assert [path.name for path in (root / "campaigns/pip").iterdir()] == ["campaign-001"]


@pytest.mark.usefixtures("quiet")
def test_a_clone_without_the_files_of_older_commits_sees_the_rename(
    there, lab: Path, git: Git, root: Path, publish, renamed, clone
) -> None:
    """Between the two commits lies one that changed two specs: what they were then is not here."""
    partial = clone("--filter=blob:none")
    begin(there, partial, root, publish)
    pip, mu = (lab / f"specs/campaigns/{hero}/campaign-001.yaml" for hero in ("pip", "mu"))
    for text in ("one", "two"):
        mu.write_text(f"id: campaign-001\nname: {text}\n")
        pip.write_text(pip.read_text().replace("First light", text).replace("one", text))
        git(lab, "commit", "-qam", text)
    renamed()
    git(partial, "pull", "-q")
    assert created_or_renamed(there(partial, "plan", "--json")) == [("rename", f"campaign/{NEW}")]


@pytest.mark.usefixtures("quiet")
def test_names_exchanged_in_commits_that_a_shallow_clone_lacks_are_asked_about(
    there, lab: Path, git: Git, root: Path, publish, clone
) -> None:
    folder = lab / "specs/campaigns/pip"
    (folder / "campaign-002.yaml").write_text("id: campaign-002\nname: Second\ndescription: another one\n")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "a second one")
    shallow = clone("--depth", "1")
    begin(there, shallow, root, publish)
    one, two = ((folder / f"campaign-00{n}.yaml").read_text() for n in (1, 2))
    (folder / "campaign-001.yaml").write_text(two.replace("campaign-002", "campaign-001"))
    (folder / "campaign-002.yaml").write_text(one.replace("campaign-001", "campaign-002"))
    git(lab, "commit", "-qam", "exchanged")
    fetch_the_newest(git, shallow)
    plan = json.loads(there(shallow, "plan", "--json").stdout)
    assert {one["code"] for one in plan["blocked"]} >= {"name-taken"}
