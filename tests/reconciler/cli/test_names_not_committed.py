"""What a person made a moment ago and did not commit is told as that, by every command that is asked for it."""

from pathlib import Path

import pytest

HERO = "specs/heroes/pop.yaml"
CAMPAIGN = "specs/campaigns/pip/campaign-009.yaml"


@pytest.fixture
def made(run, lab: Path) -> Path:
    assert run("new", "hero", "pop").exit_code == 0
    (lab / CAMPAIGN).write_text("id: campaign-009\n")
    queue = lab / "specs/queue.yaml"
    queue.write_text(queue.read_text() + "# an edit\n")
    return lab


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("words", "file"),
    [
        (("import", "/nowhere", "--hero", "pop"), HERO),
        (("explain", "hero/pop"), HERO),
        (("get", "heroes", "pop"), HERO),
        (("diff", "pop", "pip"), HERO),
        (("suspend", "hero/pop", "--why", "x"), HERO),
        (("start-over", "pop"), HERO),
        (("explain", "pip/campaign-009"), CAMPAIGN),
        (("archive", "pip/campaign-009"), CAMPAIGN),
        (("wait", "pip/campaign-009", "--for", "idle"), CAMPAIGN),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_the_file_is_named_that_is_not_committed(run, words: tuple[str, ...], file: str) -> None:
    said = run(*words)
    assert said.exit_code == 5
    told = " ".join(said.stderr.split())
    assert f"in the commit: {file} is not committed; git add {file} && git commit, then again" in told
    assert "known:" not in told


@pytest.mark.usefixtures("made")
def test_of_a_quest_the_queue_is_named_that_has_edits(run) -> None:
    told = " ".join(run("explain", "quest/nope").stderr.split())
    assert 'there is no quest "nope"' in told
    assert told.endswith("specs/queue.yaml has edits that are not committed")


@pytest.mark.usefixtures("made")
def test_another_name_is_told_by_those_that_there_are(run) -> None:
    """The negative control: an edit elsewhere is nobody's hero."""
    said = run("explain", "hero/popp")
    assert said.exit_code == 5
    assert 'there is no hero "popp"; known: mu, pip' in said.stderr
    assert "not committed" not in said.stderr


def test_with_nothing_but_commits_no_edit_is_spoken_of(run, lab: Path) -> None:
    said = run("explain", "quest/nope")
    assert said.exit_code == 5
    assert "not committed" not in said.stderr
