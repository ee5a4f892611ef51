"""Failpoints cost nothing until a test arms one."""

import errno
import signal
from collections.abc import Iterator

import pytest
from children import in_child

from state import failpoints


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.observe(None)


def test_what_was_armed_is_reached_no_more_once_it_is_disarmed() -> None:
    seen: list[str] = []
    failpoints.observe(seen.append)
    failpoints.reach("first")
    failpoints.observe(None)
    failpoints.reach("second")

    assert seen == ["first"]


@pytest.mark.parametrize(("fault", "number"), [("ENOSPC", errno.ENOSPC), ("EIO", errno.EIO)])
def test_the_kth_failpoint_fails_and_no_other(fault: str, number: int) -> None:
    failpoints.arm(2, fault)
    failpoints.reach("first")

    with pytest.raises(OSError, match="failpoint second") as caught:
        failpoints.reach("second")

    assert caught.value.errno == number
    failpoints.reach("third")


def test_kill_kills() -> None:
    def work() -> None:
        failpoints.arm(1, "kill")
        failpoints.reach("here")

    assert in_child(work) == -signal.SIGKILL


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="'flood' is no fault; known: kill, ENOSPC, EIO"):
        failpoints.arm(1, "flood")


def test_the_environment_arms_a_started_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALM_FAILPOINT", "1:EIO")
    failpoints.arm_from_environment()

    with pytest.raises(OSError, match="failpoint here"):
        failpoints.reach("here")


def test_an_empty_environment_arms_nothing_and_disarms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REALM_FAILPOINT", raising=False)
    seen: list[str] = []
    failpoints.observe(seen.append)
    failpoints.arm_from_environment()
    failpoints.reach("here")

    assert seen == ["here"]
