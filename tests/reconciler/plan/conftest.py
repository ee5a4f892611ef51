"""Worlds for planning, built from a few words: specs as text, facts as a short mapping."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from reconciler.desired.desired import Desired
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache
from reconciler.desired.tree import SpecFile, SpecTree
from reconciler.observed.facts import CampaignFacts, Facts
from reconciler.observed.records import (
    CheckpointFacts,
    DerivedFacts,
    DerivedFile,
    DerivedLink,
    DiskFacts,
    ForeignFolder,
    FoundCheckpoint,
    Gpu,
    GpuInventory,
    InboxFacts,
    InboxFile,
    ModelFacts,
    QuestFileFacts,
    RunFacts,
    SnapshotFacts,
    TrashFacts,
)
from reconciler.plan.campaigns import card_of
from reconciler.plan.changes import Plan, change_id
from reconciler.plan.configs import ResolvedRun, resolve_run
from reconciler.plan.dropped import content_key
from reconciler.plan.planner import make_plan
from reconciler.plan.quest_sources import QuestSource, quest_source
from reconciler.plan.world import World
from state.campaign_file import campaign_record
from state.cards import CampaignCard, encode_card
from state.contract.effective import EffectiveRun
from state.contract.exit import RunExit
from state.contract.growth import Continued
from state.contract.inspection import DataFinding, Inspection, TokenCounts
from state.contract.locked import Locked, locked_values
from state.contract.manifest import Manifest, Measures, Origin, QuestCursor
from state.contract.orders import ConfigInForce, Orders, QuestOrder, RowShape
from state.contract.process import ProcessIdentity
from state.contract.request import CodeVersion
from state.contract.row_contracts import RowContract
from state.contract.row_lines import Finding
from state.contract.run_config import RunConfig, config_hash
from state.contract.sieve import Sieved
from state.contract.status import RunStatus
from state.formats import encode_record, pointer_record
from state.ids import campaign_uid, dropped_quest_id, job_uid
from state.queue_folders import Found
from state.status_files import training_status
from state.store.in_force import InForce, in_force, told
from state.store.rows import (
    CampaignRow,
    FailedAction,
    InboxRow,
    JobRow,
    LedgerRow,
    QuestDataRow,
    RequestRow,
    RunRow,
    StoreView,
    TakenApproval,
    TrashRow,
)

EARLIER = "2026-01-01T00:00:00Z"
REALM_UID = "1" * 16
SIZE = 4096

SPECS = {
    "realm.yaml": "id: lab\nactive: pip/campaign-001\n",
    "queue.yaml": "quests:\n  - {id: q1, skill: bin, level: 1, count: 10}\n",
    "skills/bin.yaml": "id: bin\nmax_level: 30\nsource: {command: [python, -m, trainer, generate, bin]}\n",
    "heroes/pip.yaml": """\
id: pip
model:
  init: scratch
  tokenizer: bytes
  family: qwen3
  architecture: Qwen3ForCausalLM
  vocab_size: 320
  context_length: 512
  config: {hidden_size: 8}
training_defaults: {learning_rate: 0.002, max_length: 256}
""",
    "campaigns/pip/campaign-001.yaml": "id: campaign-001\n",
}
"""A realm of one hero, one campaign and one quest."""


def desired_of(specs: Mapping[str, str]) -> Desired:
    """Return what these spec files say; paths are below `specs/`."""
    contents = {f"specs/{path}": text.encode() for path, text in specs.items()}
    files = tuple(
        SpecFile(path=path, blob_id=hashlib.sha256(content).hexdigest())
        for path, content in sorted(contents.items())
    )
    tree = SpecTree(files=files, mistakes=(), read=lambda file: contents[file.path])
    return load(tree, NoCache())


class Builder:
    """Builds facts about a realm whose specs are given, so that what a case leaves out is as it should be."""

    def __init__(self, desired: Desired, words: Mapping[str, Any]) -> None:
        self.desired = desired
        self.words = words
        self.facts = Facts(
            store=StoreView(realm_uid=REALM_UID, epoch=1),
            disk=DiskFacts(
                root="/root",
                exists=True,
                readable=True,
                writable=True,
                free_bytes=10**12,
                total_bytes=10**12,
                work_tree=words.get("work_tree"),
                file_system="ext4",
                is_network=False,
            ),
            derived=DerivedFacts(
                active_pointer=DerivedFile(path="pointer"), active_link=DerivedLink(path="link")
            ),
            gpus=GpuInventory(gpus=tuple(map(_gpu, words.get("gpus", ()))), source="given"),
            quest_files={
                name: _quest_file(name, file) for name, file in words.get("quest_files", {}).items()
            },
            held_out_files={
                name: _quest_file(name, file) for name, file in words.get("held_out_files", {}).items()
            },
            inspections={name: _inspection(found) for name, found in words.get("inspections", {}).items()},
            inbox=_inbox(words.get("inbox", {})),
            queue_folders=Found(**words["queue_folders"]) if "queue_folders" in words else None,
            models={name: _model(facts) for name, facts in words.get("models", {}).items()},
            missing_programs=words.get("missing_programs", {}),
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
        self._add_requests()
        self._add_failed_fetches()
        self._derive(campaigns)
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
        taken = [_taken(number, words) for number, words in enumerate(self.words.get("taken", ()))]
        snapshots |= {row.digest: SIZE for row in taken if row.name not in self.words.get("lost_data", ())}
        rows += [_data_of(row) for row in taken]
        self._store(quest_data=tuple(rows), inbox=tuple(taken))
        self.facts = msgspec.structs.replace(self.facts, snapshots=SnapshotFacts(sizes=snapshots))

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
            "card_json": encode_card(self._card(name)),
        }
        row = CampaignRow(**(fields | words.get("row", {})))
        self._store(campaigns=(*self.facts.store.campaigns, row))
        complete = tuple(
            _checkpoint(name, uid, c, self._locked(name, c)) for c in words.get("checkpoints", ())
        )
        recorded = [c for c in words.get("checkpoints", ()) if c.get("recorded", True)]
        gone = [
            lost if isinstance(lost, dict) else {"step": lost} for lost in words.get("lost_checkpoints", ())
        ]
        ledger = tuple(_ledger(uid, c, number) for number, c in enumerate([*gone, *recorded], start=1))
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
                    ForeignFolder(path=f"/root/{name}", name=name, reason="torn")
                    for name in words.get("foreign", ())
                ),
                set_aside=tuple(words.get("set_aside", ())),
            ),
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
        return locked_values(_with(resolved.config, words["locked"]))

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
            config = _with(config, changed)
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
        )
        if "told" in words:
            row = self._told(name, row, words["told"])
        return row, self._seen_run(uid, row, words) if words.get("claimed", True) else None

    def _told(self, name: str, row: RunRow, words: Mapping[str, Any]) -> RunRow:
        """Return the row of a run that was told to take up the hero's config, with some values changed."""
        resolved = resolve_run(self.world(), name)
        assert isinstance(resolved, ResolvedRun), resolved
        config = _with(resolved.config, words.get("with", {}))
        return told(
            row,
            InForce(
                generation=words["generation"],
                config_hash=config_hash(config),
                config_json=msgspec.json.encode(config).decode(),
                specs_commit="t",
            ),
        )

    def _seen_run(self, uid: str, row: RunRow, words: Mapping[str, Any]) -> RunFacts:
        left = words.get("exit")
        return RunFacts(
            folder=f"g{row.generation}-a{row.attempt}",
            generation=row.generation,
            attempt=row.attempt,
            has_request=True,
            claimed=True,
            process=ProcessIdentity(
                pid=42, boot_id="b", start_ticks=1, cookie=words.get("cookie", "cookie"), claimed_at=EARLIER
            ),
            alive=words.get("alive", False),
            status=_status(words["status"]) if "status" in words else None,
            exit=RunExit(
                exited_at=EARLIER, **({"message": "left", "last_checkpoint_step": None, "step": 0} | left)
            )
            if left
            else None,
            orders=self._orders(uid, row, words) if "orders" in words else None,
            effective=_effective(row, words["effective"]) if "effective" in words else None,
        )

    def _orders(self, uid: str, row: RunRow, words: Mapping[str, Any]) -> Orders:
        quests = tuple(
            QuestOrder(
                quest_id=quest,
                job_uid=job_uid(uid, quest),
                digest="d",
                path="p",
                num_rows=10,
                shape=RowShape(),
                epochs=1,
                priority="normal",
            )
            for quest in words["orders"]
        )
        has_config = row.told_generation is not None and words["told"].get("given", True)
        return Orders(
            sequence=1,
            quests=quests,
            goal_updates=words.get("goal"),
            pause=words.get("pause", False),
            config=_config_in_force(row) if has_config else None,
        )

    def _activate(self, name: str | None) -> None:
        if name is not None:
            self._store(active_uid=campaign_uid(REALM_UID, name), activated_at=EARLIER)

    def _add_requests(self) -> None:
        requests = tuple(
            RequestRow(id=number, asked_by="ada", why="tea", asked_at=EARLIER, **request)
            for number, request in enumerate(self.words.get("requests", ()), start=1)
        )
        trash = tuple(_tombstone(words) for words in self.words.get("trash", ()))
        taken = self.words.get("approval")
        approval = msgspec.convert(taken, TakenApproval) if taken else None
        self._store(requests=requests, trash=trash, approval=approval, **self.words.get("store", {}))
        self.facts = msgspec.structs.replace(self.facts, trash=self._trash_folder(trash))

    def _trash_folder(self, trash: tuple[TrashRow, ...]) -> TrashFacts:
        """Return a trash where everything lies that the tombstones say, but for what the case takes away."""
        names = [stone.path.rpartition("/")[2] for stone in trash]
        seen = self.words.get("trash_folder", {})
        lying = {name for name, stone in zip(names, trash, strict=True) if stone.state == "trashed"}
        return TrashFacts(
            folders=frozenset(lying - set(seen.get("without", ())) | set(seen.get("foreign", ()))),
            files=frozenset({f"{name}.json" for name in names} - set(seen.get("without", ()))),
            problem=seen.get("problem"),
        )

    def _add_failed_fetches(self) -> None:
        failed = []
        for quest_id, moments in self.words.get("failed_fetches", {}).items():
            quest = next(quest for quest in self.desired.quests if quest.id == quest_id)
            source = quest_source(self.world(), quest)
            assert isinstance(source, QuestSource), source
            failed.append(
                FailedAction(id=change_id(source.fetch), failed_at=tuple(moments), outcome="exit code 1")
            )
        self._store(failed_actions=tuple(failed))

    def _derive(self, campaigns: Mapping[str, Any]) -> None:
        """Make pointer, link and records say what they should, or what the case wants them to say."""
        rows = {row.name: row for row in self.facts.store.campaigns}
        active = rows.get(self.words.get("active") or "")
        pointer = encode_record(pointer_record(active, EARLIER, {})) if active else None
        records = {
            name: DerivedFile(
                path=name, content=self._record(name, row, (campaigns[name] or {}).get("record", {}))
            )
            for name, row in sorted(rows.items())
            if not (campaigns[name] or {}).get("no_record")
        }
        link = self.words.get("link", active.name if active else None)
        derived = DerivedFacts(
            active_pointer=DerivedFile(path="pointer", content=pointer),
            active_link=DerivedLink(path="link", target=link),
            campaign_records=records,
            status_files={
                name: DerivedFile(path=name, content=self._status_file(row, campaigns[name] or {}))
                for name, row in rows.items()
            },
        )
        self.facts = msgspec.structs.replace(self.facts, derived=derived)

    def _status_file(self, row: CampaignRow, words: Mapping[str, Any]) -> bytes:
        facts = self.facts
        record = training_status(row, facts.runs_of(row.uid), facts.ledger_of(row.uid))
        return encode_record(record | words.get("status_file", {}))

    def _card(self, name: str) -> CampaignCard:
        source = self.desired.campaigns.get(name)
        if source is None:
            return CampaignCard(name="", description="", skills_focus=(), config_overrides={})
        return card_of(source.spec)

    def _record(self, name: str, row: CampaignRow, existing: Mapping[str, Any]) -> bytes:
        return encode_record(campaign_record(self._card(name), row, self.facts.ledger_of(row.uid), existing))


def _with(config: Any, changed: Mapping[str, Any]) -> Any:
    """Return the config with some of its values replaced, by dotted key."""
    values = msgspec.to_builtins(config)
    for key, value in changed.items():
        *sections, last = key.split(".")
        inner = values
        for section in sections:
            inner = inner[section]
        inner[last] = value
    return msgspec.convert(values, type(config))


def _config_in_force(row: RunRow) -> ConfigInForce:
    now = in_force(row)
    config = msgspec.json.decode(now.config_json, type=RunConfig)
    return ConfigInForce(
        generation=now.generation, config=config, config_hash=now.config_hash, specs_commit=now.specs_commit
    )


def _effective(row: RunRow, changed: Mapping[str, Any]) -> EffectiveRun:
    """Return the report of a trainer that uses what it was asked for, but for what the case says."""
    config = _with(msgspec.json.decode(in_force(row).config_json, type=RunConfig), changed)
    return EffectiveRun(
        written_at=EARLIER,
        config_hash=in_force(row).config_hash,
        config=config,
        device="cpu",
        device_name=None,
        threads=2,
        torch_version="2",
        num_parameters=1,
    )


def _gpu(words: Mapping[str, Any]) -> Gpu:
    return Gpu(
        **({"uuid": "u", "name": "card", "utilization_percent": 0, "memory_used_bytes": 0} | dict(words))
    )


def _status(words: Mapping[str, Any]) -> RunStatus:
    return RunStatus(
        **(
            {
                "phase": "training",
                "updated_at": EARLIER,
                "orders_sequence": 1,
                "step": 1,
                "takes_config": True,
            }
            | dict(words)
        )
    )


def _quest_file(name: str, words: Mapping[str, Any]) -> QuestFileFacts:
    findings = tuple(
        Finding(row=row, found="no messages", expected="messages", advice="Mend it.")
        for row in words.get("bad_rows", ())
    )
    digest = words.get("sha256", f"sha256:{'a' * 64}")
    content = Sieved(
        contract=msgspec.convert({"name": "messages"} | words.get("contract", {}), RowContract),
        digest=words.get("digest", digest),
        size_bytes=SIZE,
        num_rows=10,
        num_left_out=words.get("left_out", 0),
        left_out=(Finding(row=7, found="no answer", expected="one", advice="Add it."),),
    )
    return QuestFileFacts(
        name=name,
        path=f"/data/{name}",
        size_bytes=SIZE,
        sha256=digest,
        content=None if findings else content,
        continued=tuple(msgspec.convert(one, Continued) for one in words.get("continued", ())),
        findings=findings,
    )


def _inspection(words: Mapping[str, Any]) -> Inspection:
    findings = tuple(
        DataFinding(
            check="length",
            is_error=is_error,
            row=row,
            found="300 tokens",
            expected="at most 256",
            advice="Split it.",
        )
        for is_error, key in ((True, "too_long"), (False, "doubtful"))
        for row in words.get(key, ())
    )
    tokens = msgspec.convert(words["tokens"], TokenCounts) if "tokens" in words else None
    return Inspection(
        depth="standard",
        contract="messages",
        digest="sha256:aa",
        num_rows=10,
        tokens=tokens,
        findings=findings,
    )


def _inbox(words: Mapping[str, Any]) -> InboxFacts:
    files = tuple(_dropped(name, file or {}) for name, file in words.get("files", {}).items())
    ignored = tuple(
        ForeignFolder(path=f"/root/inbox/{name}", name=name, reason=why)
        for name, why in words.get("ignored", {}).items()
    )
    return InboxFacts(
        files=files, ignored=ignored, num_unseen=words.get("num_unseen", 0), problem=words.get("problem")
    )


def _dropped(name: str, words: Mapping[str, Any]) -> InboxFile:
    state = words.get("state", "settled")
    seen = _quest_file(name, words)
    is_settled = state == "settled"
    return InboxFile(
        name=name,
        path=f"/root/inbox/{name}",
        state=state,
        size_bytes=SIZE,
        mtime_ns=1,
        changed_at=EARLIER,
        sha256=seen.sha256 if is_settled else None,
        content=seen.content if is_settled else None,
        findings=seen.findings,
        reason=words.get("reason"),
    )


def _taken(number: int, words: Mapping[str, Any]) -> InboxRow:
    digest = words.get("digest", f"sha256:{number:x}{'e' * 63}")
    return InboxRow(
        quest_id=dropped_quest_id(words["name"], digest),
        name=words["name"],
        source_key=content_key(digest, RowShape()),
        digest=digest,
        num_rows=10,
        size_bytes=SIZE,
        shape_json="{}",
        taken_at=EARLIER,
    )


def _data_of(row: InboxRow) -> QuestDataRow:
    return QuestDataRow(
        source_key=row.source_key,
        digest=row.digest,
        num_rows=row.num_rows,
        size_bytes=row.size_bytes,
        origin=f"inbox/{row.name}",
        created_at=EARLIER,
    )


def _model(words: Mapping[str, Any]) -> ModelFacts:
    return msgspec.convert(words, ModelFacts)


def _checkpoint(name: str, uid: str, words: Mapping[str, Any], locked: Locked | None) -> FoundCheckpoint:
    cursor = tuple(
        QuestCursor(
            quest_id=quest,
            digest=c.get("digest", f"sha256:{0:064x}"),
            epochs_done=c.get("epochs_done", 0),
            rows_taken=c.get("rows_taken", 0),
            complete=c.get("epochs_done", 0) > 0,
            first_step=1,
            last_step=c.get("last_step", words["step"]),
            last_loss=0.5,
        )
        for quest, c in words.get("learnt", {}).items()
    )
    manifest = Manifest(
        campaign_uid=uid,
        campaign=name,
        segment=1,
        step=words["step"],
        parent_step=None,
        parent_digest=None,
        created_at=EARLIER,
        generation=words.get("generation", 1),
        attempt=words.get("attempt", 1),
        config_hash="h",
        code_version=CodeVersion(source="git", commit="v"),
        specs_commit="c",
        locked=locked,
        optimizer=words.get("optimizer", "adamw"),
        healthy=words.get("healthy", True),
        quest_id=None,
        cursor=cursor,
        learnt=(),
        measures=Measures(
            train_loss=0.5,
            val_loss=words.get("val_loss", 0.6),
            learning_rate=0.1,
            examples_seen=1,
            tokens_seen=1,
        ),
        files=(),
        origin=msgspec.convert(words["origin"], Origin) if "origin" in words else None,
        digest=words.get("digest", f"blake3:{words['step']}"),
    )
    return FoundCheckpoint(
        path=f"/root/campaigns/{name}/checkpoints/checkpoint-{words['step']}",
        step=words["step"],
        size_bytes=1,
        manifest=manifest,
    )


def _ledger(uid: str, words: Mapping[str, Any], number: int) -> LedgerRow:
    return LedgerRow(
        campaign_uid=uid,
        segment=1,
        step=words["step"],
        sequence=number,
        timestamp=EARLIER,
        path=f"checkpoint-{words['step']}",
        canonical_name="c",
        train_loss=0.5,
        val_loss=0.6,
        learning_rate=0.1,
        training_file=None,
        total_examples_trained=1,
        size_bytes=1,
        has_optimizer=True,
        healthy=True,
        digest=words.get("recorded_digest", f"blake3:{words['step']}"),
        parent_step=None,
        generation=1,
        attempt=1,
        config_hash="h",
        code_version="v",
        specs_commit="c",
        damage=words.get("damage"),
    )


def _tombstone(words: Mapping[str, Any]) -> TrashRow:
    name, _, step = words["checkpoint"].partition("@")
    fields = {key: value for key, value in words.items() if key != "checkpoint"}
    given = {
        "campaign_uid": campaign_uid(REALM_UID, name),
        "campaign": name,
        "step": int(step),
        "digest": f"blake3:{step}",
        "origin": f"campaigns/{name}/checkpoints/checkpoint-{step}",
        "path": f"trash/checkpoint-{step}",
        "size_bytes": 1000,
        "kind": "rolled",
        "reason": "rolled out of the last 2",
        "trashed_at": EARLIER,
        "trashed_at_seconds": 0.0,
        "grace_seconds": 3600.0,
        "clean_ticks": 0,
        "state": "trashed",
    }
    return TrashRow(**(given | fields))


Planned = Callable[[Mapping[str, Any]], Plan]


@pytest.fixture
def planned() -> Planned:
    """Return the plan for a case: `specs` over the small realm, `facts` in a few words, `now`."""

    def plan(case: Mapping[str, Any]) -> Plan:
        specs = {
            path: text for path, text in (SPECS | dict(case.get("specs", {}))).items() if text is not None
        }
        desired = desired_of(specs)
        facts = Builder(desired, case.get("facts", {})).build()
        return make_plan(desired, facts, specs_commit="c" * 40, now=case.get("now", EARLIER))

    return plan


@pytest.fixture
def world_of() -> Callable[[Mapping[str, Any]], World]:
    """Return the world of a case, before it is planned."""

    def make(case: Mapping[str, Any]) -> World:
        desired = desired_of(SPECS | dict(case.get("specs", {})))
        facts = Builder(desired, case.get("facts", {})).build()
        return World(desired=desired, facts=facts, specs_commit="c" * 40, now=EARLIER)

    return make
