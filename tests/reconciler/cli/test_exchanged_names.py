"""Campaigns that take each other's names: who is who is told by the files' history, however often apply looked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from reconciler.app.surroundings.errors import Blocked

Reconcile = Callable[..., Result]
FIRST, SECOND, THIRD = "campaign-001", "campaign-002", "campaign-009"
Move = tuple[str, str]
CHAIN: tuple[Move, ...] = ((FIRST, THIRD), (SECOND, FIRST))
SWAP: tuple[Move, ...] = (*CHAIN, (THIRD, SECOND))
TEXT = "id: {id}\nname: {name}\ndescription: the campaign that is called {name} by the people who train it\n"


@pytest.fixture
def two(
    resting: Callable[..., Path], publish: Callable[..., None], run: Reconcile, root: Path
) -> Callable[[], dict[str, str]]:
    """Lay out two campaigns, of which the first has saved step 7 and the second step 9."""
    resting({f"specs/campaigns/pip/{id_}.yaml": TEXT.format(id=id_, name=name) for id_, name in _NAMES}, (7,))
    publish(root / f"campaigns/pip/{SECOND}/checkpoints", 9)
    assert run("apply", "--once").exit_code == 0
    return lambda: {
        one["id"].partition("@")[2]: one["id"].partition("@")[0]
        for one in json.loads(run("get", "checkpoints", "--json").stdout)["items"]
    }


_NAMES = ((FIRST, "First"), (SECOND, "Second"))


@pytest.fixture
def move(lab: Path, git: Callable[..., str]) -> Callable[..., None]:
    """Move specs with git, each with its id, in one commit; the first campaign stays the active one."""

    def moved(*moves: Move) -> None:
        folder = lab / "specs/campaigns/pip"
        texts = {new: (folder / f"{old}.yaml").read_text().replace(old, new) for old, new in moves}
        for old, _ in moves:
            (folder / f"{old}.yaml").unlink()
        for new, text in texts.items():
            (folder / f"{new}.yaml").write_text(text)
        active = next(path.stem for path in folder.iterdir() if "name: First" in path.read_text())
        (lab / "specs/realm.yaml").write_text(f"id: lab\nactive: pip/{active}\n")
        git(lab, "add", ".")
        git(lab, "commit", "-qm", "other names")

    return moved


def blocked(run: Reconcile) -> dict[str, str]:
    plan = json.loads(run("plan", "--json").stdout)
    assert not [one for one in plan["changes"] if one["action"]["kind"] in _EFFECTS], plan["changes"]
    return {one["subject"].rpartition("/")[2]: one["hint"] for one in plan["blocked"]}


_EFFECTS = ("RegisterCampaign", "RenameCampaign", "LaunchRun", "ActivateCampaign", "EnqueueJob")


@pytest.mark.parametrize("is_seen_at_once", [True, pytest.param(False, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("moves", "names"),
    [
        (CHAIN, {"7": "pip/campaign-009", "9": "pip/campaign-001"}),
        (SWAP, {"7": "pip/campaign-002", "9": "pip/campaign-001"}),
    ],
)
def test_a_chain_and_a_swap_are_followed_whenever_apply_looks(
    run: Reconcile,
    two: Callable[[], dict[str, str]],
    move: Callable[..., None],
    moves: tuple[Move, ...],
    names: dict[str, str],
    is_seen_at_once: bool,
) -> None:
    for one in moves:
        move(one)
        if not is_seen_at_once:
            assert run("apply", "--until-converged").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert two() == names
    assert run("plan", "--detailed-exitcode").exit_code == 0


@pytest.mark.long
def test_all_reverts_of_a_swap_bring_each_campaign_its_own_name_back(
    run: Reconcile,
    two: Callable[[], dict[str, str]],
    move: Callable[..., None],
    lab: Path,
    git: Callable[..., str],
) -> None:
    for one in SWAP:
        move(one)
    assert run("apply", "--until-converged").exit_code == 0
    git(lab, "revert", "--no-edit", "HEAD~3..HEAD")
    assert run("apply", "--until-converged").exit_code == 0
    assert two() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}


@pytest.mark.long
def test_an_older_commit_that_is_followed_again_gives_the_names_of_it_back(
    run: Reconcile,
    two: Callable[[], dict[str, str]],
    move: Callable[..., None],
    lab: Path,
    git: Callable[..., str],
) -> None:
    for one in SWAP:
        move(one)
    assert run("apply", "--until-converged").exit_code == 0
    git(lab, "reset", "-q", "--hard", "HEAD~3")
    run("apply", "--until-converged")
    assert two() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}


@pytest.mark.parametrize("moves", [((FIRST, SECOND), (SECOND, FIRST)), CHAIN])
def test_names_exchanged_in_one_commit_are_asked_about_and_followed_by_was(
    run: Reconcile,
    two: Callable[[], dict[str, str]],
    move: Callable[..., None],
    lab: Path,
    git: Callable[..., str],
    moves: tuple[Move, ...],
) -> None:
    move(*moves)
    for _ in range(2):
        hints = blocked(run)
        assert hints.keys() == {new for _, new in moves}
        assert all(f"write was: pip/{old} if" in hints[new] for old, new in moves)
        assert run("apply", "--until-converged").exit_code == Blocked.exit_code
        assert two() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}
    for old, new in moves:
        path = lab / f"specs/campaigns/pip/{new}.yaml"
        path.write_text(f"{path.read_text()}was: pip/{old}\n")
    git(lab, "commit", "-qam", "who is who")
    assert run("apply", "--until-converged").exit_code == 0
    (first,) = (new for old, new in moves if old == FIRST)
    assert two() == {"7": f"pip/{first}", "9": "pip/campaign-001"}
    assert run("plan", "--detailed-exitcode").exit_code == 0


@pytest.mark.long
def test_settings_that_were_exchanged_leave_the_names_as_they_are_if_the_specs_say_so(
    run: Reconcile,
    two: Callable[[], dict[str, str]],
    move: Callable[..., None],
    lab: Path,
    git: Callable[..., str],
) -> None:
    move((FIRST, SECOND), (SECOND, FIRST))
    for id_ in (FIRST, SECOND):
        path = lab / f"specs/campaigns/pip/{id_}.yaml"
        path.write_text(f"{path.read_text()}was: none\n")
    git(lab, "commit", "-qam", "only what they train with")
    assert run("apply", "--until-converged").exit_code == 0
    assert two() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}


def test_a_name_whose_campaign_lost_its_spec_is_not_given_to_another_that_is_moved_there(
    run: Reconcile,
    two: Callable[[], dict[str, str]],
    move: Callable[..., None],
    lab: Path,
    git: Callable[..., str],
) -> None:
    git(lab, "rm", "-q", f"specs/campaigns/pip/{FIRST}.yaml")
    (lab / "specs/realm.yaml").write_text("id: lab\n")
    git(lab, "commit", "-qam", "the first goes")
    path = lab / "specs/campaigns/pip"
    git(lab, "mv", str(path / f"{SECOND}.yaml"), str(path / f"{FIRST}.yaml"))
    (path / f"{FIRST}.yaml").write_text((path / f"{FIRST}.yaml").read_text().replace(SECOND, FIRST))
    (lab / "specs/realm.yaml").write_text(f"id: lab\nactive: pip/{FIRST}\n")
    git(lab, "commit", "-qam", "the second takes its name")
    for _ in range(2):
        assert blocked(run).keys() == {FIRST}
        assert run("apply", "--until-converged").exit_code == Blocked.exit_code
        assert two() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}
