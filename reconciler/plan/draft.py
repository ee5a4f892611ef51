"""A plan in the making: planners add to it in the order in which apply will act."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from reconciler.plan.actions import Action, AnyAction
from reconciler.plan.changes import Awaiting, Blocked, Change, KeptNow, Risk, Source, Unasked, change_id
from state.store.rows import TrashRow

Wanted = TypeVar("Wanted", bound=Action)


class Draft:
    """Changes, blocked things and warnings, in the order of planning."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._by_kind: dict[type[Action], list[Change]] = {}
        self.blocked: list[Blocked] = []
        self.warnings: list[str] = []
        self.settled: set[str] = set()
        self.awaiting: Awaiting | None = None
        """What waits for an approval."""
        self.afterwards: list[Change] = []
        """What a later plan drops of the campaigns that this one archives."""
        self.kept: list[KeptNow] = []
        self.unasked: list[Unasked] = []
        """What stays in the trash because nothing asks any more for it to go."""
        self.once_restored: list[TrashRow] = []
        """What stays in the trash now, and goes by the rules once this plan has restored its campaign."""
        self.held_drops: set[int] = set()
        """Of ledger rows whose drop was cut short and is not finished for now: they lie in their place."""
        self.judged: dict[tuple[str, str, int], dict[int, str]] = {}
        """What the rules in force would keep of the trash, as `keeping.kept_again` found it."""
        self.judged_optimizers: dict[tuple[str, str], Mapping[str, str]] = {}
        """The same of optimizers' states, by digest of what kept its weights."""

    def add(
        self,
        action: AnyAction,
        *,
        subject: str,
        reason: str,
        cause: str,
        source: Source,
        risk: Risk = Risk.NONE,
        needs: tuple[str, ...] = (),
        needs_one_of: tuple[str, ...] = (),
    ) -> str:
        """Add a change and return its id."""
        change = Change(
            id=change_id(action),
            action=action,
            subject=subject,
            reason=reason,
            cause=cause,
            source=source,
            risk=risk,
            needs=needs,
            needs_one_of=needs_one_of,
        )
        self.put(change)
        return change.id

    def put(self, *changes: Change) -> None:
        """Put changes that were made before at the end of the plan."""
        for change in changes:
            self.changes.append(change)
            self._by_kind.setdefault(type(change.action), []).append(change)

    def take_out(self, changes: Iterable[Change]) -> None:
        """Take changes out of the plan."""
        ids = {change.id for change in changes}
        self.replace([change for change in self.changes if change.id not in ids])

    def replace(self, changes: Iterable[Change]) -> None:
        """Make these the changes of the plan, in this order."""
        self.changes, self._by_kind = [], {}
        self.put(*changes)

    def block(
        self, subject: str, *, code: str, message: str, cause: str, hint: str, until: str | None = None
    ) -> None:
        """Say that something asked for cannot be done now."""
        said = Blocked(subject=subject, code=code, message=message, cause=cause, hint=hint, until=until)
        self.blocked.append(said)

    def settle(self, subject: str) -> None:
        """Count a thing that the specs name; it is unchanged unless a change or a blocker is about it."""
        self.settled.add(subject)

    def actions(self, kind: type[Wanted]) -> list[Wanted]:
        """Return the planned actions of one kind."""
        found = (change.action for change in self._by_kind.get(kind, ()))
        return [action for action in found if isinstance(action, kind)]

    def ids(self, *kinds: type[Action]) -> tuple[str, ...]:
        """Return the ids of the planned changes of these kinds."""
        if len(kinds) == 1:  # asked once for each of many drops
            return tuple(change.id for change in self._by_kind.get(kinds[0], ()))
        return tuple(change.id for change in self.changes if isinstance(change.action, kinds))

    def ids_of(self, campaigns: Collection[str | None], *kinds: type[Action]) -> tuple[str, ...]:
        """Return the ids of the planned changes of these kinds that are about one of these campaigns.

        What is about another campaign may fail without keeping these waiting.
        """
        found = (change for kind in kinds for change in self._by_kind.get(kind, ()))
        return tuple(change.id for change in found if getattr(change.action, "campaign", None) in campaigns)

    @property
    def unchanged(self) -> int:
        """How many of the things that the specs name are as they should be."""
        touched = {change.subject for change in self.changes} | {item.subject for item in self.blocked}
        return len(self.settled - touched)
