"""What the checks found: the first of each check in full, and how many there are."""

from collections.abc import Iterable

from state.contract.contents import MAX_FINDINGS
from state.contract.inspection import Check, DataFinding
from state.contract.row_words import Objection


class Findings:
    """Collects what the checks say."""

    def __init__(self, most: int = MAX_FINDINGS) -> None:
        """Of each check `most` are kept in full."""
        self._most = most
        self._found: dict[Check, list[DataFinding]] = {}
        self._counts: dict[Check, int] = {}

    def add(self, check: Check, row: int | None, objection: Objection, *, is_error: bool = False) -> None:
        """Note what a check found in the row with this number (from 1), or in the file as a whole."""
        self._counts[check] = self._counts.get(check, 0) + 1
        shown = self._found.setdefault(check, [])
        if len(shown) < self._most:
            found, expected, advice = objection
            shown.append(
                DataFinding(
                    check=check, is_error=is_error, row=row, found=found, expected=expected, advice=advice
                )
            )

    def add_all(self, check: Check, found: Iterable[tuple[int, Objection]]) -> None:
        """Note what a check found, row by row."""
        for row, objection in found:
            self.add(check, row, objection)

    def add_unshown(self, check: Check, number: int) -> None:
        """Note how many more a check found, none of which is shown."""
        if number:
            self._counts[check] = self._counts.get(check, 0) + number

    @property
    def counts(self) -> dict[str, int]:
        """Return how often each check found something."""
        return {str(check): number for check, number in self._counts.items()}

    def all(self) -> tuple[DataFinding, ...]:
        """Return the first findings of each check: errors first, then in the order of the rows."""
        found = [finding for one in self._found.values() for finding in one]
        return tuple(sorted(found, key=lambda one: (not one.is_error, one.row or 0, one.check)))
