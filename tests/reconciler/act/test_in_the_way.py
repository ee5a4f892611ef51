"""What stands where a file or a folder belongs: nothing goes through it, nobody waits for it, nothing is lost."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.act.office import enter_office
from reconciler.act.saga import settle_sagas
from reconciler.observed.derived_files import read_derived
from reconciler.plan import actions as a
from state.formats import MAX_RECORD_BYTES

NOW = "2026-01-31T12:00:00Z"
BELONGS = "belongs: nothing is read, written or moved there; move it away"


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Fail instead of hanging."""
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of somebody else."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@pytest.fixture
def at_rest(realm: Any, make: Any) -> Any:
    realm.done(make.record(realm.save_checkpoint(7)), make.activate(make.other, make.campaign))
    return realm


def write_record(make: Any) -> a.WriteCampaignRecord:
    return a.WriteCampaignRecord(campaign=make.campaign, campaign_uid=make.uid, card=make.card)


@pytest.mark.parametrize("place", ["campaigns/archive", "campaigns/archive/tiny"])
def test_a_campaign_is_not_archived_through_a_link(
    place: str, at_rest: Any, make: Any, outside: Path
) -> None:
    link = at_rest.layout.root / place
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)

    outcome = at_rest.fails(make.archive())

    assert outcome.permanent
    assert f"{link}: is a symbolic link (not followed) where a folder {BELONGS}" in outcome.text
    assert list(outside.iterdir()) == []
    assert at_rest.layout.campaign(make.campaign).checkpoint(7).is_dir()
    assert {row.name: row.status for row in at_rest.view().campaigns}[make.campaign] == "paused"


def test_a_campaign_is_not_restored_through_a_link(at_rest: Any, make: Any, outside: Path) -> None:
    at_rest.done(make.archive())
    hero = at_rest.layout.campaign(make.campaign).folder.parent
    for folder in (hero, at_rest.layout.archive):
        shutil.move(folder, outside / folder.name)
        folder.symlink_to(outside / folder.name)
        before = sorted(outside.rglob("*"))

        assert "is a symbolic link (not followed)" in at_rest.fails(make.restore()).text

        assert sorted(outside.rglob("*")) == before
        folder.unlink()
        shutil.move(outside / folder.name, folder)
    assert at_rest.done(make.restore()) == ["paused"]


def test_status_files_are_not_written_through_a_link(realm: Any, make: Any, outside: Path) -> None:
    status = realm.layout.campaign(make.campaign).status
    status.rename(status.with_name("old"))
    status.symlink_to(outside)

    outcome = realm.fails(a.WriteStatusFiles(campaign=make.campaign, campaign_uid=make.uid))

    assert f"{status}: is a symbolic link (not followed) where a folder {BELONGS}" in outcome.text
    assert list(outside.iterdir()) == []


def test_taking_office_sweeps_nothing_through_a_link(realm: Any, make: Any, outside: Path) -> None:
    (outside / ".staging-theirs").write_text("theirs")
    logs = realm.layout.campaign(make.campaign).logs
    logs.rmdir()
    logs.symlink_to(outside)

    enter_office(realm.layout, NOW).close()

    assert (outside / ".staging-theirs").read_text() == "theirs"


def test_a_record_outside_is_neither_read_nor_replaced(realm: Any, make: Any, outside: Path) -> None:
    record = realm.layout.campaign(make.campaign).record
    record.unlink()
    (outside / "theirs.json").write_text('{"theirs": 1}')
    record.symlink_to(outside / "theirs.json")

    assert f"{record}: is a symbolic link (not followed)" in realm.fails(write_record(make)).text

    assert record.is_symlink()
    assert (outside / "theirs.json").read_text() == '{"theirs": 1}'


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_a_pipe_or_a_folder_in_the_place_of_a_record_is_named_at_once(
    kind: str, realm: Any, make: Any
) -> None:
    record = realm.layout.campaign(make.campaign).record
    record.unlink()
    (os.mkfifo if kind == "pipe" else os.mkdir)(record)

    outcome = realm.fails(write_record(make))

    assert outcome.permanent
    assert outcome.text == f"{record}: is a {kind} where a plain file {BELONGS}"


@pytest.mark.parametrize("name", ["campaign.json", "saga.json", "saga.jsonl"])
def test_a_pause_is_served_whatever_stands_in_the_campaigns_folder(name: str, realm: Any, make: Any) -> None:
    path = realm.layout.campaign(make.campaign).folder / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    number = realm.ask("pause")

    realm.done(
        a.HandleRequest(
            request_id=number,
            kind="pause",
            campaign=make.campaign,
            campaign_uid=make.uid,
            asked_by="kim",
            why="lunch",
        )
    )
    settle(realm)

    assert {row.name: row.hold for row in realm.view().campaigns}[make.campaign] == "pause"


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_a_saga_is_appended_nowhere_else_and_written_whole_once_its_place_is_free(
    kind: str, at_rest: Any, make: Any, outside: Path
) -> None:
    saga = at_rest.layout.campaign(make.campaign).saga
    theirs = outside / "theirs"
    theirs.write_text("theirs")
    {"pipe": os.mkfifo, "link": lambda path: path.symlink_to(theirs), "folder": os.mkdir}[kind](saga)
    settle(at_rest)
    assert theirs.read_text() == "theirs"
    assert at_rest.layout.campaign(make.other).saga.is_file()

    saga.rmdir() if kind == "folder" else saga.unlink()
    at_rest.done(make.activate(make.campaign, make.other))
    settle(at_rest)

    events = [line.partition('"event":"')[2].partition('"')[0] for line in saga.read_text().splitlines()]
    assert events == ["created", "activated", "quest_queued", "saved", "paused", "activated"]


def settle(realm: Any) -> None:
    writer = enter_office(realm.layout, NOW)
    try:
        settle_sagas(realm.layout, writer)
    finally:
        writer.close()


def test_a_pipe_in_the_place_of_the_job_history_stops_nothing_and_owes_the_line(
    realm: Any, make: Any
) -> None:
    history = realm.layout.job_history
    history.parent.mkdir(exist_ok=True)
    os.mkfifo(history)
    realm.done(make.mark("completed", final_step=3))
    realm.done(write_record(make))
    assert not history.is_file()

    history.unlink()
    realm.done(write_record(make))

    assert len(history.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "content",
    [
        b'{"my_notes": "years", "highest_accuracy": NaN}',
        b'{"my_notes": "years", "torn',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"my_notes": ' + b"[" * 990 + b"]" * 990 + b"}",
        b'{"my_notes": ' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}",
        b'{"my_notes": ' + b"9" * 5000 + b"}",
        b'{"my_notes": 1e999}',
        b'{"my_notes": "\\ud800"}',
        b'["my notes"]',
    ],
    ids=["nan", "torn", "binary", "deep", "990", "101", "large", "infinite", "surrogate", "no-object"],
)
def test_a_record_that_cannot_be_understood_is_kept_once_before_it_is_replaced(
    content: bytes, realm: Any, make: Any
) -> None:
    record = realm.layout.campaign(make.campaign).record
    for _ in range(2):
        record.write_bytes(content)
        (said,) = realm.done(write_record(make))

    (kept,) = record.parent.glob("campaign.json.damaged-*")
    assert kept.read_bytes() == content
    assert said == f"campaign.json written; what was there could not be understood and is kept as {kept.name}"
    assert realm.json(record)["campaign_uid" if "campaign_uid" in realm.json(record) else "uid"] == make.uid


def test_a_record_larger_than_any_is_put_aside_as_it_is_and_plan_and_apply_agree(
    realm: Any, make: Any
) -> None:
    record, root = realm.layout.campaign(make.campaign).record, realm.layout.root
    content = b'{"my_notes": "' + b"9" * MAX_RECORD_BYTES + b'"}'
    record.write_bytes(content)
    assert "larger than 8388608 bytes" in str(read_derived(record, root).problem)

    (said,) = realm.done(write_record(make))

    (kept,) = record.parent.glob("campaign.json.damaged-*")
    assert kept.read_bytes() == content
    assert said == (
        f"campaign.json written; what was there, {len(content):,} bytes, is larger than any record "
        f"and is kept as {kept.name}"
    )
    assert read_derived(record, root).problem is None
    assert "my_notes" not in realm.json(record)


def test_an_empty_record_leaves_nothing_to_keep(realm: Any, make: Any) -> None:
    record = realm.layout.campaign(make.campaign).record
    record.write_bytes(b"\n")

    assert realm.done(write_record(make)) == ["campaign.json written"]
    assert not list(record.parent.glob("*.damaged-*"))


def test_a_pointer_that_cannot_be_understood_is_kept(realm: Any, make: Any) -> None:
    pointer = realm.layout.active_pointer
    pointer.write_text('{"mine": NaN}')

    (said,) = realm.done(a.WritePointer(campaign=make.campaign, campaign_uid=make.uid))

    (kept,) = pointer.parent.glob("active_campaign.json.damaged-*")
    assert kept.read_text() == '{"mine": NaN}'
    assert said.endswith(f"is kept as {kept.name}")


def test_a_sidecar_that_cannot_be_understood_is_kept_outside_the_checkpoint(at_rest: Any, make: Any) -> None:
    places = at_rest.layout.campaign(make.campaign)
    sidecar = places.checkpoint(7) / ".ledger.json"
    sidecar.chmod(0o600)
    sidecar.write_text('{"mine": NaN}')

    at_rest.done(make.archive())

    archived = at_rest.layout.campaign(make.campaign, archived=True)
    (kept,) = archived.folder.glob("checkpoint-7.ledger.json.damaged-*")
    assert kept.read_text() == '{"mine": NaN}'
    assert not list(archived.checkpoint(7).glob("*.damaged-*"))
