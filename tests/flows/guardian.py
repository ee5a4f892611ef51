"""A model of "never lose a save" that shares no rule with the product: it looks after each tick and each apply.

It reads rows of the store as plain SQL, and folders and manifests as plain JSON. What it may not see: a
checkpoint dropped that promise 2 protects, a purge before its time, a ledger row or a file of a run gone.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from blake3 import blake3
from looks import NOTHING, Look, Row, look_at

LEAST_CLEAN_TICKS = 2


class Guardian:
    """Remembers what was there, and checks that what is not there any more was free to go."""

    def __init__(self, root: Path, now: Callable[[], str], elsewhere: Path | None = None) -> None:
        self.root, self._now, self._elsewhere = root, now, elsewhere
        self.retention: Mapping[str, Any] | None = None
        self.spoilt: set[str] = set()
        """Digests of checkpoints that the test itself took away."""
        self.approved: set[str] = set()
        """What a person let go: `checkpoint/<hero>/<campaign>@<step>` or `campaign/<hero>/<campaign>`."""
        self.strangers: dict[str, bytes] = {}
        """Files of somebody else, by their names."""
        self.manifests: dict[str, Row] = {}
        self.num_dropped = self.num_moved = self.num_brought_back = self.num_purged = 0
        self._before, self._ticks = NOTHING, 0
        self._seen_at: dict[int, str] = {}
        self._trashed_at: dict[int, tuple[str, int]] = {}
        self._history = b""
        self._sagas: dict[str, bytes] = {}

    def check_after_kill(self, since: str) -> None:
        """Check what a process did that was killed, nobody knows in how many ticks, since this moment."""
        self._ticks += LEAST_CLEAN_TICKS
        self.check_tick(since)

    def check_tick(self, since: str | None = None) -> None:
        """Check what has happened since the last look."""
        if not (self.root / "realm.db").exists():
            return
        before, after = self._before, look_at(self.root, self._elsewhere)
        self.manifests |= after.manifests
        self._ticks += 1
        for sequence in after.ledger.keys() - before.ledger.keys():
            self._seen_at[sequence] = since or self._now()
        self._check_books_only_grow(before, after)
        for sequence, stone in after.trash.items():
            was = before.trash.get(sequence, {"state": None})["state"]
            if was not in ("trashed", "purging", "purged") and stone["state"] != "restored":
                self._check_going(stone, before, after)
                self._trashed_at[sequence] = self._now(), self._ticks
            if was != "purged" and stone["state"] == "purged":
                self._check_purge(stone)
            self.num_brought_back += before.is_moved(sequence) and not after.is_moved(sequence)
        self._check_nothing_is_lost(after)
        self._before = after

    def _check_books_only_grow(self, before: Look, after: Look) -> None:
        """Rows of the ledger, tombstones and runs stay; a number once used stays with its uid."""
        assert before.ledger.keys() <= after.ledger.keys()
        assert before.trash.keys() <= after.trash.keys()
        here = {uid for uid in after.records if after.campaigns[uid]["status"] != "deleted"}
        assert {run for run in before.runs if run[0] in here} <= after.runs
        for sequence, row in before.ledger.items():
            again = after.ledger[sequence]
            assert _unchanging(row) == _unchanging(again)
            assert _marks(row) <= _marks(again), "a pin or a tag that was kept with its checkpoint is gone"
        for uid, row in before.campaigns.items():
            assert after.campaigns[uid]["name"] == row["name"]
        history = self.root / "status" / "job_history.jsonl"
        now = history.read_bytes() if history.exists() else b""
        assert now.startswith(self._history), "the history of jobs was rewritten"
        self._history = now[: now.rfind(b"\n") + 1]
        for path in self.root.glob("campaigns/**/saga.jsonl"):
            uid = json.loads((path.parent / "campaign.json").read_bytes())["uid"]
            saga = path.read_bytes()
            assert saga.startswith(self._sagas.get(uid, b"")), f"{path} was rewritten"
            self._sagas[uid] = saga[: saga.rfind(b"\n") + 1]

    def _check_going(self, stone: Row, before: Look, after: Look) -> None:
        """The rules drop what nothing protects; what a person asks for goes only with that person's word."""
        if stone["kind"] == "rolled":
            self._check_drop(stone, before, after)
            return
        if stone["kind"] == "moved":
            self._check_move(stone, after)
            return
        is_campaign = stone["sequence"] < 0
        name = stone["campaign"] if is_campaign else f"{stone['campaign']}@{stone['step']}"
        assert f"{'campaign' if is_campaign else 'checkpoint'}/{name}" in self.approved, (
            f"{name}: not approved"
        )
        if is_campaign:
            self.approved.discard(f"campaign/{name}")  # said once, for this time
        assert stone["grace_seconds"] >= 24 * 3600, f"{name}: {stone['grace_seconds']} s to take it back"
        mine = after.records.get(stone["campaign_uid"], before.records.get(stone["campaign_uid"]))
        for wanted, what in self._wanted(before, after):
            is_own = mine is not None and what.endswith(f"{mine['hero_id']}/{mine['id']}")
            assert not wanted.startswith(name) or is_own or "own" in what, f"{name}: gone, though {what}"

    def _check_move(self, stone: Row, after: Look) -> None:
        """Only what is archived leaves the root, and only once each of its bytes lies elsewhere."""
        self.num_moved += 1
        name = f"{stone['campaign']}@{stone['step']}"
        assert self.retention is not None, f"{name}: moved out without retention.yaml"
        assert "archive" in self.retention, f"{name}: moved out without a rule"
        assert after.campaigns[stone["campaign_uid"]]["status"] == "archived", (
            f"{name}: moved out of the root"
        )
        _check_bytes(after.elsewhere[stone["digest"]], self.manifests[stone["digest"]])

    def _check_drop(self, stone: Row, before: Look, after: Look) -> None:
        """Nothing that promise 2 protects may have got a tombstone."""
        self.num_dropped += 1
        uid, row = stone["campaign_uid"], after.ledger[stone["sequence"]]
        name = f"{stone['campaign']}@{stone['step']}"
        new = [
            one
            for key, one in after.ledger.items()
            if key not in before.ledger and one["campaign_uid"] == uid
        ]
        there = sorted([*before.there(uid), *new], key=lambda one: one["sequence"])
        sound = [one for one in there if one["healthy"] and one["damage"] is None]
        sequences = [one["sequence"] for one in there]
        assert row["sequence"] in sequences, f"{name}: dropped what was not there"
        assert row["sequence"] != there[-1]["sequence"], f"{name}: dropped the newest"
        assert row["sequence"] != sound[-1]["sequence"], f"{name}: dropped the newest healthy one"
        assert row["step"] != max(one["step"] for one in sound), f"{name}: dropped the resume point"
        taken_back = before.trash.get(stone["sequence"], {"kind": None, "state": None})
        assert taken_back["kind"] == "moved" or taken_back["state"] != "restored", (
            f"{name}: a person took it back"
        )
        self._check_rules(name, row, sound, before, after)
        for path, what in self._wanted(before, after):
            assert path != name, f"{name}: dropped {what}"
        self._check_marks(name, row, there, before.records.get(uid, {}))
        age = _seconds(self._seen_at[stone["sequence"]], self._now())
        assert age >= self._seconds_of("minimum_age", 600), f"{name}: dropped {age} s after it was recorded"

    def _check_rules(self, name: str, row: Row, sound: list[Row], before: Look, after: Look) -> None:
        """Something asked for drops at all; the window, the best and the final one stay."""
        assert self.retention is not None, f"{name}: dropped without retention.yaml"
        uid = row["campaign_uid"]
        states = {look.campaigns[uid]["status"] for look in (before, after) if uid in look.campaigns}
        sets = [self.retention["campaigns"].get("archived" if s == "archived" else "active") for s in states]
        assert any(sets), f"{name}: dropped without a rule for {states}"
        metrics = {
            best["metric"]
            for rules in self.retention["campaigns"].values()
            for best in rules.get("keep_best", ())
        }
        for metric in (metrics & {"val_loss", "train_loss"}) or {"val_loss"}:
            measured = [one for one in sound if one[metric] is not None and math.isfinite(one[metric])]
            best = min(measured, key=lambda one: (one[metric], -one["sequence"]), default=None)
            assert best is None or best["sequence"] != row["sequence"], (
                f"{name}: dropped the best by {metric}"
            )
        if len(states) == 1 and sets[0]:
            window = (
                [one["sequence"] for one in sound][-sets[0]["keep_checkpoints"] :]
                if sets[0].get("keep_checkpoints")
                else []
            )
            assert row["sequence"] not in window, f"{name}: dropped one of the last {len(window)}"

    def _wanted(self, before: Look, after: Look) -> Iterator[tuple[str, str]]:
        """Yield what pins, other campaigns and jobs refer to."""
        assert self.retention is not None
        yield from ((pin, "a pin") for pin in self.retention.get("pins", ()))
        for record in (*before.records.values(), *after.records.values()):
            if record["starting_checkpoint"]:
                yield (
                    record["starting_checkpoint"],
                    f"the starting point of {record['hero_id']}/{record['id']}",
                )
                yield (
                    f"{record['hero_id']}/{record['id']}@{record['starting_step']}",
                    "its own starting point",
                )
        for job in before.jobs.values():
            again = after.jobs.get(job["uid"], job)
            if {job["status"], again["status"]} <= {"queued", "processing"} and job["start_step"] is not None:
                yield (
                    f"{job['hero_id']}/{job['campaign_id']}@{job['start_step'] - 1}",
                    f"what {job['quest_id']} began from",
                )

    def _check_marks(self, name: str, row: Row, there: list[Row], record: Row) -> None:
        for mark in record.get("milestones", ()):
            first = min((one["step"] for one in there if one["step"] >= mark["step"]), default=None)
            assert first != row["step"], f"{name}: dropped milestone {mark['step']}"

    def _check_purge(self, stone: Row) -> None:
        self.num_purged += 1
        at, tick = self._trashed_at[stone["sequence"]]
        lain = _seconds(at, self._now())
        name = f"{stone['campaign']}@{stone['step']}"
        assert lain >= stone["grace_seconds"] >= 600, f"{name}: purged after {lain} s"
        assert self._ticks - tick >= LEAST_CLEAN_TICKS, f"{name}: purged after {self._ticks - tick} ticks"

    def _check_nothing_is_lost(self, after: Look) -> None:
        """Each row in force has its checkpoint in its place, or in the trash until the purge."""
        for row in _in_force(after):
            if row["digest"] in self.spoilt:
                continue
            stone = after.trash.get(row["sequence"], {"state": "restored"})
            name = f"{after.campaigns[row['campaign_uid']]['name']}@{row['step']}"
            is_in_place = row["digest"] in after.places or self._is_in_deleted(row, after)
            if stone["state"] == "restored":
                assert is_in_place, f"{name} is not in its place"
            elif stone["kind"] == "moved":
                assert row["digest"] in after.elsewhere, f"{name} is not elsewhere"
            elif stone["state"] == "trashed":  # a kill may come between the tombstone and the move
                is_in_trash = (self.root / stone["path"] / "manifest.json").exists()
                assert is_in_place or is_in_trash, f"{name} is not in the trash"

    def _is_in_deleted(self, row: Row, look: Look) -> bool:
        """Lies it in the trash with the whole of its campaign, or is that purged?"""
        stones = [
            one for key, one in look.trash.items() if key < 0 and one["campaign_uid"] == row["campaign_uid"]
        ]
        return any(
            stone["state"] in ("purging", "purged")
            or (
                self.root / stone["path"] / "checkpoints" / f"checkpoint-{row['step']}" / "manifest.json"
            ).exists()
            for stone in stones
        )

    def _seconds_of(self, key: str, otherwise: float) -> float:
        words = (self.retention or {}).get(key)
        return float(words[:-1]) * {"s": 1, "m": 60, "h": 3600}[words[-1]] if words else otherwise

    def check_settled(self) -> None:
        """Read everything: promise 1 byte for byte, strangers untouched, nothing learnt twice."""
        look = self._before
        for row in _in_force(look):
            stone = look.trash.get(row["sequence"], {"state": "restored"})
            is_deleted = look.campaigns[row["campaign_uid"]]["status"] == "deleted"
            if (
                row["digest"] not in self.spoilt
                and not is_deleted
                and stone["state"] in ("restored", "trashed")
            ):
                place = row["path"] if stone["state"] == "restored" else stone["path"]
                _check_bytes(self.root / place, self.manifests[row["digest"]])
            if look.is_moved(row["sequence"]):
                _check_bytes(look.elsewhere[row["digest"]], self.manifests[row["digest"]])
        for name, content in self.strangers.items():
            (found,) = self.root.rglob(name)
            assert found.read_bytes() == content, f"{found}: not ours, and changed"
        for uid in look.campaigns:
            self._check_learnt(look, uid)

    def _check_learnt(self, look: Look, uid: str) -> None:
        """Along the ancestry of the newest checkpoint each row is learnt once an epoch; what is done is whole."""
        there = [row for row in look.there(uid) if row["damage"] is None]
        if not there:
            return  # nothing was saved yet, or only the metrics are left
        learnt = self._learnt(max(there, key=lambda row: row["step"])["digest"])
        for spans in learnt.values():
            spans.sort()
            assert all(stop <= start for (_, stop), (start, _) in pairwise(spans)), spans
        for job in look.jobs.values():
            if job["campaign_uid"] == uid and job["status"] == "completed":
                order = job["quest_id"] if job["part"] == 1 else f"{job['quest_id']}+{job['part']}"
                epochs = [
                    s for (quest, digest, _), s in learnt.items() if (quest, digest) == (order, job["digest"])
                ]
                _check_whole(order, epochs, job)

    def _learnt(self, digest: str | None) -> dict[tuple[str, str, int], list[tuple[int, int]]]:
        """Return what a checkpoint has learnt: quest, digest, epoch → positions of its order."""
        learnt: dict[tuple[str, str, int], list[tuple[int, int]]] = {}
        while digest is not None:
            manifest = self.manifests[digest]
            for part in manifest["learnt"]:
                key = part["quest_id"], part["digest"], part["epoch"]
                learnt.setdefault(key, []).append((part["start"], part["stop"]))
            digest = manifest["parent_digest"] if manifest.get("origin") is None else None
        return learnt


def _check_whole(order: str, epochs: list[list[tuple[int, int]]], job: Row) -> None:
    """Each epoch is learnt from its first row to the same last one; a share may be held out."""
    assert len(epochs) >= job["epochs"], f"{order} is completed after {len(epochs)} epochs of {job['epochs']}"
    lengths = {sum(stop - start for start, stop in spans) for spans in epochs}
    assert lengths == {max(stop for spans in epochs for _, stop in spans)}, f"{order}: {epochs}"
    assert 0.4 * job["num_examples"] <= max(lengths) <= job["num_examples"], f"{order}: {lengths}"


def _in_force(look: Look) -> Iterator[Row]:
    """Yield of each step the row that was recorded last, unless it is known to be damaged."""
    newest = {(r["campaign_uid"], r["segment"], r["step"]): r for _, r in sorted(look.ledger.items())}
    return (row for row in newest.values() if row["damage"] is None)


def _check_bytes(folder: Path, manifest: Row) -> None:
    assert json.loads((folder / "manifest.json").read_bytes()) == manifest
    for entry in manifest["files"]:
        content = (folder / entry["path"]).read_bytes()
        assert len(content) == entry["size_bytes"], folder
        assert entry["blake3"].removeprefix("blake3:") == blake3(content).hexdigest(), folder


def _seconds(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def _unchanging(row: Row) -> Row:
    """Return what of a ledger row must stay: all but where it lies, what befell it, and its marks."""
    return {key: value for key, value in row.items() if key not in ("path", "damage", "marks_json")}


def _marks(row: Row) -> set[str]:
    """Return the pin and the tags that are kept with a checkpoint."""
    said = json.loads(row["marks_json"] or "{}")
    return {*said.get("tags", ()), *(["(pinned)"] if said.get("pinned") else [])}
