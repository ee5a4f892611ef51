"""The inputs of planning, and the questions that several planners ask of them."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from reconciler.desired.base import Suspend, suspended_until
from reconciler.desired.campaign import Campaign
from reconciler.desired.desired import Desired, Source
from reconciler.desired.places import Step
from reconciler.desired.queue import Quest
from reconciler.desired.retention import Retention
from reconciler.observed.facts import CampaignFacts, Facts
from reconciler.observed.records import FoundCheckpoint, RunFacts
from reconciler.plan.dropped import Dropped, all_quests, dropped_quests, where_of
from reconciler.plan.observed_time import observed_now
from state.contract.goals import Goals, Reached, goal_reached, num_quests_done
from state.ids import RunKey, campaign_uid
from state.store.rows import CampaignRow, Hold, LedgerRow, RunRow, TrashRow

_WITHOUT_END = "9999"
"""Sorts behind every moment."""


class LiveRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run whose process lives."""

    campaign: str
    folder_name: str
    """Of its campaign."""
    row: RunRow
    seen: RunFacts | None
    """None while the process has not claimed its run."""

    @property
    def is_moving(self) -> bool:
        """Has it not claimed its run yet, or said already why it leaves?"""
        return self.seen is None or self.seen.exit is not None

    @property
    def key(self) -> RunKey:
        return RunKey(self.row.campaign_uid, self.row.generation, self.row.attempt)


class World(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What should be, what is, and the time: all that a plan depends on."""

    desired: Desired
    facts: Facts
    specs_commit: str
    now: str
    right: frozenset[str] = frozenset()
    """Campaigns whose campaign.json and training_status.json are known to say what they should."""
    misnamed: Mapping[str, Source[Campaign]] = {}
    """Specs that are left out of `desired`: their names, or `was:`, say that two campaigns are one, or
    nobody says whether they are."""
    judged_by: Mapping[str, str] = {}
    """Quest whose rows a skill is to make → digest of all that decides whether they may be trained on."""

    @property
    def observed_now(self) -> float:
        """The realm's observed time in seconds."""
        return observed_now(self.facts.store, self.now, self.facts.boot)

    @property
    def active(self) -> str | None:
        """The campaign that the specs want active; none where that one was deleted, or is misnamed."""
        name = self.desired.realm.spec.active
        return None if name is not None and (self.is_deleted(name) or name in self.misnamed) else name

    @property
    def is_active_misnamed(self) -> bool:
        """Do the specs want a campaign active whose spec is left out?"""
        return self.desired.realm.spec.active in self.misnamed

    def may_be_misnamed(self, campaign: str) -> bool:
        """Has this campaign no spec, while one is left out that may be its own?"""
        if not self.misnamed or campaign in self.desired.campaigns or self.is_deleted(campaign):
            return False
        asked = {one.new: one.old for one in self.facts.unsaid}
        return any(campaign in asked.get(name, (campaign,)) for name in self.misnamed)

    def stays_as_it_is(self, campaign: str) -> bool:
        """Do its run and its jobs go on as they are, until a wrong name is put right?"""
        return self.is_active_misnamed or self.may_be_misnamed(campaign)

    def is_deleted(self, campaign: str) -> bool:
        """Was it deleted whole, and not taken back?"""
        row = self.facts.campaign_row(campaign)
        return row is not None and row.status == "deleted"

    def uid(self, campaign: str) -> str:
        """Return the uid that the campaign has, or will get."""
        row = self.facts.campaign_row(campaign)
        return row.uid if row else campaign_uid(self.facts.store.realm_uid, campaign)

    def name(self, uid: str) -> str:
        """Return the name of a registered campaign."""
        return self.facts.campaign_name(uid)

    def folder_name(self, campaign: str) -> str:
        """Return the name that the campaign's folder has, or will get."""
        row = self.facts.campaign_row(campaign)
        return row.folder_name if row else campaign

    @cached_property
    def starting_points(self) -> dict[str, list[tuple[str, str]]]:
        """Campaign → who began, or is to begin, with which checkpoint of it (`<hero>/<campaign>@...`)."""
        found: dict[str, list[tuple[str, str]]] = {}
        for name, checkpoint in self._named_starting_points():
            if checkpoint is not None:
                found.setdefault(checkpoint.partition("@")[0], []).append((name, checkpoint))
        return found

    def _named_starting_points(self) -> Iterator[tuple[str, str | None]]:
        for name, source in (*self.desired.campaigns.items(), *self.misnamed.items()):
            wanted = source.spec.starting_checkpoint
            if wanted is not None and not self.is_deleted(name):
                yield name, self.named_now(wanted)
        for row in self.facts.store.campaigns:
            if row.status == "deleted":
                continue
            yield row.name, row.starting_checkpoint
            yield row.name, row.starting_from

    @property
    def begun_demotions(self) -> Iterator[tuple[TrashRow, LedgerRow]]:
        """Yield each full form that has its tombstone while the ledger still calls it present."""
        for stone in self.facts.in_trash:
            if stone.keeps is not None:
                rows = self.facts.ledger_of(stone.campaign_uid)
                yield from ((stone, one) for one in rows if one.digest == stone.digest)

    def is_half_demoted(self, one: LedgerRow) -> bool:
        """Does the full form lie in the trash, so that finishing makes the ledger right and loses no more?"""
        stones = (stone for stone, row in self.begun_demotions if row.sequence == one.sequence)
        return any(stone.path.rpartition("/")[2] in self.facts.trash.folders for stone in stones)

    def seen(self, campaign: str) -> CampaignFacts:
        """Return what lies in the campaign's folder."""
        return self.facts.campaigns.get(campaign) or CampaignFacts()

    @cached_property
    def retention(self) -> Source[Retention] | None:
        """The rules for keeping; a checkpoint of a renamed campaign is named in them as it is called now."""
        source, rows = self.desired.retention, self.facts.store.campaigns
        if source is None or not any(row.former_names for row in rows):
            return source
        from reconciler.plan.former_names import retention_now

        return retention_now(source, rows)

    def named_now(self, word: str) -> str:
        """Return a campaign's or a checkpoint's name in a spec, as the campaign is called now."""
        rows = self.facts.store.campaigns
        is_known = self.facts.campaign_row(word.partition("@")[0]) is not None
        if is_known or not any(row.former_names for row in rows):
            return word
        from state.former_names import called_now

        return called_now(rows, word)

    @property
    def acknowledged_losses(self) -> tuple[str, ...]:
        """Return the checkpoints whose loss a person has acknowledged, as `<hero>/<campaign>@<step>`."""
        retention = self.retention
        return retention.spec.acknowledged_losses if retention is not None else ()

    def wants_archived(self, row: CampaignRow) -> bool:
        """Do the specs want this campaign in the archive? One without a spec stays where it is."""
        source = self.desired.campaigns.get(row.name)
        if source is None or source.spec.state == "deleted":
            return row.status == "archived"
        return source.spec.state == "archived"

    def wants_cleanup(self, row: CampaignRow) -> bool:
        """Do the specs want every checkpoint of this campaign gone, or is it gone?"""
        return self.cleanup_line(row.name) is not None or row.status == "deleted"

    def cleanup_line(self, campaign: str) -> str | None:
        """Return the line of the campaign's spec that asks for a clean-up, as it is written."""
        source = self.desired.campaigns.get(campaign)
        if source is not None and source.spec.state == "deleted":
            return "state: deleted"
        return "keep: metrics" if source is not None and source.spec.keep == "metrics" else None

    def newest_checkpoint(self, campaign: str) -> FoundCheckpoint | None:
        """Return the checkpoint that a launch goes on from: the newest complete healthy one."""
        damaged = {row.digest for row in self.facts.ledger_of(self.uid(campaign)) if row.damage is not None}
        newest_first = reversed(self.seen(campaign).checkpoints.complete)
        healthy = (f for f in newest_first if f.healthy and f.digest not in damaged)
        return next(healthy, None)

    def hold(self, campaign: str) -> Hold | None:
        """Return the hold on a campaign once the open requests are handled."""
        row = self.facts.campaign_row(campaign)
        hold = row.hold if row else None
        for request in self.facts.store.requests:
            match request.kind if request.campaign == campaign else None:
                case "resume":
                    hold = None
                case "pause" | "stop" as kind:
                    hold = kind
                case _:
                    pass  # it holds nothing
        return hold

    def forgiven_at(self, row: CampaignRow) -> str | None:
        """Return the moment before which failures no longer count, open requests included."""
        resumed = any(r.campaign == row.name and r.kind == "resume" for r in self.facts.store.requests)
        return self.now if resumed else row.forgiven_at

    def goals(self, campaign: str) -> Goals:
        """Return what the campaign's spec wants it to reach."""
        goal = self.desired.campaigns[campaign].spec.goal
        return goal.goals if goal else Goals()

    def goal_reached(self, campaign: str) -> str | None:
        """Return the goal that the campaign's newest checkpoint has reached, in words."""
        newest = self.newest_checkpoint(campaign)
        if newest is None:
            return None
        manifest = newest.manifest
        tokens, quests = manifest.measures.tokens_seen, num_quests_done(manifest.cursor)
        return goal_reached(self.goals(campaign), Reached(updates=newest.step, tokens=tokens, quests=quests))

    def live_runs(self) -> tuple[LiveRun, ...]:
        """Return the runs whose process lives, or is starting; one that was lost too early is one of them."""
        found = []
        for row in self.facts.store.runs:
            if row.state == "ended" and row is not self.lost_too_early:
                continue
            campaign = self.name(row.campaign_uid)
            folder = self.folder_name(campaign)
            key = RunKey(row.campaign_uid, row.generation, row.attempt)
            seen = self.seen(campaign).run(key)
            if seen is not None and seen.is_of(row.cookie):
                found.append(LiveRun(campaign=campaign, folder_name=folder, row=row, seen=seen))
            elif key.folder in self.seen(campaign).starting:
                found.append(LiveRun(campaign=campaign, folder_name=folder, row=row, seen=None))
        return tuple(found)

    @cached_property
    def lost_too_early(self) -> RunRow | None:
        """The run that was closed without a word of its trainer, which lives; None beside an open run."""
        if any(row.state != "ended" for row in self.facts.store.runs):
            return None
        found = (
            row
            for name, seen in sorted(self.facts.campaigns.items())
            for run in seen.runs
            if run.alive and (row := self.row_of_run(name, run)) is not None
            if row.end == "lost" and run.exit is None and run.is_of(row.cookie)
        )
        return next(found, None)

    def strangers(self) -> tuple[tuple[str, RunFacts], ...]:
        """Return the living runs that the store does not know, or calls over, each with its campaign.

        A store that was lost, or is an older copy, forgets what goes on.
        """
        return tuple(
            (name, run)
            for name, seen in sorted(self.facts.campaigns.items())
            for run in seen.runs
            if run.alive and not self._knows(name, run)
        )

    def _knows(self, campaign: str, run: RunFacts) -> bool:
        row = self.row_of_run(campaign, run)
        return row is not None and (row.state != "ended" or row is self.lost_too_early)

    def row_of_run(self, campaign: str, run: RunFacts) -> RunRow | None:
        """Return what the store says of a run that lies there."""
        key = (run.generation, run.attempt)
        rows = self.facts.runs_of(self.uid(campaign))
        return next((row for row in rows if (row.generation, row.attempt) == key), None)

    def is_training(self, campaign: str) -> bool:
        """Does a trainer of this campaign live, or is one starting, whether the store knows it or not?"""
        seen = self.seen(campaign)
        return bool(seen.starting) or any(run.alive for run in seen.runs)

    def is_suspended(self, suspend: Suspend | None) -> bool:
        """Does this suspension count now?"""
        if suspend is None:
            return False
        until = suspended_until(suspend)
        return until is None or self.now < until

    @cached_property
    def is_realm_suspended(self) -> bool:
        return self.is_suspended(self.desired.realm.spec.suspend)

    @property
    def is_queue_suspended(self) -> bool:
        return self.desired.queue is not None and self.is_suspended(self.desired.queue.spec.suspend)

    def suspension(self, campaign: str) -> tuple[str, Suspend] | None:
        """Return the spec that suspends a campaign: its own, its hero's, the queue's or the realm's.

        Where several do, the one that lasts longest: the others' ends change nothing.
        """
        if not self._suspends:
            return None
        hero = campaign.partition("/")[0]
        layers: tuple[tuple[str, Source[Any] | None], ...] = (
            (f"campaign/{campaign}", self.desired.campaigns.get(campaign)),
            (f"hero/{hero}", self.desired.heroes.get(hero)),
            ("queue", self.desired.queue),
            ("realm", self.desired.realm),
        )
        found = [
            (thing, suspend)
            for thing, source in layers
            if source is not None and (suspend := source.spec.suspend) and self.is_suspended(suspend)
        ]
        return max(found, key=lambda one: suspended_until(one[1]) or _WITHOUT_END, default=None)

    @cached_property
    def _suspends(self) -> bool:
        """Does any of these specs suspend anything?"""
        desired = self.desired
        sources = (*desired.campaigns.values(), *desired.heroes.values(), desired.queue, desired.realm)
        return any(source is not None and source.spec.suspend is not None for source in sources)

    @cached_property
    def quests(self) -> tuple[Quest, ...]:
        """Every quest, in the order of the queue: those of the specs, then those of the inbox."""
        return all_quests(self.desired, self.dropped)

    @cached_property
    def dropped(self) -> dict[str, Dropped]:
        """The quests of the inbox."""
        return dropped_quests(self.desired, self.facts)

    @cached_property
    def quest_places(self) -> dict[str, int]:
        """Quest id → its place in the queue."""
        return {quest.id: place for place, quest in enumerate(self.quests)}

    def quest_where(self, quest_id: str) -> str:
        """Return file and line of a quest of the queue; of a dropped one its place below the root."""
        return where_of(self.desired, self.quests, self.quest_places[quest_id])

    def below_root(self, path: str) -> str:
        """Return a path as it is named below the root; one elsewhere as it is."""
        return path.removeprefix(f"{self.facts.disk.root}/")

    def where(self, thing: str, *path: Step) -> str:
        """Return file and line of a key path in the spec of a thing: `realm`, `queue`, `hero/<id>`, ..."""
        kind, _, name = thing.partition("/")
        desired = self.desired
        sources: dict[str, Source[Any] | None] = {
            "realm": desired.realm,
            "queue": desired.queue,
            "hero": desired.heroes.get(name),
            "campaign": desired.campaigns.get(name),
            "skill": desired.skills.get(name),
        }
        source = sources[kind]
        return source.where(*path) if source is not None else "specs"
