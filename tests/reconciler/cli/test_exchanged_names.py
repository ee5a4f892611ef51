"""Campaigns that take each other's names: who is who is told by the files' history, however often apply looked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from reconciler.app.surroundings.errors import Blocked, Failed

Reconcile = Callable[..., Result]
FIRST, SECOND, THIRD = "campaign-001", "campaign-002", "campaign-009"
Move = tuple[str, str]
CHAIN: tuple[Move, ...] = ((FIRST, THIRD), (SECOND, FIRST))
SWAP: tuple[Move, ...] = (*CHAIN, (THIRD, SECOND))
TEXT = "id: {id}\nname: {name}\ndescription: the campaign that is called {name} by the people who train it\n"


_NAMES = ((FIRST, "First"), (SECOND, "Second"))
_EFFECTS = ("RegisterCampaign", "RenameCampaign", "LaunchRun", "ActivateCampaign", "EnqueueJob")


class Two:
    """Two campaigns, of which the first has saved step 7 and the second step 9, and their specs."""

    def __init__(self, run: Reconcile, lab: Path, git: Callable[..., str]) -> None:
        self.run = run
        self.lab = lab
        self.specs = lab / "specs/campaigns/pip"
        self._git = git

    def git(self, *arguments: str) -> None:
        self._git(self.lab, *arguments)

    def move(self, *moves: Move) -> None:
        """Move specs with git, each with its id, in one commit; the first campaign stays the active one."""
        texts = {new: self.spec(old).read_text().replace(old, new) for old, new in moves}
        for old, _ in moves:
            self.spec(old).unlink()
        for new, text in texts.items():
            self.spec(new).write_text(text)
        active = next(path.stem for path in self.specs.iterdir() if "name: First" in path.read_text())
        (self.lab / "specs/realm.yaml").write_text(f"id: lab\nactive: pip/{active}\n")
        self.git("add", ".")
        self.git("commit", "-qm", "other names")

    def spec(self, id_: str) -> Path:
        return self.specs / f"{id_}.yaml"

    def say(self, was: dict[str, str]) -> None:
        """Commit what each of these specs was: id → the value of `was:`."""
        for id_, name in was.items():
            self.spec(id_).write_text(f"{self.spec(id_).read_text()}was: {name}\n")
        self.git("commit", "-qam", "who is who")

    def apply(self) -> int:
        return self.run("apply", "--until-converged").exit_code

    def is_settled(self) -> bool:
        return self.run("plan", "--detailed-exitcode").exit_code == 0

    def names(self) -> dict[str, str]:
        """Return step → the name of the campaign that has saved it."""
        items = json.loads(self.run("get", "checkpoints", "--json").stdout)["items"]
        return {step: name for name, _, step in (one["id"].partition("@") for one in items)}

    def blocked(self) -> dict[str, str]:
        """Return id → what the plan, which does nothing for these two, says to do."""
        plan = json.loads(self.run("plan", "--json").stdout)
        assert not [one for one in plan["changes"] if one["action"]["kind"] in _EFFECTS], plan["changes"]
        return {one["subject"].rpartition("/")[2]: one["hint"] for one in plan["blocked"]}


@pytest.fixture
def two(
    resting: Callable[..., Path],
    publish: Callable[..., None],
    run: Reconcile,
    root: Path,
    lab: Path,
    git: Callable[..., str],
) -> Two:
    resting({f"specs/campaigns/pip/{id_}.yaml": TEXT.format(id=id_, name=name) for id_, name in _NAMES}, (7,))
    publish(root / f"campaigns/pip/{SECOND}/checkpoints", 9)
    assert run("apply", "--once").exit_code == 0
    return Two(run, lab, git)


@pytest.mark.parametrize("is_seen_at_once", [True, pytest.param(False, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("moves", "names"),
    [
        (CHAIN, {"7": "pip/campaign-009", "9": "pip/campaign-001"}),
        (SWAP, {"7": "pip/campaign-002", "9": "pip/campaign-001"}),
    ],
)
def test_a_chain_and_a_swap_are_followed_whenever_apply_looks(
    two: Two, moves: tuple[Move, ...], names: dict[str, str], is_seen_at_once: bool
) -> None:
    for one in moves:
        two.move(one)
        if not is_seen_at_once:
            assert two.apply() == 0
    assert two.apply() == 0
    assert two.names() == names
    assert two.is_settled()


@pytest.mark.long
def test_all_reverts_of_a_swap_bring_each_campaign_its_own_name_back(two: Two) -> None:
    for one in SWAP:
        two.move(one)
    assert two.apply() == 0
    two.git("revert", "--no-edit", "HEAD~3..HEAD")
    assert two.apply() == 0
    assert two.names() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}


@pytest.mark.long
def test_an_older_commit_that_is_followed_again_gives_the_names_of_it_back(two: Two) -> None:
    for one in SWAP:
        two.move(one)
    assert two.apply() == 0
    two.git("reset", "-q", "--hard", "HEAD~3")
    two.apply()
    assert two.names() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}


@pytest.mark.parametrize("moves", [((FIRST, SECOND), (SECOND, FIRST)), CHAIN])
def test_names_exchanged_in_one_commit_are_asked_about_and_followed_by_was(
    two: Two, moves: tuple[Move, ...]
) -> None:
    two.move(*moves)
    for _ in range(2):
        hints = two.blocked()
        assert hints.keys() == {new for _, new in moves}
        assert all(f"write was: pip/{old} if" in hints[new] for old, new in moves)
        assert two.apply() == Blocked.exit_code
        assert two.names() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}
    two.say({new: f"pip/{old}" for old, new in moves})
    assert two.apply() == 0
    (first,) = (new for old, new in moves if old == FIRST)
    assert two.names() == {"7": f"pip/{first}", "9": "pip/campaign-001"}
    assert two.is_settled()


def test_names_exchanged_in_one_commit_with_a_letter_edited_besides_are_asked_about(two: Two) -> None:
    two.move((FIRST, SECOND), (SECOND, FIRST))
    two.spec(SECOND).write_text(two.spec(SECOND).read_text().replace("people who", "people that"))
    two.git("commit", "-qa", "--amend", "-m", "other names, and another word")
    assert two.blocked().keys() == {FIRST, SECOND}
    assert two.apply() == Blocked.exit_code
    assert two.names() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}


def test_a_commit_that_leaves_a_name_in_doubt_is_not_called_applied(two: Two) -> None:
    before = json.loads(two.run("status", "--json").stdout)["applied_commit"]
    two.move((FIRST, SECOND), (SECOND, FIRST))
    assert two.apply() == Blocked.exit_code
    assert json.loads(two.run("status", "--json").stdout)["applied_commit"] == before
    waited = two.run("wait", "realm", "--for", "applied", "--timeout", "0")
    assert waited.exit_code == Failed.exit_code  # only a person can say whose the names are
    assert f"realm will not be applied: campaign/pip/{FIRST}: " in waited.stderr
    two.say({FIRST: "none", SECOND: "none"})
    assert two.apply() == 0
    assert two.run("wait", "realm", "--for", "applied", "--timeout", "0").exit_code == 0


def test_names_exchanged_in_the_work_tree_are_asked_about_as_their_commit_will_be(
    two: Two, run: Reconcile
) -> None:
    two.move((FIRST, SECOND), (SECOND, FIRST))
    committed = two.blocked()
    two.git("reset", "-q", "HEAD~1")
    plan = json.loads(run("plan", "--worktree", "--json").stdout)
    assert {one["subject"].rpartition("/")[2]: one["hint"] for one in plan["blocked"]} == committed
    assert committed.keys() == {FIRST, SECOND}
    assert not plan["changes"]


def test_taking_an_exchange_by_was_back_is_said_to_exchange_nothing_back(two: Two, run: Reconcile) -> None:
    two.say({FIRST: f"pip/{SECOND}", SECOND: f"pip/{FIRST}"})
    assert two.apply() == 0
    exchanged = {"7": "pip/campaign-002", "9": "pip/campaign-001"}
    assert (two.names(), json.loads(run("plan", "--json").stdout)["warnings"]) == (exchanged, [])
    two.git("revert", "--no-edit", "HEAD")
    first, second = json.loads(run("plan", "--json").stdout)["warnings"]
    assert "pip/campaign-001.yaml:1: its spec no longer says was: pip/campaign-002" in first
    assert "pip/campaign-002 stays the campaign, with the weights, that pip/campaign-001 was" in second
    assert two.apply() == 0
    assert (two.names(), json.loads(run("plan", "--json").stdout)["warnings"]) == (exchanged, [])


@pytest.mark.long
def test_settings_that_were_exchanged_leave_the_names_as_they_are_if_the_specs_say_so(two: Two) -> None:
    two.move((FIRST, SECOND), (SECOND, FIRST))
    two.say({FIRST: "none", SECOND: "none"})
    assert two.apply() == 0
    assert two.names() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}


def test_a_name_whose_campaign_lost_its_spec_is_not_given_to_another_that_is_moved_there(two: Two) -> None:
    two.git("rm", "-q", f"specs/campaigns/pip/{FIRST}.yaml")
    (two.lab / "specs/realm.yaml").write_text("id: lab\n")
    two.git("commit", "-qam", "the first goes")
    two.git("mv", str(two.spec(SECOND)), str(two.spec(FIRST)))
    two.spec(FIRST).write_text(two.spec(FIRST).read_text().replace(SECOND, FIRST))
    (two.lab / "specs/realm.yaml").write_text(f"id: lab\nactive: pip/{FIRST}\n")
    two.git("commit", "-qam", "the second takes its name")
    for _ in range(2):
        assert two.blocked().keys() == {FIRST}
        assert two.apply() == Blocked.exit_code
        assert two.names() == {"7": "pip/campaign-001", "9": "pip/campaign-002"}
