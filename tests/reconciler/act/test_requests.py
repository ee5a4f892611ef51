"""What people ask for is done once, and answered."""

from contextlib import closing
from typing import Any

import msgspec
import pytest

from reconciler.plan import actions as a
from state.store.connection import open_reader, open_writer
from state.store.requests import find
from state.store.rows import REBUILD
from state.store.tables import put


def handle(realm: Any, make: Any, kind: Any, campaign: str | None = None) -> a.HandleRequest:
    name = campaign or make.campaign
    number = realm.ask(kind, name)
    return a.HandleRequest(
        request_id=number, kind=kind, campaign=name, campaign_uid=make.uid, asked_by="kim", why="lunch"
    )


def campaign(realm: Any, make: Any) -> Any:
    return next(row for row in realm.view().campaigns if row.uid == make.uid)


@pytest.mark.parametrize("kind", ["pause", "stop"])
def test_a_hold_says_who_asked_why_and_when(kind: str, realm: Any, make: Any) -> None:
    realm.done(handle(realm, make, kind), now=lambda: "2026-01-31T23:59:59Z")  # handled much later

    row = campaign(realm, make)
    assert (row.hold, row.hold_by, row.hold_why, row.hold_at) == (kind, "kim", "lunch", make.now)


@pytest.mark.parametrize(
    ("kind", "alone", "told"),
    [
        ("pause", "is paused", "pauses: its trainer saves and waits with the model loaded"),
        ("stop", "is stopped", "stops: its trainer saves and leaves"),
    ],
)
def test_a_hold_speaks_of_a_trainer_only_where_one_is_at_work(
    kind: str, alone: str, told: str, realm: Any, make: Any
) -> None:
    (without,) = realm.done(handle(realm, make, kind))
    realm.done(make.launch())
    (beside,) = realm.done(handle(realm, make, kind))

    assert without == (
        f"{make.campaign} {alone}: no trainer of it is at work, and none is launched until "
        f"reconcile resume {make.campaign}"
    )
    assert beside == f"{make.campaign} {told}"


def test_a_request_that_takes_back_older_ones_handles_them_too(realm: Any, make: Any) -> None:
    pause = handle(realm, make, "pause")
    resume = msgspec.structs.replace(handle(realm, make, "resume"), instead_of=(pause.request_id,))
    realm.done(resume)

    assert campaign(realm, make).hold is None
    with open_reader(realm.layout.store) as connection:
        row = find(connection, pause.request_id)
    assert row is not None
    assert (row.handled_at, row.result) == (
        make.now,
        f"taken back: resume (request {resume.request_id}) was asked for later",
    )


def test_resume_lifts_the_hold_and_forgives_failures(realm: Any, make: Any) -> None:
    realm.done(handle(realm, make, "pause"), handle(realm, make, "resume"))

    row = campaign(realm, make)
    assert (row.hold, row.hold_by, row.hold_why, row.hold_at, row.forgiven_at) == (
        None,
        None,
        None,
        None,
        make.now,
    )


@pytest.mark.parametrize("kind", ["pause", "stop"])
def test_a_campaign_that_only_its_folder_told_of_stays_held_for_that_until_resume(
    kind: str, realm: Any, make: Any
) -> None:
    found = msgspec.structs.replace(
        campaign(realm, make), hold="pause", hold_by=REBUILD, hold_why="not known", hold_at="2026-01-01"
    )
    with closing(open_writer(realm.layout.store)) as store:
        put(store, [found])

    realm.done(handle(realm, make, kind))

    assert campaign(realm, make) == msgspec.structs.replace(found, hold=kind)
    assert campaign(realm, make).is_told_by_its_folder
    realm.done(handle(realm, make, "resume"))
    assert campaign(realm, make).hold is None


def test_a_request_is_handled_once(realm: Any, make: Any) -> None:
    pause = handle(realm, make, "pause")
    realm.done(pause, handle(realm, make, "resume"), pause)

    assert campaign(realm, make).hold is None
    assert realm.view().requests == ()


def test_a_request_about_an_unknown_campaign_is_answered(realm: Any, make: Any) -> None:
    (text,) = realm.done(handle(realm, make, "pause", "tiny/ghost"))

    assert text == "there is no campaign tiny/ghost; nothing was done"
    assert realm.rows("requests")[0]["result"] == text


def test_a_request_that_is_not_in_the_store_is_told(realm: Any, make: Any) -> None:
    ghost = a.HandleRequest(
        request_id=9, kind="pause", campaign=make.campaign, campaign_uid=make.uid, asked_by="kim", why=""
    )

    assert realm.fails(ghost).text == "request 9 is not in the store"


@pytest.mark.parametrize("status", ["queued", "processing"])
def test_retry_gives_a_skipped_quest_its_place_again_whether_it_waits_or_is_trained(
    status: str, realm: Any, make: Any
) -> None:
    realm.done(make.mark(status))
    realm.ask("skip")
    about = {"quest_id": "sums", "asked_by": "kim", "why": "lunch"}
    realm.done(a.HandleQuestRequest(request_id=1, kind="skip", **about))
    realm.ask("retry")
    (told,) = realm.done(a.HandleQuestRequest(request_id=2, kind="retry", **about))

    (job,) = realm.view().jobs
    assert (job.status, job.demoted, job.last_error) == (status, False, None)
    assert told.endswith("earlier failures no longer count")
    assert ("is trained now" in told) == (status == "processing")
