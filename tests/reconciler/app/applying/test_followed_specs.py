"""Which specs a loop goes by while the newest cannot be read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.app.applying.followed_specs import FollowedSpecs
from reconciler.app.applying.following import Begun
from reconciler.app.surroundings.environment import current_environment
from reconciler.app.surroundings.place import Following, Options
from reconciler.desired import references
from state.layout import Layout


class Heard:
    """Shows what apply has to tell to a list."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.fixture
def lab(tmp_path: Path, repository_of: Callable[..., Path], git) -> Path:
    return repository_of({"specs/realm.yaml": "id: lab\n"})


def without_memory(*_: object) -> Iterator[object]:
    raise MemoryError
    yield


def test_while_the_machine_has_no_memory_left_the_specs_of_before_stay_in_force(
    tmp_path: Path, lab: Path, git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    following = Following(repository=str(lab), branch="main")
    begun = Begun(layout=Layout(tmp_path / "root"), following=following, realm_id="lab")
    heard = Heard()
    followed = FollowedSpecs(current_environment(), Options(), begun, heard)
    good, _ = followed.newest()
    git(lab, "commit", "-q", "--allow-empty", "-m", "more")

    with monkeypatch.context() as starved:
        starved.setattr(references, "check", without_memory)
        assert followed.newest()[0] == good
    assert "could not be read now: no memory left" in heard.notices[0]
    assert followed.not_in_force is not None
    assert not followed.not_in_force.is_mistaken

    assert followed.newest()[0] != good
