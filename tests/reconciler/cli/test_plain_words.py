"""Sentences that say a thing once, in words of people, on one line."""

import json
from pathlib import Path

import msgspec
import pytest

from reconciler.app.looking.axes import Axis
from reconciler.app.looking.history import history
from reconciler.app.surroundings.environment import current_environment
from reconciler.app.surroundings.place import Options
from reconciler.cli.session import Session
from reconciler.cli.text_get import history_text
from reconciler.cli.text_status import _axis_words


def test_doctor_lists_states_in_words_and_tells_of_what_waits(run, store, rows) -> None:
    def sentences() -> dict[str, str]:
        return {one["name"]: one["sentence"] for one in json.loads(run("doctor", "--json").stdout)["checks"]}

    assert sentences()["plan"].endswith(" changes; 1 waiting for its turn, nothing else in the way")
    store.write([rows.run(), rows.job()])
    assert sentences()["store"].endswith("1 run, 1 job (completed)")


def test_the_end_of_a_launch_is_one_line_whole_with_wide_and_short_without(run, store, rows) -> None:
    message = "out of memory: 3.1 GB were asked for and 0.2 GB are free\nmore of it"
    store.write([rows.run(end="failed", message=message)])
    line = run("history", "--wide").stdout.splitlines()[1]
    assert line.endswith("failed: out of memory: 3.1 GB were asked for and 0.2 GB are free more of it")
    environment = msgspec.structs.replace(current_environment(), cwd=store.layout.root)
    shown = history_text(history(environment, Options(root=store.layout.root)), 80)
    assert "0.2 GB are free mo…" in " ".join(shown.split())
    assert json.loads(run("history", "--json").stdout)["launches"][0]["message"] == message


def test_an_axis_repeats_no_word() -> None:
    synced = Axis("synced", "as-specified", "as the specs say at 4f1c2d9")
    assert _axis_words("synced", synced, told_above=False) == "as the specs say at 4f1c2d9"
    paused = Axis("on hold", "paused", "paused by ada: too warm")
    assert _axis_words("synced", paused, told_above=False) == "on hold: paused by ada: too warm"
    assert _axis_words("healthy", paused, told_above=True) == "on hold: paused"
    lost = Axis("degraded", "lost", "its trainer is gone")
    assert _axis_words("healthy", lost, told_above=False) == "degraded: lost, its trainer is gone"


def test_explain_names_what_it_shows_in_words_of_people(run, lab: Path, git) -> None:
    hero = lab / "specs/heroes/pip.yaml"
    hero.write_text(hero.read_text().replace("family: qwen3", "family: qwen3, size_b: 0.5"))
    git(lab, "commit", "-qam", "size")
    text = run("explain", "hero/pip").stdout
    assert "  billions of parameters  0.5\n" in text
    assert "  campaigns               1\n" in text
    assert "size b" not in text


def test_a_checkpoint_without_a_held_out_loss_shows_a_dash(run, store, rows) -> None:
    store.write([rows.ledger()])
    table = run("get", "checkpoints", "--wide").stdout.splitlines()
    assert table[0].split()[4] == "HELD-OUT"
    assert table[1].split()[4] == "-"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see reconcile status", "see reconcile --root /srv/r status"),
        ("→ take it back: reconcile undelete X", "→ take it back: reconcile --root /srv/r undelete X"),
        ("Why blocked:  reconcile explain q", "Why blocked:  reconcile --root /srv/r explain q"),
        ("  reconciler  pid 7 on box: reconcile apply", "  reconciler  pid 7 on box: reconcile apply"),
        ("reconcile pause at 2026-01-31T12:00:00Z", "reconcile pause at 2026-01-31T12:00:00Z"),
        ("(see reconcile validate --ref HEAD)", "(see reconcile --root /srv/r validate --ref HEAD)"),
        (
            "reconcile stop X, then reconcile resume X",
            "reconcile --root /srv/r stop X, then reconcile --root /srv/r resume X",
        ),
        ("reconcile downloads nothing", "reconcile downloads nothing"),
        ("reconcile init DIR makes one", "reconcile init DIR makes one"),
        ("the reconcile loop", "the reconcile loop"),
        ("Do it:  reconcile apply --root /srv/r", "Do it:  reconcile apply --root /srv/r"),
    ],
)
def test_a_command_that_is_named_is_about_the_same_realm(text: str, shown: str) -> None:
    session = Session()
    assert session.about_the_same(text) == text
    session.root = "/srv/r"
    assert session.about_the_same(text) == shown
