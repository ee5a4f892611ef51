"""`queue/`: the jobs as files in folders, for people and older tools. Made from the store, never the truth.

Each job shown is a link to its content and, beside it, its record. What is neither stays as it is. Pure.
"""

import heapq
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from state.formats import decode_record, job_record, with_unknown_keys
from state.store.rows import JobRow

FOLDERS = ("high", "normal", "low", "processing", "recently_completed", "failed")
MAX_WAITING, MAX_DONE = 200, 50
"""So many jobs at most are shown in one folder: those that wait longest, those that ended last."""
RECORD_SUFFIX = ".meta.json"
_SUFFIX = ".jsonl"
_MAX_NAME_BYTES = 200
_TO_CONTENT = "../../data/"
_OUR_LINK = re.compile(re.escape(_TO_CONTENT) + r"[0-9a-f]{64}\.jsonl", re.ASCII)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the folders, by `<folder>/<name>`."""

    links: Mapping[str, str] = {}
    """Symbolic links, each with its target."""
    records: Mapping[str, bytes] = {}
    """Plain files whose names end as records do, with their contents."""
    others: tuple[str, ...] = ()
    """Everything else: never touched."""
    problem: str | None = None
    """Why the folders could not be read. Then the rest is unknown, not empty."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the folders right."""

    links: Mapping[str, str] = {}
    records: Mapping[str, dict[str, Any]] = {}
    removed: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return what differs, sorted."""
        return tuple(sorted({*self.links, *self.records, *self.removed}))


def queue_changes(jobs: Iterable[JobRow], found: Found, all_ids: Callable[[], Collection[str]]) -> Changes:
    """Return what to write and what to remove, so that the folders show the jobs.

    `all_ids` is asked for the ids of all jobs when a record lies there that none of the jobs shown has: only
    the record of a job is ours.
    """
    strangers = {*found.others, *(path for path, target in found.links.items() if not _is_our_link(target))}
    links, records = _shown(jobs, strangers)
    left = [path for path in found.records if path not in records]
    ids = all_ids() if left else ()
    old_records = [path for path in left if _id_of_record(path) in ids]
    old_links = [path for path in found.links if path not in links and path not in strangers]
    return Changes(
        links={path: to for path, to in links.items() if found.links.get(path) != to},
        records=dict(_differing(records, found, old_records)),
        removed=tuple(sorted([*old_records, *old_links])),
    )


def _differing(
    records: Mapping[str, JobRow], found: Found, old_records: Iterable[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the records to write; keys that we do not know move with a record from one folder to another."""
    elsewhere = {path.partition("/")[2]: path for path in old_records}
    for path, job in records.items():
        existing = _decoded(found.records.get(path))
        known = existing or _decoded(found.records.get(elsewhere.get(path.partition("/")[2], "")))
        wanted = with_unknown_keys(job_record(job), known)
        if wanted != existing:
            yield path, wanted


def _decoded(content: bytes | None) -> dict[str, Any]:
    try:
        return decode_record(content) if content is not None else {}
    except ValueError:
        return {}


def _shown(jobs: Iterable[JobRow], strangers: Collection[str]) -> tuple[dict[str, str], dict[str, JobRow]]:
    """Return links and records by their paths; no name twice, and none that a stranger has."""
    links: dict[str, str] = {}
    records: dict[str, JobRow] = {}
    for folder, job in _placed(jobs):
        stem = _stem(job)
        names = (f"{folder}/{stem}{more}{_SUFFIX}" for more in _numbers())
        link = next(name for name in names if name not in links and name not in strangers)
        links[link] = f"{_TO_CONTENT}{job.digest.removeprefix('sha256:')}{_SUFFIX}"
        record = f"{folder}/{_record_name(job)}"
        if record not in strangers:
            records[record] = job
    return links, records


def _numbers() -> Iterator[str]:
    yield ""
    number = 2
    while True:
        yield f"-{number}"
        number += 1


def _placed(jobs: Iterable[JobRow]) -> Iterator[tuple[str, JobRow]]:
    by_folder: dict[str, list[JobRow]] = {folder: [] for folder in FOLDERS}
    for job in jobs:
        if (folder := _folder_of(job)) is not None:
            by_folder[folder].append(job)
    for folder, mine in by_folder.items():
        if folder in ("recently_completed", "failed"):
            last = heapq.nlargest(MAX_DONE, mine, key=lambda job: (job.finished_at or "", job.id))
            yield from ((folder, job) for job in reversed(last))
        else:
            first = heapq.nsmallest(MAX_WAITING, mine, key=lambda job: (job.created_at, job.id))
            yield from ((folder, job) for job in first)


def _folder_of(job: JobRow) -> str | None:
    match job.status:
        case "queued":
            return "low" if job.demoted else job.priority
        case "processing" | "failed" as status:
            return status
        case "completed":
            return "recently_completed"
        case "skipped":
            return None


def _stem(job: JobRow) -> str:
    """Return the name of the job's file without its end; of a completed one with the time behind it."""
    name = job.dataset_path.rpartition("/")[2].removesuffix(_SUFFIX).lstrip(".")
    if not name or not name.isprintable() or len(name.encode()) > _MAX_NAME_BYTES:
        name = job.quest_id
    part = f"+{job.part}" if job.part > 1 else ""
    at = job.finished_at if job.status == "completed" else None
    digits = re.sub(r"[^0-9]", "", at or "")[:14]
    return f"{name}{part}_{digits[:8]}_{digits[8:]}" if at else f"{name}{part}"


def _record_name(job: JobRow) -> str:
    short = job.id if len(job.id.encode()) <= _MAX_NAME_BYTES else job.uid
    return f"{short}{RECORD_SUFFIX}"


def _id_of_record(path: str) -> str:
    return path.partition("/")[2].removesuffix(RECORD_SUFFIX)


def _is_our_link(target: str) -> bool:
    return _OUR_LINK.fullmatch(target) is not None
