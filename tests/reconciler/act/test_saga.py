"""saga.jsonl: every thing that was done to a campaign is in it once, whatever is killed, and stays as written."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from children import in_child

from reconciler.act.office import enter_office
from reconciler.act.saga import settle_sagas
from reconciler.act.saga_events import EVENTS, NO_EVENTS
from reconciler.plan import actions as a
from state import failpoints
from state.contract.manifest import SkippedRange

NOW = "2026-01-31T12:00:00Z"


def settle(realm: Any) -> None:
    writer = enter_office(realm.layout, NOW)
    try:
        settle_sagas(realm.layout, writer)
    finally:
        writer.close()


def saga(realm: Any, name: str, *, archived: bool = False) -> list[dict[str, Any]]:
    path = realm.layout.campaign(name, archived=archived).saga
    return [json.loads(line) for line in path.read_text().splitlines()]


def events(realm: Any, name: str, **where: Any) -> list[str]:
    return [line["event"] for line in saga(realm, name, **where)]


def test_every_action_is_an_event_or_is_known_to_be_none() -> None:
    kinds = {action.__name__ for action in get_args(a.AnyAction)}

    assert kinds <= set(EVENTS) | NO_EVENTS
    assert not set(EVENTS) & NO_EVENTS


def test_a_saga_tells_what_happened_in_its_order(realm: Any, make: Any) -> None:
    realm.done(make.launch(), make.close("finished", final_step=7), make.record(realm.save_checkpoint(7)))
    realm.done(make.mark("completed", start_step=0, final_step=7), make.activate(make.other, make.campaign))

    settle(realm)

    assert events(realm, make.campaign) == [
        *("created", "activated", "quest_queued", "launched", "run_ended"),
        *("saved", "quest_completed", "paused"),
    ]
    assert events(realm, make.other) == ["created", "activated"]


def test_a_save_names_its_step_run_config_code_and_losses(realm: Any, make: Any) -> None:
    realm.done(make.record(realm.save_checkpoint(7)))
    settle(realm)

    saved = saga(realm, make.campaign)[-1]
    (row,) = realm.view().ledger
    assert (saved["event"], saved["step"], saved["run"]) == ("saved", 7, "g1-a1")
    assert (saved["config_hash"], saved["code_version"]) == (row.config_hash, row.code_version)
    assert (saved["train_loss"], saved["val_loss"]) == (0.5, 0.625)
    assert (saved["timestamp"], saved["specs_commit"]) == (NOW, "d" * 40)
    assert (saved["why"], saved["cause"]) == ("because", "specs/realm.yaml:1")


def test_a_save_names_the_updates_that_were_left_out_on_the_way(realm: Any, make: Any) -> None:
    skipped = tuple(
        SkippedRange(
            update=update, quest_id="sums", digest="d", epoch=0, start=start, stop=start + 2, loss=7.25
        )
        for update, start in ((1_005, 4), (1_005, 0), (1_006, 6))  # two stretches of rows, one update
    )
    realm.done(make.record(realm.save_checkpoint(7)), make.record(realm.save_checkpoint(9, skipped=skipped)))
    settle(realm)

    plain, saved = (line["what"] for line in saga(realm, make.campaign) if line["event"] == "saved")
    assert saved.endswith("; left out: updates 1,005 (loss 7.25), 1,006 (loss 7.25)")
    assert "left out" not in plain


def test_a_launch_names_its_run_config_and_code(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    settle(realm)

    launched = saga(realm, make.campaign)[-1]
    (run,) = realm.view().runs
    assert (launched["run"], launched["config_hash"]) == ("g1-a1", run.config_hash)
    assert launched["code_version"] == run.code_version


def test_what_a_person_asked_says_who_and_why(realm: Any, make: Any) -> None:
    realm.ask("pause")
    asked = {"campaign": make.campaign, "campaign_uid": make.uid, "asked_by": "kim", "why": "lunch"}
    realm.done(a.HandleRequest(request_id=1, kind="pause", **asked))
    settle(realm)

    line = saga(realm, make.campaign)[-1]
    assert (line["event"], line["asked_by"], line["why"]) == ("asked_pause", "kim", "lunch")


def test_a_skipped_quest_is_in_the_saga_of_who_trains_it(realm: Any, make: Any) -> None:
    realm.ask("skip")
    realm.done(a.HandleQuestRequest(request_id=1, kind="skip", quest_id="sums", asked_by="kim", why="lunch"))
    settle(realm)

    assert events(realm, make.campaign)[-1] == "asked_skip"
    assert events(realm, make.other) == ["created"]


def test_an_approval_is_in_the_saga_of_whose_checkpoints_it_gives_free(realm: Any, make: Any) -> None:
    realm.done(make.record(realm.save_checkpoint(7)))
    realm.ask("approve", "sha256:1")
    taken = {"request_id": 1, "digest": "sha256:1", "specs_commit": "c", "what": "1 checkpoint"}
    realm.done(a.TakeApproval(sequences=(1,), **taken))
    settle(realm)

    assert events(realm, make.campaign)[-1] == "approved"


def test_what_failed_is_no_event(realm: Any, make: Any) -> None:
    realm.fails(make.archive())
    settle(realm)

    assert "archived" not in events(realm, make.campaign)


def test_a_saga_goes_into_the_archive_and_out_with_its_campaign(realm: Any, make: Any) -> None:
    realm.done(make.activate(make.other, make.campaign))
    settle(realm)
    realm.done(make.archive())
    settle(realm)
    assert events(realm, make.campaign, archived=True)[-2:] == ["paused", "archived"]

    realm.done(make.restore())
    settle(realm)
    assert events(realm, make.campaign)[-3:] == ["paused", "archived", "restored"]


def test_written_lines_are_never_rewritten(realm: Any, make: Any) -> None:
    settle(realm)
    path = realm.layout.campaign(make.campaign).saga
    path.write_bytes(b'{"event": "an older line", "mine": 1}\n' + path.read_bytes())
    before = path.read_bytes()

    realm.done(make.record(realm.save_checkpoint(7)))
    settle(realm)

    assert path.read_bytes().startswith(before)
    assert events(realm, make.campaign).count("saved") == 1


def test_settling_again_writes_nothing(realm: Any, make: Any) -> None:
    settle(realm)
    path = realm.layout.campaign(make.campaign).saga
    before = path.stat().st_mtime_ns, path.read_bytes()

    settle(realm)

    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


def test_a_saga_that_is_gone_is_written_anew_from_the_journal(realm: Any, make: Any) -> None:
    settle(realm)
    realm.layout.campaign(make.campaign).saga.unlink()

    realm.done(make.record(realm.save_checkpoint(7)))
    settle(realm)

    assert events(realm, make.campaign) == ["created", "activated", "quest_queued", "saved"]


def test_an_older_saga_is_carried_over_and_left_where_it_is(realm: Any, make: Any) -> None:
    older = realm.layout.campaign(make.campaign).folder / "saga.json"
    older.write_text('[{"day": 1, "deed": "first light"}]')

    settle(realm)

    first = saga(realm, make.campaign)[0]
    assert (first["event"], first["record"]) == ("older_history", [{"day": 1, "deed": "first light"}])
    assert older.exists()


def test_the_history_before_there_were_sagas_is_in_them(realm: Any, make: Any) -> None:
    """A realm of an older version has its journal; the first settling writes all of it."""
    realm.done(*(make.mark("processing", start_step=step) for step in range(3)))
    settle(realm)

    assert [line["step"] for line in saga(realm, make.campaign) if line["event"] == "quest_processing"] == [
        0,
        1,
        2,
    ]


@pytest.mark.parametrize("fault", ["kill", "ENOSPC"])
def test_each_event_is_in_the_saga_once_whatever_hits_at_any_point(
    realm: Any, make: Any, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.act.saga._BATCH", 3)
    realm.done(make.launch(), make.record(realm.save_checkpoint(7)))
    template = realm.layout.root.with_name("template")
    shutil.copytree(realm.layout.root, template, symlinks=True)
    settle(realm)
    names = (make.campaign, make.other)
    undisturbed = [realm.layout.campaign(name).saga.read_bytes() for name in names]
    number = 0
    while True:
        shutil.rmtree(realm.layout.root)
        shutil.copytree(template, realm.layout.root, symlinks=True)
        number += 1
        if _struck(realm, number, fault) == 0:
            break
        settle(realm)
        assert [realm.layout.campaign(name).saga.read_bytes() for name in names] == undisturbed
    assert number > 10


def _struck(realm: Any, number: int, fault: str) -> int:
    """Settle in a child that is hit at a failpoint; return 0 where there is no such point."""

    def work() -> int:
        writer = enter_office(realm.layout, NOW)
        failpoints.arm(number, fault)
        try:
            settle_sagas(realm.layout, writer)
        except OSError:
            return 1
        return 0

    return in_child(work)


def test_a_campaign_whose_folder_cannot_be_read_is_owed_its_history_and_the_others_have_theirs(
    realm: Any, make: Any, unreadable: Callable[[Path], None]
) -> None:
    realm.done(make.record(realm.save_checkpoint(7)), make.activate(make.other, make.campaign))
    folder = realm.layout.campaign(make.campaign).folder
    unreadable(folder)

    settle(realm)

    assert events(realm, make.other)[-1] == "activated"
    folder.chmod(0o700)
    realm.done(make.activate(make.campaign, make.other))
    settle(realm)
    assert events(realm, make.campaign) == [
        "created",
        "activated",
        "quest_queued",
        "saved",
        "paused",
        "activated",
    ]
    assert events(realm, make.other).count("activated") == 1
