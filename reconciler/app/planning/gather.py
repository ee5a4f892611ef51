"""Gather the facts: read the store, look at disk, processes and GPUs, and check the files that specs name.

Reads only. An `Observer` lives as long as its command or loop and remembers what has not changed.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reconciler.app.planning.open_runs import with_open_runs
from reconciler.app.planning.right_memory import RightMemory
from reconciler.app.planning.store_memory import StoreMemory
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.lock_holder import holder_of
from reconciler.desired.desired import Desired
from reconciler.desired.layers import held_out_of
from reconciler.desired.training import HeldOutFile
from reconciler.observed.bearers import Bearers
from reconciler.observed.campaign_folders import FolderCaches, observe_campaign_folder
from reconciler.observed.data_records import InboxFacts, QuestFileFacts
from reconciler.observed.derived_files import observe_derived
from reconciler.observed.disk import observe_disk
from reconciler.observed.facts import CampaignFacts, Facts
from reconciler.observed.folders import Neighbours
from reconciler.observed.gpus import observe_gpus, visible_gpus
from reconciler.observed.in_the_way import observe_obstacles
from reconciler.observed.inbox import observe_inbox
from reconciler.observed.machine_records import CopyTarget, GpuInventory
from reconciler.observed.model_records import ModelFacts
from reconciler.observed.orphans import OrphanFolders, with_names
from reconciler.observed.programs import why_not_startable
from reconciler.observed.queue_folders import observe_queue_folders
from reconciler.observed.records import SeenFolder, Strange
from reconciler.observed.second_look import may_fork
from reconciler.observed.snapshots import observe_snapshots
from reconciler.observed.source import observe_source
from reconciler.observed.start_records import StartFolder
from reconciler.observed.taken_in import TakenIn
from reconciler.observed.trash import observe_trash
from reconciler.plan.observed_time import is_over, observed_now
from reconciler.plan.queue.quest_sources import contracts_of, contracts_of_inbox
from state.canonical import short_id
from state.contract.contents import KnownPart
from state.homes import Home, find_homes
from state.host_memory import host_memory
from state.ids import RunKey, campaign_uid
from state.kept_answers import KeptAnswers
from state.layout import Layout
from state.moments import BootMoment
from state.source_status import SourceStatus
from state.store.root_place import copied_from
from state.store.rows import ExportWish, StoreView, TrashRow

if TYPE_CHECKING:
    from reconciler.observed.belongings import Belongings


class Observer:
    """Looks at the world, again and again."""

    def __init__(
        self, environment: Environment, layout: Layout, repository: Path, *, looks_ahead: bool = False
    ) -> None:
        """Look at what lies below this root; `looks_ahead`: with a second process where there is much."""
        self._looks_ahead = looks_ahead
        self._environment = environment
        self._layout = layout
        self._repository = repository
        self._files = KeptAnswers(environment.cache_folder / "facts")
        self._folders = FolderCaches(self._files)
        self._bearers = Bearers()
        self._orphans = OrphanFolders()
        self._store_memory = StoreMemory(layout)
        self._before: Facts | None = None
        self.right = RightMemory(self._files, layout.root)
        """What plans with what is remembered of the derived files."""

    def close(self) -> None:
        """Let go of what is kept open between two looks."""
        self._store_memory.close()

    def facts(self, desired: Desired) -> Facts:
        """Return what is, now."""
        self._folders.rest.recall(str(self._layout.campaigns))
        if self._looks_ahead and may_fork():
            self._folders.rest.look_ahead(self._layout.root)
        try:
            store, boot = self._store(desired), self._environment.boot()
            with self._files.at_once():
                folders = self._known_campaigns(store)
        finally:
            self._folders.rest.end_of_look()
        held_out_files = self._held_out_files(desired, store)
        campaigns = self._campaigns(desired, store, folders)
        source = observe_source(self._layout.fetched)
        found = Facts(
            store=store,
            is_in_office=self._is_in_office(store, source),
            export_targets=self._export_targets(store),
            boot=boot,
            disk=observe_disk(self._layout.root),
            copied_from=copied_from(self._layout, store.root_place),
            derived=observe_derived(self._layout, folders),
            source=source,
            orphans=self._orphans.look(self._layout, store.campaigns, desired.campaigns),
            among_checkpoints=self._orphans.among_checkpoints(self._layout, campaigns.values()),
            gpus=self._gpus(),
            host_memory=host_memory(),
            obstacles=observe_obstacles(self._layout, store.campaigns, _clear(folders)),
            campaigns=campaigns,
            snapshots=observe_snapshots(self._layout),
            trash=observe_trash(self._layout),
            strange=dict(self._strange(desired, store, boot, folders)),
            inbox=self._inbox(desired, store),
            queue_folders=observe_queue_folders(self._layout),
            quest_files=self._quest_files(desired, store, held_out_files),
            held_out_files=held_out_files,
            models=self._models(desired),
            start_folders=dict(self._start_folders(desired, store)),
            missing_programs=self._missing_programs(desired),
        )
        self._before = found.after(self._before) if self._before is not None else found
        return found

    def _is_in_office(self, store: StoreView, source: SourceStatus | None) -> bool:
        """Look whether a reconciler is at work, where what is planned goes by it."""
        is_asked = bool(store.last_failures) or (source is not None and source.trouble is not None)
        return is_asked and holder_of(self._layout.lock) is not None

    def _gpus(self) -> GpuInventory:
        allowed = self._environment.variables.get("CUDA_VISIBLE_DEVICES")
        return visible_gpus(with_names(observe_gpus()), allowed)

    def _export_targets(self, store: StoreView) -> dict[str, CopyTarget]:
        """Return how it is in the folders of open exports: no other place elsewhere is touched by a look."""
        asked = (one.details_json or "" for one in store.requests if one.kind == "export")
        places = {msgspec.json.decode(details, type=ExportWish).to for details in asked}
        if not places:
            return {}
        from reconciler.observed.copy_places import observe_target

        return {place: observe_target(Path(place), self._layout.root) for place in sorted(places)}

    def _store(self, desired: Desired) -> StoreView:
        try:
            return self._store_memory.read()
        except FileNotFoundError:
            return StoreView(realm_uid=new_realm_uid(desired.realm.spec.id, self._layout), epoch=0)

    def _campaigns(
        self, desired: Desired, store: StoreView, known: Mapping[str, SeenFolder]
    ) -> dict[str, CampaignFacts]:
        folders = {**self._unknown_campaigns(desired, store), **known}
        seen = {name: _facts(folder) for name, folder in folders.items()}
        return with_open_runs(store, seen, self._bearers, self._layout.trainer_lock)

    def _known_campaigns(self, store: StoreView) -> dict[str, SeenFolder]:
        """Return what lies in the folders of the store's campaigns, by name."""
        homes, segments = find_homes(self._layout, store.campaigns), _numbers(store)
        with Neighbours(self._layout.root) as below:
            return {
                row.name: observe_campaign_folder(
                    home, below, row.uid, self._folders, segments.get(row.uid, ())
                )
                for row, home in sorted(homes, key=lambda one: one[0].name)
            }

    def _unknown_campaigns(self, desired: Desired, store: StoreView) -> dict[str, SeenFolder]:
        """Return what lies in the folders of campaigns that the specs name and the store does not."""
        known = {name for row in store.campaigns for name in (row.name, *row.former)}
        places = {name: self._layout.campaign(name) for name in desired.campaigns if name not in known}
        with Neighbours(self._layout.root) as below:
            return {
                name: observe_campaign_folder(
                    Home(str(place.folder), "home"), below, campaign_uid(store.realm_uid, name), self._folders
                )
                for name, place in places.items()
                if place.folder.is_dir()
            }

    def _strange(
        self,
        desired: Desired,
        store: StoreView,
        boot: BootMoment | None,
        folders: Mapping[str, SeenFolder],
    ) -> Iterator[tuple[str, Strange]]:
        """Yield what is not ours in what the specs want deleted, and in what may be deleted for good now."""
        root, now = self._layout.root, observed_now(store, self._environment.now(), boot)
        for row in store.campaigns:
            source = desired.campaigns.get(row.name)
            if row.status != "deleted" and source is not None and source.spec.state == "deleted":
                from reconciler.observed.belongings import belongings_of_campaign

                told = [f"checkpoints/{one.name}" for one in folders[row.name].checkpoints.foreign]
                folder = self._layout.home_of(row).folder
                found = belongings_of_campaign(folder, root, row.uid, known_runs(store, row.uid))
                yield from _named(str(folder.relative_to(root)), found.strange(told))
        for stone in store.trash:
            if stone.state in ("trashed", "purging") and is_over(stone, now):
                yield from _named(stone.path, _in_trash(stone, store, root).strange())

    def _inbox(self, desired: Desired, store: StoreView) -> InboxFacts:
        now = self._environment.now()
        taken = TakenIn(KnownPart(row.digest, row.size_bytes) for row in store.inbox)
        return observe_inbox(self._layout, contracts_of_inbox(desired), now, self._files, taken)

    def _quest_files(
        self, desired: Desired, store: StoreView, held_out: Mapping[str, QuestFileFacts]
    ) -> Mapping[str, QuestFileFacts]:
        quests = [(quest, quest.file) for quest in desired.quests if quest.file is not None]
        if not quests:
            return {}
        from reconciler.observed.held_out import HeldOutFiles
        from reconciler.observed.quest_files import observe_quest_file
        from reconciler.plan.queue.quest_parts import known_contents

        root, top, held_out_files = self._layout.root, self._repository, HeldOutFiles(held_out.values())
        known = known_contents(store.jobs, store.quest_data)
        return {
            quest.id: observe_quest_file(
                file,
                root,
                top,
                contracts_of(desired, quest),
                self._files,
                known.get(quest.id, ()),
                held_out_files,
            )
            for quest, file in quests
        }

    def _held_out_files(self, desired: Desired, store: StoreView) -> Mapping[str, QuestFileFacts]:
        found = {}
        for name in desired.campaigns:
            spec = held_out_of(desired, name)
            if isinstance(spec, HeldOutFile):
                found[name] = self._held_out_file(desired, spec, store)
        return found

    def _held_out_file(self, desired: Desired, spec: HeldOutFile, store: StoreView) -> QuestFileFacts:
        """Return the facts of a held-out file; of one that is gone those of what was taken in of it."""
        from reconciler.observed.quest_files import observe_quest_file
        from reconciler.plan.queue.held_out import contracts_of_held_out, held_out_key

        contracts = contracts_of_held_out(desired, spec)
        root, top = self._layout.root, self._repository
        seen = observe_quest_file(spec.file, root, top, contracts, self._files)
        key = held_out_key(spec) if seen.is_gone else None
        taken_in = next((row.digest for row in store.quest_data if row.source_key == key), None)
        if taken_in is None:
            return seen
        path = str(self._layout.snapshot(taken_in))
        kept = observe_quest_file(path, root, top, contracts, self._files)
        return (
            msgspec.structs.replace(kept, name=spec.file, is_gone=True) if kept.sha256 == taken_in else seen
        )

    def _start_folders(self, desired: Desired, store: StoreView) -> Iterator[tuple[str, StartFolder]]:
        """Yield what lies in the folders that campaigns are to begin with which have not begun yet."""
        begun = {row.name for row in store.campaigns if row.starting_from is not None}
        for name, source in desired.campaigns.items():
            wanted = source.spec.starting_checkpoint
            if wanted is not None and wanted.startswith("/") and name not in begun:
                from reconciler.observed.start_folders import observe_start_folder

                yield wanted, observe_start_folder(wanted)

    def _models(self, desired: Desired) -> Mapping[str, ModelFacts]:
        named = {
            name: source.spec.model.hf_name
            for name, source in desired.heroes.items()
            if source.spec.model.hf_name is not None
        }
        if not named:
            return {}
        from reconciler.observed.models import hub_cache_folder, observe_model

        hub = hub_cache_folder(self._environment.variables, self._environment.home)
        folders = (*self._models_of_this_host(desired), self._layout.models)
        return {
            name: observe_model(hf_name, folders, self._layout.root, hub, self._files)
            for name, hf_name in named.items()
        }

    def _models_of_this_host(self, desired: Desired) -> tuple[Path, ...]:
        folder = desired.this_host.models_dir if desired.this_host else None
        if folder is None:
            return ()
        return (self._environment.home / folder[2:] if folder.startswith("~/") else Path(folder),)

    def _missing_programs(self, desired: Desired) -> Mapping[str, str]:
        search_path = self._environment.variables.get("PATH", os.defpath)
        return {
            name: why
            for name, source in desired.skills.items()
            if source.spec.source is not None
            and (why := why_not_startable(source.spec.source.command[0], self._layout.root, search_path))
        }


def _in_trash(stone: TrashRow, store: StoreView, root: Path) -> "Belongings":
    from reconciler.observed.belongings import belongings_of_campaign, belongings_of_checkpoint

    if not stone.is_campaign:
        return belongings_of_checkpoint(root / stone.path, root, stone.digest)
    uid = stone.campaign_uid
    return belongings_of_campaign(root / stone.path, root, uid, known_runs(store, uid))


def known_runs(store: StoreView, uid: str) -> frozenset[str]:
    """Return the names of the folders of a campaign's runs."""
    runs = (run for run in store.runs if run.campaign_uid == uid)
    return frozenset(RunKey(uid, run.generation, run.attempt).folder for run in runs)


def _named(path: str, strange: Strange | None) -> Iterator[tuple[str, Strange]]:
    if strange is not None:
        yield path, strange


def new_realm_uid(realm_id: str, layout: Layout) -> str:
    """Return the uid that a realm gets when its root is made."""
    return short_id("realm", realm_id, str(layout.root))


def _facts(seen: SeenFolder) -> CampaignFacts:
    runs = seen.runs
    return CampaignFacts(
        checkpoints=seen.checkpoints,
        segments=seen.segments,
        runs=runs.runs,
        problems=runs.problems,
        home=seen.home,
    )


def _numbers(store: StoreView) -> dict[str, tuple[int, ...]]:
    """Return which segments have, or may have, a folder of their own, by the campaign's uid.

    The living one is among them: of a rollback that a kill cut short, some of it lies there already.
    """
    found: dict[str, tuple[int, ...]] = {}
    for one in store.segments:
        found[one.campaign_uid] = (*found.get(one.campaign_uid, (1,)), one.number)
    return found


def _clear(folders: Mapping[str, SeenFolder]) -> frozenset[str]:
    """Return the campaigns that lie where they belong, and nowhere else, all seen and nothing in the way."""
    return frozenset(
        name
        for name, seen in folders.items()
        if seen.is_clear and seen.home == "home" and not (seen.runs.problems or seen.checkpoints.problem)
    )
