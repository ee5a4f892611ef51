"""Records that another process wrote, or that anybody may have put there."""

import msgspec
import pytest

from state.contract.exit import RunExit
from state.contract.files import ContractError, OfNewerSoftware, decode

GOOD = {
    "reason": "finished",
    "message": "all quests are done",
    "step": 20,
    "last_checkpoint_step": 20,
    "exited_at": "2026-01-31T12:00:00Z",
}


def test_a_record_as_the_trainer_writes_it_is_read() -> None:
    assert decode(msgspec.json.encode(GOOD), RunExit, "exit.json").step == 20


@pytest.mark.parametrize(
    "moment",
    ["banana", "2026-01-31T12:00:00", "2026-02-31T12:00:00Z", "9999-12-31T23:59:59Z", "1969-01-01T00:00:00Z"],
)
def test_a_time_that_nothing_can_count_with_is_refused(moment) -> None:
    with pytest.raises(ContractError, match=r"exit\.json: exited_at is .*; expected a time such as"):
        decode(msgspec.json.encode(GOOD | {"exited_at": moment}), RunExit, "exit.json")


@pytest.mark.parametrize("lacks", [None, "step"])
def test_a_record_of_newer_software_is_named_as_such_whatever_its_shape(lacks: str | None) -> None:
    said = GOOD | {"schema_version": 99}
    said.pop(lacks, None)
    with pytest.raises(OfNewerSoftware, match=r"exit\.json: schema version 99 is newer than \d+, which"):
        decode(msgspec.json.encode(said), RunExit, "exit.json")


@pytest.mark.parametrize("step", [-5, 2**63, 10**24, 1.5])
def test_a_step_that_is_no_count_is_refused(step) -> None:
    content = str(GOOD | {"step": step}).replace("'", '"').encode()
    with pytest.raises(ContractError, match=r"exit\.json: not a RunExit: .*step"):
        decode(content, RunExit, "exit.json")
