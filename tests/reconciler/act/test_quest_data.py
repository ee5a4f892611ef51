"""A quest's content lies in the realm under the digest of its bytes, whole and frozen."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.act.commands import Bounds, run_command
from reconciler.act.errors import Permanent, Temporary
from state.contract.inspection import LookedThrough
from state.contract.row_contracts import RowContract
from state.layout import STAGING_PREFIX


def staging(realm: Any) -> list[Path]:
    return list(realm.layout.data.glob(f"{STAGING_PREFIX}*"))


def test_a_snapshot_has_the_files_bytes_and_cannot_be_written(realm: Any, make: Any) -> None:
    path = realm.layout.snapshot(make.digest)

    assert path.read_bytes() == make.rows
    assert path.stat().st_mode & 0o777 == 0o400
    (row,) = realm.view().quest_data
    assert (row.digest, row.num_rows, row.size_bytes, row.origin) == (
        make.digest, 3, len(make.rows), str(realm.source),
    )  # fmt: skip


def test_a_file_that_changed_since_the_plan_is_not_taken_in(realm: Any, make: Any) -> None:
    realm.layout.snapshot(make.digest).unlink()
    realm.source.write_bytes(make.rows * 2)

    outcome = realm.fails(make.snapshot(realm.source))

    assert "changed since the plan: it has sha256:" in outcome.text
    assert not realm.layout.snapshot(make.digest).exists()
    assert staging(realm) == []


def test_a_file_that_is_gone_is_named(realm: Any, make: Any) -> None:
    realm.layout.snapshot(make.digest).unlink()
    realm.source.unlink()

    assert realm.fails(make.snapshot(realm.source)).text == f"{realm.source}: No such file or directory"


def test_a_damaged_snapshot_is_told_and_never_overwritten(realm: Any, make: Any) -> None:
    path = realm.layout.snapshot(make.digest)
    path.chmod(0o600)
    path.write_bytes(b"rot")

    outcome = realm.fails(make.snapshot(realm.source))

    assert "damaged, its content has sha256:" in outcome.text
    assert "nothing was overwritten: move it away" in outcome.text
    assert path.read_bytes() == b"rot"


def test_generated_rows_are_checked_and_kept(realm: Any, make: Any) -> None:
    (text,) = realm.done(make.generate("--answer", "4", source_key="made"))

    assert text == "3 rows made by skill sums"
    row = next(row for row in realm.view().quest_data if row.source_key == "made")
    assert b'"4"' in realm.layout.snapshot(row.digest).read_bytes()
    assert staging(realm) == []


def test_a_source_that_fails_is_quoted(realm: Any, make: Any) -> None:
    outcome = realm.fails(make.generate("--behave", "fail"))

    assert "failed with exit code 1; it said: no numbers left" in outcome.text
    assert outcome.permanent


def test_a_source_that_writes_nothing_is_told_what_it_must_do(realm: Any, make: Any) -> None:
    outcome = realm.fails(make.generate("--behave", "forget"))

    assert "ended well but wrote no file to --out; a source must write its rows there" in outcome.text


def test_a_torn_row_of_a_source_is_named_by_its_number(realm: Any, make: Any) -> None:
    outcome = realm.fails(make.generate("--behave", "torn"))

    assert "what skill sums made: row 4: the file is torn at the end" in outcome.text


def test_other_rows_than_the_first_time_are_refused(realm: Any, make: Any) -> None:
    outcome = realm.fails(make.generate("--answer", "5", expected_digest=make.digest))

    assert "skill sums made other rows than the first time" in outcome.text
    assert "give the quest a new id to train the new rows" in outcome.text


def test_beside_what_a_skill_made_stands_how_it_was_made_and_who_has_looked_through_it(
    realm: Any, make: Any
) -> None:
    realm.layout.snapshot(make.digest).unlink()

    realm.done(
        make.generate("--answer", "2", version="3"),
        look_through=lambda *_: LookedThrough(None, {"inspection": 6}),
    )

    sidecar = realm.layout.lineage(make.digest)
    assert sidecar.name == f"{realm.layout.snapshot(make.digest).name}.meta.json"
    assert realm.json(sidecar) == {
        "generator_id": "sums",
        "generator_version": "3",
        "generated_at": make.now,
        "example_count": 3,
        "params": {"answer": 2},
        "validator_versions": {"inspection": 6},
        "schema_id": None,
    }


def test_what_nobody_has_looked_through_says_so(realm: Any, make: Any) -> None:
    realm.done(make.generate("--answer", "2"))
    told = realm.json(realm.layout.lineage(make.digest))
    assert (told["generator_version"], told["validator_versions"]) == (None, {})


def test_rows_that_the_gate_refuses_are_not_kept(realm: Any, make: Any) -> None:
    realm.layout.snapshot(make.digest).unlink()

    outcome = realm.fails(
        make.generate("--answer", "2"),
        look_through=lambda quest, *_: LookedThrough(f"{quest}: row 2 is long"),
    )

    assert outcome.text == "refused: what skill sums made cannot be trained on: sums: row 2 is long"
    assert outcome.permanent
    assert not realm.layout.snapshot(make.digest).exists()
    assert is_refusal(realm)


def test_rows_that_nobody_could_look_through_are_not_kept_and_are_no_refusal(realm: Any, make: Any) -> None:
    realm.layout.snapshot(make.digest).unlink()
    unseen = LookedThrough("the trainer was killed", is_final=False)

    outcome = realm.fails(make.generate("--answer", "2"), look_through=lambda *_: unseen)

    assert outcome.text == "what skill sums made cannot be trained on: the trainer was killed"
    assert not realm.layout.snapshot(make.digest).exists()
    assert not is_refusal(realm)


def is_refusal(realm: Any) -> bool:
    """Return how planning understands the one failure in the journal."""
    (failed,) = realm.view().failed_actions
    assert isinstance(failed.is_refusal, bool)
    return failed.is_refusal


def test_a_program_that_is_not_there_is_named(realm: Any, make: Any) -> None:
    outcome = realm.fails(make.generate(command=("no-such-program",)))

    assert outcome.text == "no-such-program: there is no such program; correct the skill's source.command"


def hanging(make: Any, tmp_path: Path) -> tuple[str, ...]:
    return (*make.generate("--behave", "hang").command, "--out", str(tmp_path / "out"))


def test_a_source_that_takes_too_long_is_ended_with_all_it_started(make: Any, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"took more than 0\.3 s and was ended"):
        run_command(
            hanging(make, tmp_path), cwd=tmp_path, bounds=Bounds(seconds=0.3), interrupted=lambda: False
        )

    deadline = time.monotonic() + 100  # who was killed is gone once its own parent looked
    while left := [one for one in Path("/proc").iterdir() if str(tmp_path).encode() in _command_of(one)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def _command_of(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_asked_to_leave_it_does_not_wait_for_a_source(make: Any, tmp_path: Path) -> None:
    begun = time.monotonic()

    with pytest.raises(Temporary, match="broken off while it ran"):
        run_command(hanging(make, tmp_path), cwd=tmp_path, bounds=Bounds(), interrupted=lambda: True)

    assert time.monotonic() - begun < 300, "it waited for the end of the source"


def test_a_source_cannot_fill_the_disk(make: Any, tmp_path: Path) -> None:
    command = (*make.generate("--behave", "flood").command, "--out", str(tmp_path / "out"))

    with pytest.raises(Permanent, match="File too large"):
        run_command(command, cwd=tmp_path, bounds=Bounds(file_bytes=100_000), interrupted=lambda: False)

    assert (tmp_path / "out").stat().st_size <= 100_000


def test_of_a_file_with_invalid_rows_only_those_that_keep_the_contract_are_taken_in(
    realm: Any, make: Any
) -> None:
    contract = RowContract(name="sums", max_invalid_fraction=0.25)
    realm.source.write_bytes(b'{"messages": []}\n' + make.rows)
    realm.layout.snapshot(make.digest).unlink()

    realm.done(make.snapshot(realm.source, contract=contract))

    assert realm.layout.snapshot(make.digest).read_bytes() == make.rows


def test_a_request_that_comes_in_breaks_a_long_command_off_and_ends_the_plan(
    realm: Any, make: Any, tmp_path: Path
) -> None:
    command = hanging(make, tmp_path)
    begun = time.monotonic()
    threading.Timer(0.3, realm.ask, ("stop",)).start()

    outcomes = realm.perform(make.generate(command=tuple(command), source_key="other"), make.activate())

    assert time.monotonic() - begun < 300, "it waited for the end of the source"
    (outcome,) = outcomes
    assert "broken off while it ran, because of a request" in outcome.text
    assert not outcome.permanent
    assert staging(realm) == []
