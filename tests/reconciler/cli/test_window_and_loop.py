"""What a loop that goes on says of a commit that waits for a change window, for as long as it waits."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.app.applying.followed_specs import FollowedSpecs
from reconciler.app.applying.following import Begun
from reconciler.app.surroundings.environment import current_environment
from reconciler.app.surroundings.place import Following, Options
from reconciler.cli.showing import JsonShow
from state.layout import Layout


@pytest.fixture
def specs(lab: Path, root: Path, git) -> FollowedSpecs:
    """What a loop goes by: a commit whose windows are closed."""
    begin = datetime.now(UTC) + timedelta(hours=3)
    window = f'{{from: "{begin:%H:%M}", to: "{begin + timedelta(hours=1):%H:%M}", zone: UTC}}'
    (lab / "specs/realm.yaml").write_text(f"id: lab\napply: {{windows: [{window}]}}\n")
    git(lab, "commit", "-qam", "closed")
    following = Following(repository=str(lab), branch="main")
    begun = Begun(layout=Layout(root), following=following, realm_id="lab")
    return FollowedSpecs(current_environment(), Options(repository=lab, root=root), begun, JsonShow())


def test_a_commit_that_is_taken_back_before_the_window_opens_waits_no_more(
    specs: FollowedSpecs, lab: Path, git
) -> None:
    in_force = specs.newest()[0]
    assert specs.waiting is None
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing")
    assert specs.newest()[0] == in_force
    assert specs.waiting is not None
    git(lab, "reset", "-q", "--hard", in_force.id)
    assert specs.newest()[0].id == in_force.id
    assert specs.waiting is None
