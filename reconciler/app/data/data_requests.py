"""What is to be looked through: the content of each quest, as each campaign that trains it would see it."""

from collections.abc import Iterator

import msgspec

from reconciler.desired.desired import Desired
from reconciler.desired.queue import Quest
from reconciler.plan.configs.hero_checks import LaunchProblem
from reconciler.plan.configs.resolved import ResolvedRun, resolve_run
from reconciler.plan.queue.quest_sources import (
    NoSource,
    contracts_of,
    contracts_of_inbox,
    named_dataset,
    quest_source,
)
from reconciler.plan.world import World
from state.contract.contents import Finding
from state.contract.inspection import Depth, InspectRequest
from state.contract.row_contracts import RowContract
from state.layout import Layout


class QuestContent(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rows of a quest are now, or why there are none to look at."""

    path: str | None = None
    digest: str | None = None
    """`sha256:` and 64 hex digits over the file's bytes."""
    start_byte: int = 0
    """Where the rows begin in it that are new; those before were taken in already."""
    contracts: tuple[RowContract, ...] = ()
    findings: tuple[Finding, ...] = ()
    why_not: str | None = None
    """In words, where there is nothing to look at yet."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One quest as one campaign would train it."""

    quest_id: str
    where: str
    """File and line of the spec."""
    campaign: str | None
    """None: none trains it now."""
    content: QuestContent
    request: InspectRequest | None
    """None: there is nothing to look at."""
    no_tokens: str | None
    """In words, why tokens cannot be counted."""
    dataset: str | None = None
    """The dataset that the quest names, with file and line."""


class Subjects:
    """Makes subjects of quests; the config of each campaign is resolved once."""

    def __init__(self, world: World, layout: Layout, depth: Depth) -> None:
        self._world = world
        self._layout = layout
        self._depth = depth
        self._runs: dict[str, ResolvedRun | tuple[LaunchProblem, ...]] = {}

    def all(self) -> Iterator[Subject]:
        """Yield every quest of the queue, once for each campaign that would train it."""
        for quest in self._world.quests:
            for campaign in campaigns_of(self._world.desired, quest) or (None,):
                yield self.newest_of(quest, campaign, only_new=True)

    def newest_of(self, quest: Quest, campaign: str | None, *, only_new: bool = False) -> Subject:
        """Return the same of the newest part of a file that grew; with `only_new` of rows to be taken in."""
        content = _content(self._world, self._layout, quest)
        seen = self._world.facts.quest_files.get(quest.id)
        if seen is not None and seen.continued:
            from reconciler.plan.queue.quest_parts import newest_start  # only a file that goes on has parts

            start = newest_start(self._world, quest, campaign, only_new=only_new)
            content = msgspec.structs.replace(content, start_byte=start)
        return self.of(quest, campaign, content)

    def of(self, quest: Quest, campaign: str | None, content: QuestContent | None = None) -> Subject:
        """Return what to look at of a quest for a campaign: its content as it is now, or this one."""
        world = self._world
        content = content or _content(world, self._layout, quest)
        run = self._run(campaign) if campaign is not None else ()
        no_tokens = None
        if not isinstance(run, ResolvedRun):
            no_tokens = f"{campaign}: {run[0].message}" if run else "no campaign trains it now"
        resolved = run if isinstance(run, ResolvedRun) else None
        from reconciler.plan.configs.judging import inspect_request  # a plan with nothing to do asks nothing

        return Subject(
            quest_id=quest.id,
            where=world.quest_where(quest.id),
            campaign=campaign,
            content=content,
            request=_request(content, inspect_request(world, quest, campaign, resolved, self._depth)),
            no_tokens=no_tokens,
            dataset=named_dataset(world.desired, quest),
        )

    def _run(self, campaign: str) -> ResolvedRun | tuple[LaunchProblem, ...]:
        if campaign not in self._runs:
            self._runs[campaign] = resolve_run(self._world, campaign)
        return self._runs[campaign]


def campaigns_of(desired: Desired, quest: Quest) -> tuple[str, ...]:
    """Return the campaigns that would train a quest; of a hero's, the active one or else the first."""
    active = desired.realm.spec.active
    if not quest.for_:
        return (active,) if active is not None else ()
    found = (_campaign_of(desired, who, active) for who in quest.for_)
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _campaign_of(desired: Desired, who: str, active: str | None) -> str | None:
    if "/" in who:
        return who if who in desired.campaigns else None
    theirs = [name for name in sorted(desired.campaigns) if name.partition("/")[0] == who]
    going_on = [name for name in theirs if desired.campaigns[name].spec.state is None]
    return active if active in theirs else next(iter(going_on), None)


def _content(world: World, layout: Layout, quest: Quest) -> QuestContent:
    """Return the file that the quest names as it is now, else the snapshot of what was made or dropped."""
    seen = world.facts.quest_files.get(quest.id)
    if seen is not None:
        if seen.sha256 is None:
            return QuestContent(path=seen.path, findings=seen.findings)
        contracts = contracts_of(world.desired, quest)
        return QuestContent(path=seen.path, digest=seen.sha256, contracts=contracts)
    from reconciler.plan.configs.judging import in_inbox  # a plan with nothing to do asks nothing

    if (dropped := in_inbox(world, quest)) is not None:
        contracts = contracts_of_inbox(world.desired)
        return QuestContent(
            path=dropped.path, digest=dropped.sha256, start_byte=dropped.start_byte, contracts=contracts
        )
    source = quest_source(world, quest)
    if isinstance(source, NoSource):
        return QuestContent(why_not=source.message)
    row = world.facts.quest_data(source.key)
    if row is None:
        return QuestContent(why_not="its rows are not there yet; apply brings them")
    contract = RowContract(name=source.shape.kind, shape=source.shape)
    return QuestContent(path=str(layout.snapshot(row.digest)), digest=row.digest, contracts=(contract,))


def _request(content: QuestContent, asked: InspectRequest) -> InspectRequest | None:
    """Return the question about this content; None where there is nothing to look at."""
    if content.path is None or content.digest is None:
        return None
    return msgspec.structs.replace(
        asked, path=content.path, contracts=content.contracts, start_byte=content.start_byte
    )
