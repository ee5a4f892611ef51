"""Where what to keep cannot be computed nothing is deleted, and every view says so (promise 9)."""

from pathlib import Path

import pytest

from state.layout import Layout
from state.store.connection import open_writer

NAME = "pip/campaign-001"


@pytest.fixture
def realm(resting) -> Path:
    """A realm whose rules keep one of three checkpoints; the campaign's folder."""
    rules = "minimum_age: 1ms\ncampaigns: {active: {keep_checkpoints: 2}}\n"
    return resting({"specs/realm.yaml": "id: lab\n", "specs/retention.yaml": rules}, (100, 200)).parent


def plain(text: str) -> str:
    return " ".join(text.split())


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoints/checkpoint-*"))


def change_ledger(root: Path, moment: str) -> None:
    """Let the older checkpoint be saved at this moment, as the ledger says."""
    store = open_writer(Layout(root).store)
    store.execute("UPDATE ledger SET timestamp = ? WHERE step = 100", (moment,))
    store.close()


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("yesterday", "saved at 'yesterday', which is no time"),
        ("2026-01-01T00:00:00", "saved at '2026-01-01T00:00:00', a time without a zone"),
    ],
    ids=["no time", "no zone"],
)
def test_a_ledger_that_cannot_be_understood_deletes_nothing_and_status_says_so(
    run, lab, git, root: Path, realm: Path, moment: str, said: str
) -> None:
    assert run("apply", "--until-converged").exit_code == 0
    before = there(realm)
    change_ledger(root, moment)
    rules = "minimum_age: 1ms\ncampaigns: {active: {keep_checkpoints: 1}}\n"
    (lab / "specs/retention.yaml").write_text(rules)
    git(lab, "commit", "-qam", "keep one")

    applied = run("apply", "--until-converged")
    planned, status = run("plan"), run("status")

    assert there(realm) == before
    assert not list((root / "trash").glob("*/"))
    for done in (applied, planned, status):
        assert said in plain(done.stdout + done.stderr), done.stdout + done.stderr
    change_ledger(root, "2026-01-01T00:00:00Z")
    assert run("apply", "--until-converged").exit_code == 0
    assert there(realm) == ["checkpoint-200"], "else these rules would have dropped nothing anyway"
