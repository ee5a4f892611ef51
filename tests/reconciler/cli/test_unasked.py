"""What lies in the trash and nothing asks any more to go: it stays, and keeps no apply from being done."""

import json
from pathlib import Path

import pytest

SPEC = "specs/campaigns/pip/campaign-001.yaml"


@pytest.fixture
def cleaned_up(resting, run, lab: Path, git) -> None:
    """A realm whose one campaign was cleaned up: its checkpoints lie in the trash."""
    resting({"specs/realm.yaml": "id: lab\n"}, (100, 200))
    (lab / SPEC).write_text("id: campaign-001\nstate: archived\nkeep: metrics\n")
    git(lab, "commit", "-qam", "the disk is full")
    assert run("apply", "--until-converged").exit_code == 3
    digest = json.loads(run("plan", "--json").stdout)["awaiting"]["digest"]
    assert run("approve", digest, "--why", "the disk is full").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0


def held(run) -> list[bool]:
    return [item["is_held"] for item in json.loads(run("get", "trash", "--json").stdout)["items"]]


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.usefixtures("cleaned_up")
def test_what_a_campaign_without_a_spec_has_in_the_trash_stays_and_apply_is_done(run, lab: Path, git) -> None:
    assert held(run) == [False, False]
    (lab / SPEC).unlink()
    git(lab, "commit", "-qam", "it is gone")

    done = run("apply", "--until-converged")

    assert (done.exit_code, held(run)) == (0, [True, True]), done.output
    assert (
        "campaign/pip/campaign-001 has no spec any more; in the trash: pip/campaign-001@100, "
        "pip/campaign-001@200: they stay there; reconcile undelete NAME takes them back, with its spec the "
        "rules decide again"
    ) in plain(done.output)
    assert "not while nothing asks for it to go" in plain(run("explain", "pip/campaign-001@100").stdout)
    assert "Still to come" not in run("plan").stdout


@pytest.mark.usefixtures("cleaned_up")
def test_what_a_line_had_let_go_that_is_taken_out_stays_where_no_rule_asks_for_it_either(
    run, lab: Path, git
) -> None:
    (lab / "specs/retention.yaml").unlink(missing_ok=True)
    (lab / SPEC).write_text("id: campaign-001\nstate: archived\n")
    git(lab, "commit", "-qam", "not so full after all")

    done = run("apply", "--until-converged")

    assert (done.exit_code, held(run)) == (0, [True, True]), done.output
    assert "no rule asks for pip/campaign-001@100, pip/campaign-001@200 to go any more" in plain(done.output)
