"""What a run measures with lies in the realm under its digest: nobody's edit changes it."""

from pathlib import Path
from typing import Any

import pytest

from state.contract.files import read
from state.contract.orders import RowShape
from state.contract.request import HeldOutFile, RunRequest


@pytest.fixture
def measured(make: Any) -> HeldOutFile:
    return HeldOutFile(path="/home/ada/held.jsonl", digest=make.digest, shape=RowShape())


def test_a_held_out_file_is_taken_in_whole_and_frozen(realm: Any, make: Any) -> None:
    realm.layout.snapshot(make.digest).unlink()

    assert realm.done(make.held_out(realm.source)) == ["3 rows, 270 B"]

    kept = realm.layout.snapshot(make.digest)
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (make.rows, 0o400)
    assert {row.source_key: row.digest for row in realm.view().quest_data}["measured"] == make.digest


def test_a_held_out_file_that_changed_since_the_plan_is_not_taken_in(realm: Any, make: Any) -> None:
    realm.layout.snapshot(make.digest).unlink()
    realm.source.write_bytes(make.rows + make.rows)

    failed = realm.fails(make.held_out(realm.source))

    assert "changed since the plan: it has sha256:" in failed.text
    assert not realm.layout.snapshot(make.digest).exists()


def test_a_run_is_told_to_measure_with_the_content_in_the_realm(
    realm: Any, make: Any, measured: HeldOutFile
) -> None:
    realm.done(make.launch(held_out=measured))

    found = read(realm.run.request, RunRequest).held_out
    assert found is not None
    assert Path(found.path) == realm.layout.snapshot(make.digest)


def test_nothing_is_launched_while_what_it_measures_with_is_not_there_or_damaged(
    realm: Any, make: Any, measured: HeldOutFile
) -> None:
    kept = realm.layout.snapshot(make.digest)
    kept.chmod(0o600)
    kept.write_bytes(b"{}")
    assert f"{kept}: damaged, its content has sha256:" in realm.fails(make.launch(held_out=measured)).text
    kept.unlink()
    failed = realm.fails(make.launch(held_out=measured))
    assert failed.text == (
        f"the held-out content {make.digest} is not in the realm; the next plan takes it in"
    )
    assert not realm.view().runs
