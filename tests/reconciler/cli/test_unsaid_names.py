"""A spec that came in the place of another: whether it is the same campaign is said by `was:`, and nothing begins before."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from reconciler.app.surroundings.errors import Blocked

Reconcile = Callable[..., Result]
NEW = "pip/first-light"


def items(run: Reconcile, kind: str) -> list[dict]:
    return json.loads(run("get", kind, "--json").stdout)["items"]


def test_a_former_name_whose_spec_is_still_there_is_refused_with_its_line(
    run: Reconcile, lab: Path, git: Callable[..., str]
) -> None:
    (lab / "specs/campaigns/pip/campaign-002.yaml").write_text("id: campaign-002\nwas: pip/campaign-001\n")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "two specs of one campaign")
    said = run("validate").stderr + run("validate").stdout
    assert "specs/campaigns/pip/campaign-002.yaml:2" in said
    assert '"pip/campaign-001" has a spec of its own' in said


def replace_spec(lab: Path, git: Callable[..., str], text: str) -> None:
    """Commit another spec in place of the campaign's, so short that git sees nothing moved."""
    git(lab, "rm", "-q", "specs/campaigns/pip/campaign-001.yaml")
    (lab / "specs/campaigns/pip").mkdir(exist_ok=True)
    (lab / "specs/campaigns/pip/first-light.yaml").write_text(text)
    (lab / "specs/realm.yaml").write_text(f"id: lab\nactive: {NEW}\n")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "another spec in its place")


def words(text: str) -> str:
    """Return a text without the columns that it is laid out in."""
    return " ".join(text.split())


def axes(run: Reconcile) -> dict[str, tuple[str, str]]:
    said = json.loads(run("status", "--json").stdout)
    return {one["name"]: (one["synced"]["state"], one["synced"]["reason"]) for one in said["campaigns"]}


def test_a_slip_in_was_blocks_its_campaign_and_what_else_there_is_comes_to_rest(
    run: Reconcile,
    resting: Callable[..., Path],
    publish: Callable[..., None],
    lab: Path,
    git: Callable[..., str],
) -> None:
    folder = resting({}, (7,))
    replace_spec(lab, git, "id: first-light\nwas: pip/campaign-00l\n")
    publish(folder, 9)
    for _ in range(2):
        applied = run("apply", "--until-converged")
        assert applied.exit_code == Blocked.exit_code
        assert "1 blocked" in applied.stdout
        plan = json.loads(run("plan", "--json").stdout)
        assert plan["changes"] == []
        assert "did you mean was: pip/campaign-001?" in plan["blocked"][0]["hint"]
        assert [one["id"] for one in items(run, "checkpoints")] == [f"pip/campaign-001@{n}" for n in (7, 9)]
    assert axes(run)[NEW] == ("blocked", "name-taken")
    assert axes(run)["mu/campaign-001"] == ("synced", "as-specified")


def test_a_short_spec_in_the_place_of_another_begins_nothing_until_it_says_what_it_was(
    run: Reconcile, resting: Callable[..., Path], lab: Path, git: Callable[..., str], root: Path
) -> None:
    resting({}, (7,))
    replace_spec(lab, git, "id: first-light\n")
    for _ in range(2):
        assert run("apply", "--until-converged").exit_code == Blocked.exit_code
        plan = json.loads(run("plan", "--json").stdout)
        (asked,) = (one for one in plan["blocked"] if one["code"] == "rename-unsaid")
        assert (
            asked["hint"]
            == "write was: pip/campaign-001 if it is the same campaign, was: none if it is a new one"
        )
        assert not (root / "campaigns/pip/first-light").exists()
    assert axes(run)[NEW] == ("blocked", "rename-unsaid")
    assert axes(run)["mu/campaign-001"] == ("synced", "as-specified")
    (lab / "specs/campaigns/pip/first-light.yaml").write_text("id: first-light\nwas: pip/campaign-001\n")
    git(lab, "commit", "-qam", "it is the same")
    assert run("apply", "--until-converged").exit_code == 0
    assert [one["id"] for one in items(run, "checkpoints")] == [f"{NEW}@7"]


def test_a_short_spec_in_the_place_of_another_is_a_new_campaign_if_it_says_so(
    run: Reconcile, resting: Callable[..., Path], lab: Path, git: Callable[..., str], root: Path
) -> None:
    resting({}, (7,))
    replace_spec(lab, git, "id: first-light\nwas: none\n")
    assert "create campaign pip/first-light" in words(run("plan").stdout)
    assert run("apply", "--once").exit_code == 0
    assert (root / "campaigns/pip/first-light").is_dir()
    assert (root / "campaigns/pip/campaign-001/checkpoints/checkpoint-7").is_dir()


def test_a_campaign_whose_hero_gets_another_name_in_short_files_begins_nothing_until_it_says_what_it_was(
    run: Reconcile, resting: Callable[..., Path], lab: Path, git: Callable[..., str], root: Path
) -> None:
    resting({"specs/campaigns/pip/campaign-001.yaml": "id: campaign-001\n"}, (7,))
    heroes, campaigns = lab / "specs/heroes", lab / "specs/campaigns"
    (heroes / "pop.yaml").write_text((heroes / "pip.yaml").read_text().replace("id: pip", "id: pop"))
    (campaigns / "pop").mkdir()
    (campaigns / "pop/campaign-001.yaml").write_text("id: campaign-001\n# of pop now, and no longer of pip\n")
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: pop/campaign-001\n")
    git(lab, "rm", "-q", "specs/heroes/pip.yaml", "specs/campaigns/pip/campaign-001.yaml")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "pip is called pop")
    assert run("apply", "--until-converged").exit_code == Blocked.exit_code
    plan = json.loads(run("plan", "--json").stdout)
    assert [(one["subject"], one["code"]) for one in plan["blocked"]] == [
        ("campaign/pop/campaign-001", "rename-unsaid")
    ]
    assert not (root / "campaigns/pop").exists()
    (campaigns / "pop/campaign-001.yaml").write_text("id: campaign-001\nwas: pip/campaign-001\n")
    git(lab, "commit", "-qam", "she is the same")
    assert run("apply", "--until-converged").exit_code == 0
    assert [one["id"] for one in items(run, "checkpoints")] == ["pop/campaign-001@7"]


def test_a_spec_that_left_and_a_new_one_that_came_in_two_steps_are_two_campaigns(
    run: Reconcile, resting: Callable[..., Path], lab: Path, git: Callable[..., str]
) -> None:
    resting({}, (7,))
    git(lab, "rm", "-q", "specs/campaigns/pip/campaign-001.yaml")
    (lab / "specs/realm.yaml").write_text("id: lab\n")
    git(lab, "commit", "-qam", "it goes")
    assert run("apply", "--once").exit_code == 0
    (lab / "specs/campaigns/pip").mkdir()
    (lab / "specs/campaigns/pip/first-light.yaml").write_text("id: first-light\n")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "another one comes")
    said = words(run("plan").stdout)
    assert "create campaign pip/first-light" in said
    assert "if pip/first-light is it, write there before it begins: was: pip/campaign-001" in said


def test_a_short_spec_that_is_moved_is_asked_about_before_its_commit(
    run: Reconcile, resting: Callable[..., Path], lab: Path
) -> None:
    resting({}, (7,))
    (lab / "specs/campaigns/pip/campaign-001.yaml").unlink()
    (lab / "specs/campaigns/pip/first-light.yaml").write_text("id: first-light\n")
    (lab / "specs/realm.yaml").write_text(f"id: lab\nactive: {NEW}\n")
    plan = json.loads(run("plan", "--worktree", "--json").stdout)
    assert [one["code"] for one in plan["blocked"]] == ["rename-unsaid"]
    assert plan["changes"] == []


def test_a_wrong_was_is_not_overruled_by_the_move_that_git_sees(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None], root: Path
) -> None:
    resting({}, (7,))
    renamed(more="\nwas: pip/campaign-01")
    plan = json.loads(run("plan", "--json").stdout)
    assert plan["changes"] == []
    assert "did you mean was: pip/campaign-001?" in plan["blocked"][0]["hint"]


def test_was_none_is_not_overruled_by_the_move_that_git_sees(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None]
) -> None:
    resting({}, (7,))
    renamed(more="\nwas: none")
    said = words(run("plan").stdout)
    assert "create campaign pip/first-light" in said
    assert "rename" not in said


def test_a_spec_too_short_for_git_to_see_its_move_is_the_same_campaign_by_was(
    run: Reconcile, resting: Callable[..., Path], lab: Path, git: Callable[..., str]
) -> None:
    resting({}, (7,))
    replace_spec(lab, git, "id: first-light\nwas: pip/campaign-001\n")
    assert "was pip/campaign-001; its spec says so" in run("plan").stdout
    assert run("apply", "--until-converged").exit_code == 0
    assert [one["id"] for one in items(run, "checkpoints")] == [f"{NEW}@7"]
