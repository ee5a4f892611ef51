"""What else a case has on its machine: quest files, the inbox, models and cards."""

from collections.abc import Mapping
from typing import Any

import msgspec
from case_constants import EARLIER, SIZE

from reconciler.observed.data_records import InboxFacts, InboxFile, QuestFileFacts
from reconciler.observed.machine_records import Gpu
from reconciler.observed.model_records import ModelFacts
from reconciler.observed.records import ForeignFolder
from reconciler.plan.dropped import content_key
from state.contract.contents import Continued, Finding, Sieved
from state.contract.inspection import DataFinding, Inspection, TokenCounts
from state.contract.orders import RowShape
from state.contract.row_contracts import RowContract
from state.ids import dropped_quest_id
from state.store.rows import InboxRow, QuestDataRow


def a_gpu(words: Mapping[str, Any]) -> Gpu:
    card = {"uuid": "u", "name": "card", "utilization_percent": 0, "memory_used_bytes": 0}
    return msgspec.convert(card | dict(words), Gpu)


def quest_file(name: str, words: Mapping[str, Any]) -> QuestFileFacts:
    findings = tuple(
        Finding(row=row, found="no messages", expected="messages", advice="Mend it.")
        for row in words.get("bad_rows", ())
    )
    digest = words.get("sha256", f"sha256:{'a' * 64}")
    content = Sieved(
        contract=msgspec.convert({"name": "messages"} | words.get("contract", {}), RowContract),
        digest=words.get("digest", digest),
        size_bytes=SIZE,
        num_rows=words.get("num_rows", 10),
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
        is_gone=words.get("is_gone", False),
        lineage_problem=words.get("lineage_problem"),
    )


def made_inspection(words: Mapping[str, Any]) -> Inspection:
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
        num_rows=words.get("num_rows", 10),
        num_held_out=words.get("num_held_out", 3),
        tokens=tokens,
        findings=findings,
    )


def inbox_facts(words: Mapping[str, Any]) -> InboxFacts:
    files = tuple(dropped_file(name, file or {}) for name, file in words.get("files", {}).items())
    ignored = tuple(
        ForeignFolder(path=f"/root/inbox/{name}", name=name, reason=why)
        for name, why in words.get("ignored", {}).items()
    )
    return InboxFacts(
        files=files, ignored=ignored, num_unseen=words.get("num_unseen", 0), problem=words.get("problem")
    )


def dropped_file(name: str, words: Mapping[str, Any]) -> InboxFile:
    state = words.get("state", "settled")
    seen = quest_file(name, words)
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
        start_byte=words.get("start_byte", 0),
        findings=seen.findings,
        reason=words.get("reason"),
    )


def inbox_row(number: int, words: Mapping[str, Any]) -> InboxRow:
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


def data_of(row: InboxRow) -> QuestDataRow:
    return QuestDataRow(
        source_key=row.source_key,
        digest=row.digest,
        num_rows=row.num_rows,
        size_bytes=row.size_bytes,
        origin=f"inbox/{row.name}",
        created_at=EARLIER,
    )


def model_facts(words: Mapping[str, Any]) -> ModelFacts:
    return msgspec.convert(words, ModelFacts)
