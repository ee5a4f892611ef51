"""A file of the inbox becomes a quest; until its content is safe in the realm it stays where it is."""

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.plan import actions as a
from state import failpoints
from state.contract.orders import RowShape
from state.layout import STAGING_PREFIX


@pytest.fixture
def dropped(realm: Any, make: Any) -> Path:
    path = realm.layout.inbox / "maths" / "sums.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(make.rows)
    return path


def take(path: Path, make: Any, **changes: Any) -> a.TakeInboxFile:
    status = path.stat()
    given = a.TakeInboxFile(
        quest_id="maths-sums-0123abcd", name="maths/sums.jsonl", source_key="inbox key", digest=make.digest,
        num_rows=3, size_bytes=status.st_size, mtime_ns=str(status.st_mtime_ns), shape=RowShape(),
    )  # fmt: skip
    return msgspec.structs.replace(given, **changes)


def test_the_content_lies_in_the_realm_and_the_file_is_gone(realm: Any, make: Any, dropped: Path) -> None:
    realm.layout.snapshot(make.digest).unlink()

    assert realm.done(take(dropped, make)) == ["3 rows, 270 B"]

    assert not dropped.exists()
    assert dropped.parent.is_dir()
    assert realm.layout.snapshot(make.digest).read_bytes() == make.rows
    (row,) = realm.view().inbox
    assert (row.quest_id, row.name, row.digest, row.num_rows) == (
        "maths-sums-0123abcd", "maths/sums.jsonl", make.digest, 3,
    )  # fmt: skip
    assert not list(realm.layout.data.glob(f"{STAGING_PREFIX}*"))


def test_a_file_that_changed_since_the_plan_stays(realm: Any, make: Any, dropped: Path) -> None:
    action = take(dropped, make)
    dropped.write_bytes(make.rows * 2)

    outcome = realm.fails(action)

    assert outcome.text == (
        "inbox/maths/sums.jsonl changed since the plan; it stays, and the next plan looks at it again"
    )
    assert not outcome.permanent
    assert dropped.read_bytes() == make.rows * 2
    assert realm.view().inbox == ()


def test_another_content_of_the_same_size_and_time_stays(realm: Any, make: Any, dropped: Path) -> None:
    realm.layout.snapshot(make.digest).unlink()
    action = take(dropped, make)
    other = make.rows.replace(b"1+1", b"1+2")
    dropped.write_bytes(other)
    os.utime(dropped, ns=(0, int(action.mtime_ns)))

    outcome = realm.fails(action)

    assert "is not what the plan saw" in outcome.text
    assert dropped.read_bytes() == other
    assert realm.view().inbox == ()


def test_a_file_that_a_program_writes_to_stays(realm: Any, make: Any, dropped: Path) -> None:
    action = take(dropped, make)
    with dropped.open("ab"):
        outcome = realm.fails(action)
    assert "a program has it open for writing" in outcome.text
    assert dropped.exists()


def test_a_link_in_the_place_of_the_file_is_not_followed(realm: Any, make: Any, dropped: Path) -> None:
    action = take(dropped, make)
    elsewhere = dropped.with_name("elsewhere.jsonl")
    dropped.rename(elsewhere)
    dropped.symlink_to(elsewhere)

    outcome = realm.fails(action)

    assert "is a symbolic link, which is not followed; it is left alone" in outcome.text
    assert elsewhere.read_bytes() == make.rows


def test_a_file_that_is_gone_is_no_quest(realm: Any, make: Any, dropped: Path) -> None:
    action = take(dropped, make)
    dropped.unlink()
    assert realm.fails(action).text == "inbox/maths/sums.jsonl is not there any more"
    assert realm.view().inbox == ()


def test_the_same_file_dropped_again_is_the_same_quest(realm: Any, make: Any, dropped: Path) -> None:
    realm.done(take(dropped, make))
    (before,) = realm.view().inbox
    dropped.write_bytes(make.rows)

    (said,) = realm.done(take(dropped, make))

    assert said == "quest maths-sums-0123abcd has this content already; the file left the inbox"
    assert not dropped.exists()
    assert realm.view().inbox == (before,)


def test_dropping_it_again_brings_a_lost_snapshot_back(realm: Any, make: Any, dropped: Path) -> None:
    realm.done(take(dropped, make))
    realm.layout.snapshot(make.digest).unlink()
    dropped.write_bytes(make.rows)

    realm.done(take(dropped, make))

    assert realm.layout.snapshot(make.digest).read_bytes() == make.rows


def test_a_damaged_snapshot_under_its_digest_keeps_the_file_in_the_inbox(
    realm: Any, make: Any, dropped: Path
) -> None:
    snapshot = realm.layout.snapshot(make.digest)
    snapshot.chmod(0o600)
    snapshot.write_bytes(b"rot")

    outcome = realm.fails(take(dropped, make))

    assert "damaged, its content has sha256:" in outcome.text
    assert outcome.permanent
    assert dropped.read_bytes() == make.rows


def test_another_content_under_a_known_quest_stays(realm: Any, make: Any, dropped: Path) -> None:
    realm.done(take(dropped, make))
    other = make.rows * 2
    dropped.write_bytes(other)
    digest = "sha256:" + hashlib.sha256(other).hexdigest()

    outcome = realm.fails(take(dropped, make, digest=digest))

    assert f"quest maths-sums-0123abcd has another content, {make.digest}" in outcome.text
    assert dropped.read_bytes() == other


def test_only_what_came_behind_is_taken_in_of_a_file_that_grew(realm: Any, make: Any, dropped: Path) -> None:
    first = make.rows.replace(b"1+1", b"1+2")
    dropped.write_bytes(first + make.rows)
    realm.layout.snapshot(make.digest).unlink()

    said = realm.done(take(dropped, make, start_byte=len(first)))

    assert said == ["3 rows, 270 B"]
    assert realm.layout.snapshot(make.digest).read_bytes() == make.rows
    assert [row.size_bytes for row in realm.view().inbox] == [270]
    assert not dropped.exists()


def test_a_file_that_grows_while_it_is_taken_in_stays_with_what_came_behind(
    realm: Any, make: Any, dropped: Path
) -> None:
    action = take(dropped, make)

    def grow(point: str) -> None:
        if point == "store.committed" and realm.view().inbox:
            dropped.write_bytes(make.rows * 2)

    (outcome,) = realm.perform(action, before=lambda: failpoints.observe(grow))
    failpoints.observe(None)

    assert outcome.ok, outcome.text
    assert outcome.text == "3 rows; the file changed meanwhile and stays, with what came behind them"
    assert dropped.read_bytes() == make.rows * 2
    assert [row.digest for row in realm.view().inbox] == [make.digest]


def test_what_is_taken_in_within_one_second_keeps_the_order_of_its_arrival(
    realm: Any, make: Any, dropped: Path
) -> None:
    for name in ("zz", "b", "aa"):
        dropped.write_bytes(make.rows)
        assert realm.done(take(dropped, make, quest_id=name, source_key=name)) == ["3 rows, 270 B"]

    assert [(row.quest_id, row.number) for row in realm.view().inbox] == [("zz", 1), ("b", 2), ("aa", 3)]
