"""`events` tells each thing done, once, and where nothing is told why."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.app.looking.events import follow
from reconciler.plan.actions import HandleRequest
from state.store.journal_rows import ActionRow


@pytest.fixture
def action() -> Any:
    """Make a row of the journal."""

    def make(number: int, **changes: Any) -> ActionRow:
        row = ActionRow(
            number=number,
            id=f"sha256:{number:064x}",
            kind="HandleRequest",
            subject="campaign/pip/campaign-001",
            payload_json='{"asked_by": "ada@lab"}',
            reason="ada@lab asked for it",
            cause="reconcile pause at 2026-01-31T12:00:00Z",
            specs_commit="c" * 40,
            state="done",
            epoch=1,
            begun_at="2026-01-31T12:00:00Z",
            ended_at="2026-01-31T12:00:01Z",
            outcome="pip/campaign-001 pauses",
        )
        return msgspec.structs.replace(row, **changes)

    return make


def numbers(result: Any) -> list[int]:
    return [json.loads(line)["number"] for line in result.stdout.splitlines()]


def test_each_thing_done_is_a_line_with_when_what_and_why(run, store, action) -> None:
    store.write(
        [
            action(1),
            action(2, kind="LaunchRun", subject="run/pip/campaign-001", state="failed", outcome="no\x1b[2J"),
        ]
    )
    first, second = run("events", "--wide").stdout.splitlines()
    assert first == (
        "2026-01-31 12:00:01  ✓ handle request campaign/pip/campaign-001: pip/campaign-001 pauses"
        "  reconcile pause at 2026-01-31T12:00:00Z"
    )
    assert second.startswith("2026-01-31 12:00:01  ✗ launch run run/pip/campaign-001: no\\x1b[2J")


def test_what_was_done_is_told_in_the_words_of_the_plan_and_folded_to_80_columns(run, store, action) -> None:
    asked = HandleRequest(
        request_id=1, kind="pause", campaign="pip/campaign-001", campaign_uid=None, asked_by="ada@lab",
        why="the card is needed",
    )  # fmt: skip
    store.write([action(1, payload_json=msgspec.json.encode(asked).decode())])
    assert run("events").stdout.splitlines() == [
        "2026-01-31 12:00:01  ✓ pause pip/campaign-001: pip/campaign-001 pauses",
        "                       reconcile pause at 2026-01-31T12:00:00Z",
    ]


def test_json_lines_say_who_asked_at_which_commit_and_what_came_of_it(run, store, action) -> None:
    store.write([action(1)])
    event = json.loads(run("events", "--json").stdout)
    assert (event["asked_by"], event["specs_commit"], event["result"]) == ("ada@lab", "c" * 40, "done")
    assert (event["outcome"], event["schema_version"]) == ("pip/campaign-001 pauses", 1)


def test_what_was_asked_for_is_told_with_who_why_the_plan_that_did_it_and_what_came_of_it(
    run, resting
) -> None:
    resting({}, (7,))
    assert run("pause", "pip/campaign-001", "--why", "the card is needed").exit_code == 0
    shown = json.loads(run("plan", "--json").stdout)
    assert run("apply", "--once").exit_code == 0
    events = [json.loads(line) for line in run("events", "--json").stdout.splitlines()]
    paused = next(one for one in events if one["verb"] == "pause")
    assert paused["asked_by"]
    assert (paused["why"], paused["result"]) == ("the card is needed", "done")
    assert (paused["plan"], paused["change"]) == (shown["digest"], shown["changes"][0]["id"])
    assert paused["specs_commit"] == shown["commit"]


def test_since_lines_and_a_subject_choose(run, store, action) -> None:
    store.write(
        [action(n, subject="quest/q1" if n % 2 else "campaign/pip/campaign-001") for n in range(1, 8)]
    )
    assert numbers(run("events", "--json", "--since", "4")) == [5, 6, 7]
    assert numbers(run("events", "--json", "-n", "2")) == [6, 7]
    assert numbers(run("events", "pip/campaign-001", "--json")) == [2, 4, 6]
    assert numbers(run("events", "quest/q1", "--json", "-n", "1")) == [7]
    assert numbers(run("events", "quest/q", "--json")) == []


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ("nope", 'there is no thing "nope"; known: pip/campaign-001, quest/q1'),
        ("campaign/nope", 'there is no thing "campaign/nope"; known: pip/campaign-001, quest/q1'),
        ("pip/campaign-002", 'there is no campaign "pip/campaign-002"'),
        ("quest/q", 'there is no quest "q"; known: q1, q2'),
    ],
)
@pytest.mark.parametrize("more", [(), ("--json",), ("--follow",)], ids=["text", "json", "follow"])
def test_events_of_what_is_not_there_fail_with_the_names_that_there_are(
    run, store, rows, action, about: str, message: str, more: tuple[str, ...]
) -> None:
    store.write([action(1), rows.job()])
    result = run("events", about, *more)
    assert (result.exit_code, result.stdout) == (5, "")
    assert message in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("quest/q1",), "There is no event about quest/q1 yet"),
        (("mu/campaign-001",), "There is no event about mu/campaign-001 yet"),
        (("hero/pip", "--json"), "There is no event about hero/pip yet"),
        (("--since", "7"), "There is no event after number 7; the newest is number 2"),
        (("pip/campaign-001", "-n", "0"), "0 of 2 events about pip/campaign-001 were asked for"),
    ],
)
def test_where_there_is_nothing_to_tell_of_what_is_there_that_is_said(
    run, store, rows, action, words: tuple[str, ...], told: str
) -> None:
    store.write([action(1), action(2), rows.job()])
    result = run("events", *words)
    assert (result.exit_code, result.stdout) == (0, "")
    assert told in result.stderr


def test_without_readable_specs_events_know_what_the_store_remembers(
    run, lab: Path, git, store, rows, action
) -> None:
    (lab / "specs/realm.yaml").write_text("id: [\n")
    git(lab, "commit", "-qam", "a mistake")
    store.write([action(1), rows.job()])
    assert "There is no event about quest/q1 yet" in run("events", "quest/q1").stderr
    assert run("events", "nope").exit_code == 5


def test_what_is_still_at_work_is_told_when_it_has_ended_and_nothing_is_told_twice(store, action) -> None:
    over = threading.Event()
    store.write([action(1), action(2, state="intent", ended_at=None)])
    told: list[int] = []
    events = follow(store.layout.store, is_over=over.is_set)
    thread = threading.Thread(target=lambda: told.extend(event.number for event in events))
    thread.start()
    time.sleep(0.5)
    store.write([action(2)])
    store.write([action(3)])
    deadline = time.monotonic() + 100
    while told[-1:] != [3] and time.monotonic() < deadline:
        time.sleep(0.05)
    over.set()
    thread.join()
    assert told == [1, 2, 3]


def test_a_renamed_campaign_has_one_story_under_both_of_its_names(run, resting, renamed, publish) -> None:
    folder = resting({}, (7,))
    before = numbers(run("events", "pip/campaign-001", "--json"))
    assert before
    renamed()
    publish(folder, 9)
    assert run("apply", "--until-converged").exit_code == 0

    new, old = (numbers(run("events", f"pip/{one}", "--json")) for one in ("first-light", "campaign-001"))

    assert new == old
    assert new[: len(before)] == before
    verbs = [
        json.loads(line)["verb"] for line in run("events", "pip/first-light", "--json").stdout.splitlines()
    ]
    assert "rename" in verbs[len(before) :]
    saved = numbers(run("events", "pip/first-light@7", "--json"))
    assert saved
    assert saved == numbers(run("events", "pip/campaign-001@7", "--json"))


def test_a_name_that_was_handed_on_brings_nothing_of_who_had_it_before(run, store, rows, action) -> None:
    now = rows.campaign(former_names="pip/campaign-002")
    other = {"campaign": "pip/campaign-001", "campaign_uid": now.uid, "previous": "pip/campaign-002"}
    first = {"campaign": "pip/old", "campaign_uid": "u-old", "previous": "pip/campaign-001"}
    store.write(
        [
            now,
            rows.campaign(uid="u-old", name="pip/old", former_names="pip/campaign-001"),
            action(1),
            action(2, kind="RenameCampaign", subject="campaign/pip/old", payload_json=json.dumps(first)),
            action(3, kind="RenameCampaign", payload_json=json.dumps(other)),
            action(4),
        ]
    )
    assert numbers(run("events", "pip/old", "--json")) == [1, 2]
    assert numbers(run("events", "pip/campaign-001", "--json")) == [3, 4]


@pytest.mark.parametrize("prefix", ["", "run/"])
def test_a_run_has_the_events_that_name_it_and_no_others(run, store, rows, action, prefix: str) -> None:
    of_run = {"campaign": "pip/campaign-001", "campaign_uid": "u", "generation": 1}
    store.write(
        [
            rows.run(generation=1, attempt=1),
            rows.run(generation=1, attempt=2),
            action(1),
            *(
                action(
                    number,
                    kind="ConfirmRun",
                    subject="run/pip/campaign-001",
                    payload_json=json.dumps(of_run | {"attempt": attempt}),
                )
                for number, attempt in ((2, 1), (3, 2), (4, 1))
            ),
        ]
    )
    assert numbers(run("events", f"{prefix}pip/campaign-001/g1-a1", "--json")) == [2, 4]


def test_without_a_realm_there_is_nothing_to_tell(run, root: Path) -> None:
    result = run("events")
    assert result.exit_code == 5
    assert "nothing has been applied yet" in result.stderr
