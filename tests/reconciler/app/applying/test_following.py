"""Which branch apply follows: what a person is told when there is none, or not any more."""

from pathlib import Path

import pytest

from reconciler.app.applying.following import Begun, Use, remember
from reconciler.app.surroundings.environment import current_environment
from reconciler.app.surroundings.errors import Failed
from reconciler.app.surroundings.place import Following, Options, branch_to_follow, followed_commit
from reconciler.desired.git_process import UnknownRefError
from reconciler.desired.git_source import resolve
from state.failpoints import arm, observe
from state.layout import Layout


@pytest.fixture
def repository(tmp_path: Path, git) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    return tmp_path


def test_a_followed_branch_that_was_deleted_is_named_with_what_brings_it_back(repository: Path, git) -> None:
    git(repository, "switch", "-q", "-c", "other")
    git(repository, "branch", "-q", "-D", "main")
    with pytest.raises(UnknownRefError) as caught:
        followed_commit(Following(repository=str(repository), branch="main"), Layout(Path("/realm")))
    assert str(caught.value) == (
        f"{repository}: apply follows the branch main, which is not there any more (branches: other); "
        "bring it back: git branch main COMMIT (reconcile status names the one applied last); "
        'or follow another: write its name as "branch" into /realm/source.json'
    )


def test_with_a_detached_head_a_branch_that_could_be_followed_is_named(repository: Path, git) -> None:
    git(repository, "branch", "-q", "-m", "trunk")
    assert branch_to_follow(repository, resolve(repository)) == "trunk"
    git(repository, "switch", "-q", "--detach")
    head = resolve(repository)
    with pytest.raises(Failed) as caught:
        branch_to_follow(repository, head)
    assert str(caught.value) == (
        f"{repository}: no branch is checked out (HEAD is detached at {head.id[:7]}), "
        "so there is none to follow; check one out: git switch trunk"
    )


class Heard:
    """Shows what apply has to tell to a list."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


def test_a_repository_that_cannot_remember_its_root_says_what_that_means(repository: Path) -> None:
    begun = Begun(
        layout=Layout(repository / "root"),
        following=Following(repository=str(repository), branch="main"),
        realm_id="lab",
        use=Use(repository=resolve(repository), is_home=True, is_new=False),
    )
    heard = Heard()
    arm(1, "ENOSPC")
    try:
        assert remember(current_environment(), Options(), begun, heard) is None
    finally:
        observe(None)
    (notice,) = heard.notices
    assert f"{repository} cannot remember its root, {repository / 'root'} (" in notice
    assert "No space left on device" in notice
    assert "if that is away one day, it is taken for one that was never made" in notice
