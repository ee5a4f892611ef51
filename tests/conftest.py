"""What tests of every package share: `from children import in_child`, and the real material."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))
from somewhere import leave_home

leave_home()

from weak_root import weak_root

settings.register_profile("realm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("realm")  # how long an example takes says nothing: the machine may be busy


@pytest.fixture(scope="session")
def cases() -> Path:
    """Return the folder of real material beside the checkout; skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "cases"
    if not folder.is_dir():
        pytest.skip(f"the real material is not here: {folder}")
    return folder


@pytest.fixture
def unreadable() -> Iterator[Callable[[Path], None]]:
    """Return a function that makes a folder unreadable for this test, whoever runs it; root gives up its right."""
    before: dict[Path, int] = {}

    def lock(folder: Path) -> None:
        before.setdefault(folder, folder.stat().st_mode)
        folder.chmod(0)

    with weak_root():
        yield lock
        for folder, mode in before.items():
            folder.chmod(mode)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what trains where the train extra is not installed."""
    if find_spec("torch") is None:
        for item in items:
            if item.get_closest_marker("train"):
                item.add_marker(pytest.mark.skip(reason="needs the train extra: torch is not installed"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many faults were injected, by kind, where the fault tests ran."""
    faults: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "faults":
                faults.update(value)
    if faults:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in faults.most_common())
        terminalreporter.write_line(f"{faults.total():,} faults injected, all recovered: {kinds}")
