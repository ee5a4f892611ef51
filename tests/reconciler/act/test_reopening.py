"""A run that was called lost too early is taken up again while its trainer lives, and only then."""

from typing import Any

import msgspec
import pytest

from reconciler.plan import actions as a
from state.atomic import write_json
from state.contract.exit import RunExit

EXIT = RunExit(
    reason="stopped", message="asked to", step=7, last_checkpoint_step=7, exited_at="2026-01-31T12:00:00Z"
)


def run_row(realm: Any) -> Any:
    return realm.view().runs[0]


def test_a_run_whose_trainer_lives_is_open_again_as_if_it_had_never_been_closed(
    realm: Any, make: Any
) -> None:
    realm.start_trainer()
    realm.done(a.ConfirmRun(**make.key, pid=99))
    before = run_row(realm)
    realm.call_lost()

    assert realm.done(a.ReopenRun(**make.key, pid=99)) == ["pid 99: it trains on"]

    assert run_row(realm) == before


@pytest.mark.parametrize("left", ["killed", "with a word"])
def test_a_run_whose_trainer_has_left_stays_closed(left: str, realm: Any, make: Any) -> None:
    realm.start_trainer()
    realm.call_lost()
    if left == "killed":
        realm.end_trainers()
    else:
        write_json(realm.run.exit, EXIT)

    outcome = realm.fails(a.ReopenRun(**make.key, pid=99))

    assert "its trainer has left meanwhile; the run stays closed" in outcome.text
    assert run_row(realm).end == "lost"


def test_no_run_is_opened_again_beside_another(realm: Any, make: Any) -> None:
    realm.start_trainer()
    realm.call_lost()
    realm.done(make.launch(attempt=2))

    outcome = realm.fails(a.ReopenRun(**make.key, pid=99))

    assert "run g1-a2" in outcome.text
    assert "is not over" in outcome.text


@pytest.mark.parametrize("kind", ["pause", "stop"])
def test_a_hold_never_says_that_nobody_is_at_work_while_a_trainer_lives(
    kind: Any, realm: Any, make: Any
) -> None:
    realm.start_trainer()
    realm.call_lost()
    number = realm.ask(kind)
    asked = a.HandleRequest(
        request_id=number, kind=kind, campaign=make.campaign, campaign_uid=make.uid, asked_by="kim", why=""
    )

    (told,) = realm.done(asked)
    realm.done(a.ReopenRun(**make.key, pid=99))
    (after,) = realm.done(msgspec.structs.replace(asked, request_id=realm.ask(kind)))

    pid = realm.json(realm.run.process)["pid"]
    assert f"one lives whose run is not open (run g1-a1, pid {pid}) and heeds no orders" in told
    assert "its trainer saves and" in after
