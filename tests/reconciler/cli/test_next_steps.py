"""What is in the way is told with what to do about it, in the plan itself and by the commands that refuse."""

import pytest


@pytest.fixture
def stopped(lab, git):
    """Commit that pip goes on with a quest whose optimizer nobody here has."""
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text("id: campaign-001\nconfig_overrides: {optimizer: adam}\n")
    git(lab, "commit", "-qam", "an optimizer of another program")


def test_the_plan_says_below_each_thing_in_the_way_what_to_do(run, store, stopped: None) -> None:
    lines = run("plan").stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("  ! blocked"))
    told = [line.strip() for line in lines[place:]]
    assert 'did you mean "adamw"?' in " ".join(told)
    assert "→ remove it, or choose another value" in told


def test_a_quiet_plan_says_what_is_in_the_way_without_it(run, store, stopped: None) -> None:
    text = run("plan", "-q").stdout
    assert "! blocked" in text
    assert "→ remove it" not in text


def test_a_rewind_into_the_trash_is_refused_with_what_takes_it_back(run, store, rows) -> None:
    store.write([rows.ledger(step=500), rows.trash()])
    result = run("rewind", "pip/campaign-001@500", "--why", "better")
    assert result.exit_code == 3
    assert result.stderr == (
        "reconcile: pip/campaign-001@500 lies in the trash; first: reconcile undelete pip/campaign-001@500, "
        "and apply\n"
    )


def test_a_rewind_says_whether_anything_later_is_learnt_again(run, store, rows) -> None:
    store.write([rows.ledger(step=500), rows.ledger(step=600, sequence=2)])
    back = run("rewind", "pip/campaign-001@500", "--why", "better", "--dry-run")
    assert "Later checkpoints stay, as segment 1" in flat(back)
    newest = run("rewind", "pip/campaign-001@600", "--why", "better", "--dry-run")
    assert "No checkpoint is later: it goes on from this one, in a new segment behind segment 1." in flat(
        newest
    )
    assert "learnt again" not in flat(newest)


def flat(done) -> str:
    return " ".join(f"{done.stdout} {done.stderr}".split())
