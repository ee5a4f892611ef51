"""Facts about a realm whose specs are given, from a few words."""

from collections.abc import Mapping
from typing import Any

import msgspec
from case_checkpoints import (
    copy_row,
    foreign_folder,
    found_checkpoint,
    ledger_row,
    segment_row,
    tombstone,
    trash_folder,
)
from case_constants import EARLIER, REALM_UID, SIZE
from case_derived import campaign_card, derived_facts
from case_files import a_gpu, data_of, inbox_facts, inbox_row, made_inspection, model_facts, quest_file
from case_runs import seen_run, with_values

from reconciler.desired.desired import Desired
from reconciler.desired.training import HeldOutFile
from reconciler.observed.data_records import LearntHeldOut, SnapshotFacts
from reconciler.observed.facts import CampaignFacts, Facts
from reconciler.observed.machine_records import CopyTarget, DiskFacts, GpuInventory
from reconciler.observed.obstacle_records import Obstacle
from reconciler.observed.records import (
    CheckpointFacts,
    DerivedFacts,
    DerivedFile,
    DerivedLink,
    OrphanFolder,
    RootUse,
    RunFacts,
    Strange,
)
from reconciler.observed.start_records import StartFolder
from reconciler.plan.changes import change_id
from reconciler.plan.configs.judging import with_judgements
from reconciler.plan.configs.resolved import ResolvedRun, resolve_run
from reconciler.plan.queue.held_out import held_out_key
from reconciler.plan.queue.quest_sources import QuestSource, quest_source
from reconciler.plan.world import World
from state.cards import encode_card
from state.contract.adapters import AdapterShape
from state.contract.locked import Locked, locked_values
from state.contract.run_config import config_hash
from state.host_memory import HostMemory
from state.ids import campaign_uid, job_uid
from state.moments import BootMoment
from state.queue_folders import Found
from state.source_status import NotInForce, SourceStatus
from state.store.in_force import InForce, told
from state.store.journal_rows import FailedAction, LastFailure
from state.store.rows import (
    CampaignRow,
    JobRow,
    QuestDataRow,
    RequestRow,
    RunRow,
    ScrubPosition,
    StoreView,
    TakenApproval,
)


class Builder:
    """Builds facts about a realm whose specs are given, so that what a case leaves out is as it should be."""

    def __init__(self, desired: Desired, words: Mapping[str, Any]) -> None:
        self.desired = desired
        self.words = words
        self.facts = Facts(
            store=StoreView(realm_uid=REALM_UID, epoch=1),
            copied_from=words.get("copied_from"),
            newer_rows=words.get("newer_rows"),
            export_targets=msgspec.convert(words.get("export_targets", {}), dict[str, CopyTarget]),
            root_use=RootUse(**words["root_use"]) if "root_use" in words else None,
            disk=DiskFacts(
                root="/root",
                exists=True,
                readable=True,
                writable=True,
                free_bytes=words.get("free_bytes", 10**12),
                total_bytes=10**12,
                work_tree=words.get("work_tree"),
                file_system="ext4",
                is_network=False,
                ballast_bytes=words.get("ballast_bytes", 0),
            ),
            derived=DerivedFacts(
                active_pointer=DerivedFile(path="pointer"), active_link=DerivedLink(path="link")
            ),
            source=msgspec.convert(words["source"], SourceStatus) if "source" in words else None,
            is_in_office=words.get("is_in_office", False),
            boot=msgspec.convert(words.get("boot"), BootMoment | None),
            not_in_force=msgspec.convert(words.get("not_in_force"), NotInForce | None),
            gpus=GpuInventory(gpus=tuple(map(a_gpu, words.get("gpus", ()))), source="given"),
            quest_files={name: quest_file(name, file) for name, file in words.get("quest_files", {}).items()},
            held_out_files={
                name: quest_file(name, file) for name, file in words.get("held_out_files", {}).items()
            },
            learnt_held_out=msgspec.convert(words.get("learnt_held_out", {}), dict[str, LearntHeldOut]),
            inspections={
                name: made_inspection(found) for name, found in words.get("inspections", {}).items()
            },
            inbox=inbox_facts(words.get("inbox", {})),
            obstacles=tuple(
                Obstacle(path=path, message=why) for path, why in words.get("obstacles", {}).items()
            ),
            orphans=msgspec.convert(words.get("orphans", ()), tuple[OrphanFolder, ...]),
            among_checkpoints={
                f"/root/{one['path']}": msgspec.convert(one, OrphanFolder)
                for one in words.get("among_checkpoints", ())
            },
            queue_folders=Found(**words["queue_folders"]) if "queue_folders" in words else None,
            models={name: model_facts(facts) for name, facts in words.get("models", {}).items()},
            unfit_weights=words.get("unfit_weights", {}),
            unusable_tokenizers=words.get("unusable_tokenizers", {}),
            missing_programs=words.get("missing_programs", {}),
            host_memory=msgspec.convert(words.get("host_memory"), HostMemory | None),
        )

    def world(self) -> World:
        return World(desired=self.desired, facts=self.facts, specs_commit="c" * 40, now=EARLIER)

    def build(self) -> Facts:
        """Return the facts that the words describe."""
        campaigns: Mapping[str, Any] = self.words.get("campaigns", {})
        self._add_data()
        for name, words in campaigns.items():
            self._add_campaign(name, words or {})
        self._activate(self.words.get("active"))
        self._add_untrainable_jobs()
        self._add_requests()
        self._add_failed_fetches()
        derived = derived_facts(self.desired, self.facts, self.words)
        self.facts = msgspec.structs.replace(self.facts, derived=derived)
        folders = {
            path: msgspec.convert({"path": path, **words}, StartFolder)
            for path, words in self.words.get("start_folders", {}).items()
        }
        self.facts = msgspec.structs.replace(self.facts, start_folders=folders)
        return self.facts

    def _store(self, **fields: Any) -> None:
        store = msgspec.structs.replace(self.facts.store, **fields)
        self.facts = msgspec.structs.replace(self.facts, store=store)

    def _add_data(self) -> None:
        rows: list[QuestDataRow] = []
        snapshots: dict[str, int] = {}
        for number, quest_id in enumerate(self.words.get("data", ())):
            digest = f"sha256:{number:064x}"
            rows.append(self._data_row(quest_id, digest))
            if quest_id not in self.words.get("lost_data", ()):
                snapshots[digest] = SIZE
        taken = [inbox_row(number, words) for number, words in enumerate(self.words.get("taken", ()))]
        snapshots |= {row.digest: SIZE for row in taken if row.name not in self.words.get("lost_data", ())}
        rows += [data_of(row) for row in taken]
        for name, digest in self.words.get("held_out_taken_in", {}).items():
            rows.append(
                msgspec.structs.replace(
                    self._data_row(name, digest), source_key=held_out_key(HeldOutFile(file=name))
                )
            )
            snapshots[digest] = SIZE
        self._store(quest_data=tuple(rows), inbox=tuple(taken))
        self.facts = msgspec.structs.replace(
            self.facts, snapshots=SnapshotFacts(sizes=snapshots, problem=self.words.get("data_problem"))
        )

    def _data_row(self, quest_id: str, digest: str) -> QuestDataRow:
        return QuestDataRow(
            source_key=self._source_key(quest_id),
            digest=digest,
            num_rows=10,
            size_bytes=SIZE,
            origin="made",
            created_at=EARLIER,
        )

    def _source_key(self, quest_id: str) -> str:
        quest = next((q for q in self.desired.quests if q.id == quest_id), None)
        source = quest_source(self.world(), quest) if quest else None
        row = next((row for row in self.facts.store.inbox if row.quest_id == quest_id), None)
        if row is not None:
            return row.source_key
        return source.key if isinstance(source, QuestSource) else f"source of {quest_id}"

    def _add_campaign(self, name: str, words: Mapping[str, Any]) -> None:
        uid = campaign_uid(REALM_UID, name)
        fields = {
            "uid": uid,
            "name": name,
            "status": "active" if self.words.get("active") == name else "paused",
            "created_at": EARLIER,
            "card_json": encode_card(campaign_card(self.desired, name)),
        }
        row = CampaignRow(**(fields | words.get("row", {})))
        self._store(campaigns=(*self.facts.store.campaigns, row))
        lying = [
            (found_checkpoint(name, uid, c, self._locked(name, c)), c) for c in words.get("checkpoints", ())
        ]
        complete = tuple(found for found, c in lying if not c.get("aside"))
        segments = tuple(segment_row(uid, one) for one in words.get("segments", ()))
        self._store(segments=(*self.facts.store.segments, *segments))
        recorded = [c for c in words.get("checkpoints", ()) if c.get("recorded", True)]
        gone = [
            lost if isinstance(lost, dict) else {"step": lost} for lost in words.get("lost_checkpoints", ())
        ]
        ledger = tuple(ledger_row(uid, c, number) for number, c in enumerate([*gone, *recorded], start=1))
        self._store(ledger=(*self.facts.store.ledger, *ledger))
        jobs = tuple(self._job(name, uid, quest, job or {}) for quest, job in words.get("jobs", {}).items())
        self._store(jobs=(*self.facts.store.jobs, *jobs))
        runs = [
            self._run(name, uid, number, run) for number, run in enumerate(words.get("runs", ()), start=1)
        ]
        rows = [
            row for (row, _), run in zip(runs, words.get("runs", ()), strict=True) if run.get("known", True)
        ]
        self._store(runs=(*self.facts.store.runs, *rows))
        seen = CampaignFacts(
            checkpoints=CheckpointFacts(
                complete=complete,
                foreign=tuple(
                    foreign_folder(one if isinstance(one, dict) else {"name": one})
                    for one in words.get("foreign", ())
                ),
                set_aside=tuple(words.get("set_aside", ())),
                problem=words.get("checkpoints_problem"),
            ),
            segments={
                number: CheckpointFacts(
                    complete=tuple(f for f, c in lying if c.get("aside") and c["segment"] == number)
                )
                for number in (1, *(one.number for one in segments))
            }
            if segments
            else {},
            runs=tuple(facts for _, facts in runs if facts is not None),
            starting=tuple(words.get("starting", ())),
            home=words.get("home", "home"),
        )
        self.facts = msgspec.structs.replace(self.facts, campaigns={**self.facts.campaigns, name: seen})

    def _locked(self, name: str, words: Mapping[str, Any]) -> Locked | None:
        """Return the hero's locked values but for those that the case gives the checkpoint."""
        if "locked" not in words:
            return None
        resolved = resolve_run(self.world(), name)
        assert isinstance(resolved, ResolvedRun), resolved
        locked = locked_values(with_values(resolved.config, words["locked"]))
        shape = words.get("adapters")
        return msgspec.structs.replace(
            locked, adapter=msgspec.convert(shape, AdapterShape) if shape else None
        )

    def _job(self, name: str, uid: str, order_id: str, words: Mapping[str, Any]) -> JobRow:
        quest_id, _, number = order_id.partition("+")
        part = int(number or 1)
        hero, _, campaign = name.partition("/")
        data = next(
            (d for d in self.facts.store.quest_data if d.source_key == self._source_key(quest_id)), None
        )
        fields: dict[str, Any] = {
            "uid": job_uid(uid, quest_id, part),
            "part": part,
            "id": f"{EARLIER}_{order_id}",
            "quest_id": quest_id,
            "campaign_uid": uid,
            "hero_id": hero,
            "campaign_id": campaign,
            "source_key": self._source_key(quest_id),
            "dataset_path": quest_id,
            "digest": data.digest if data else f"sha256:{0:064x}",
            "num_examples": 10,
            "shape_json": "{}",
            "priority": "normal",
            "epochs": 1,
            "status": "queued",
            "created_at": EARLIER,
        }
        return JobRow(**(fields | words))

    def _run(
        self, name: str, uid: str, number: int, words: Mapping[str, Any]
    ) -> tuple[RunRow, RunFacts | None]:
        known = name if name in self.desired.campaigns else min(self.desired.campaigns)
        resolved = resolve_run(self.world(), known)
        assert isinstance(resolved, ResolvedRun), resolved
        config = resolved.config
        if changed := words.get("trained_with"):
            config = with_values(config, changed)
        row = RunRow(
            campaign_uid=uid,
            generation=words.get("generation", 1),
            attempt=words.get("attempt", number),
            state=words.get("state", "ended"),
            cookie="cookie",
            config_hash=resolved.config_hash if config == resolved.config else "sha256:other",
            config_json=msgspec.json.encode(config).decode(),
            code_version="v",
            specs_commit="c",
            device="cpu",
            resume_step=words.get("resume_step"),
            launched_at=words.get("launched_at", EARLIER),
            ended_at=words.get("ended_at"),
            end=words.get("end"),
            message=words.get("message"),
            quest_id=words.get("quest_id"),
            failure_class=words.get("failure_class"),
            last_checkpoint_step=words.get("last_checkpoint_step"),
            segment=words.get("segment", 1),
        )
        if "told" in words:
            row = self._told(name, row, words["told"])
        return row, seen_run(uid, row, words) if words.get("claimed", True) else None

    def _told(self, name: str, row: RunRow, words: Mapping[str, Any]) -> RunRow:
        """Return the row of a run that was told to take up the hero's config, with some values changed."""
        resolved = resolve_run(self.world(), name)
        assert isinstance(resolved, ResolvedRun), resolved
        config = with_values(resolved.config, words.get("with", {}))
        return told(
            row,
            InForce(
                generation=words["generation"],
                config_hash=config_hash(config),
                config_json=msgspec.json.encode(config).decode(),
                specs_commit="t",
            ),
        )

    def _activate(self, name: str | None) -> None:
        if name is not None:
            self._store(active_uid=campaign_uid(REALM_UID, name), activated_at=EARLIER)

    def _add_untrainable_jobs(self) -> None:
        """Add what the active campaign's next run would refuse of its first jobs."""
        uid = campaign_uid(REALM_UID, self.words.get("active") or "")
        wrong = {
            job_uid(uid, quest_id, 1): made_inspection(found).findings
            for quest_id, found in self.words.get("untrainable", {}).items()
        }
        self.facts = msgspec.structs.replace(self.facts, untrainable_jobs=wrong)

    def _add_requests(self) -> None:
        requests = tuple(
            RequestRow(**({"id": number, "asked_by": "ada", "why": "tea", "asked_at": EARLIER} | request))
            for number, request in enumerate(self.words.get("requests", ()), start=1)
        )
        trash = tuple(tombstone(words) for words in self.words.get("trash", ()))
        taken = self.words.get("approval")
        approval = msgspec.convert(taken, TakenApproval) if taken else None
        copies = tuple(copy_row(words) for words in self.words.get("copies", ()))
        scrub = self.words.get("scrub")
        self._store(
            requests=requests,
            trash=trash,
            approval=approval,
            copies=copies,
            scrub=msgspec.convert(scrub, ScrubPosition) if scrub else None,
            **self.words.get("store", {}),
        )
        strange = {
            path: Strange(names=tuple(names), count=len(names))
            for path, names in self.words.get("strange", {}).items()
        }
        self.facts = msgspec.structs.replace(
            self.facts, trash=trash_folder(trash, self.words.get("trash_folder", {})), strange=strange
        )

    def _add_failed_fetches(self) -> None:
        failed = msgspec.convert(self.words.get("failed", []), list[FailedAction])
        for quest_id, moments in self.words.get("failed_fetches", {}).items():
            quest = next(quest for quest in self.desired.quests if quest.id == quest_id)
            source = quest_source(with_judgements(self.world()), quest)
            assert isinstance(source, QuestSource), source
            failed.append(
                FailedAction(id=change_id(source.fetch), failed_at=tuple(moments), outcome="exit code 1")
            )
        seen = tuple(map(_last_failure, failed[: len(self.words.get("failed", []))]))
        self._store(failed_actions=tuple(failed), last_failures=seen)
        self.facts = msgspec.structs.replace(self.facts, is_in_office=bool(seen) or self.facts.is_in_office)


def _last_failure(failed: FailedAction) -> LastFailure:
    """Return the same as the journal has it: the reconciler at work tried it."""
    return LastFailure(
        id=failed.id,
        failed_at=failed.failed_at,
        outcome=failed.outcome,
        permanent=True,
        epoch=1,
        num_in_office=len(failed.failed_at),
    )
