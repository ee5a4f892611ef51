"""The steps that bring an older root's files to where this software has them. Pure.

Originals of what is written anew are kept first, then things move within the file system, then links are left
where older tools look, and last the checkpoints are hashed where they lie and get a manifest.
"""

import math
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.observed.older_records import OlderCheckpoint, OlderRoot
from reconciler.plan.migrating.older_root import Decision, home_of
from state.contract.imported import Imported
from state.contract.manifest import MANIFEST_NAME, SIDECAR_NAME
from state.ids import ACTIVE_LINK, CAMPAIGNS, campaign_uid, checkpoint_folder
from state.migration_record import Keep, Link, Move, Step, TakeIn, came_from
from state.unknown import UNKNOWN

_ACTIVE = f"{CAMPAIGNS}/{ACTIVE_LINK}"
_POINTER = "control/active_campaign.json"
_DERIVED = (
    *("campaign.json", "saga.jsonl", "archive_summary.json"),
    *("status/training_status.json", "status/checkpoint_ledger.json"),
)
"""What this software writes in a campaign's folder."""
_OURS = (
    *("realm.db", "realm.db-wal", "realm.db-shm", "realm.db-journal", "source.json", "logs/events.jsonl"),
    *("control/epoch", "control/written", "campaigns/.written", "control/reconciler.lock", "control/wake"),
    *("control/trainer.lock", "control/rows", "backups/store"),
)
"""What this software makes in any root."""


def steps_of(older: OlderRoot, decision: Decision, realm_uid: str) -> tuple[Step, ...]:
    """Return everything that is done to the files, in its order."""
    moves = (*_homecomings(decision), *_loose(decision), *_plain_names(decision), *_status(older, decision))
    links = (*_links(older, decision),)
    return (
        *(Keep(path=path) for path in dict.fromkeys(_originals(older, decision))),
        *moves,
        *links,
        *_taken_in(older, decision, realm_uid),
    )


def derived_of(decision: Decision, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Return what this software will have written of its own, below the root."""
    found = [*_OURS, _ACTIVE, _POINTER]
    found += [f"{CAMPAIGNS}/{name}/{file}" for name in names_of(decision) for file in _DERIVED]
    for step in steps:
        if isinstance(step, TakeIn):
            found += [f"{step.folder}/{MANIFEST_NAME}", f"{step.folder}/{SIDECAR_NAME}"]
    return tuple(found)


def names_of(decision: Decision) -> tuple[str, ...]:
    """Return every campaign that there will be."""
    names = [campaign.name for campaign in decision.campaigns]
    return tuple(names) if names or decision.owner is None else (decision.owner,)


def not_taken_in(decision: Decision, steps: tuple[Step, ...]) -> Iterator[str]:
    """Yield the checkpoints that stay foreign, each with the reason."""
    taken = {came_from(step.folder, steps) for step in steps if isinstance(step, TakeIn)}
    for _, one in _checkpoints(decision):
        if one.path not in taken:
            why = _why_not(one) or f"another folder is {checkpoint_folder(one.step)} already"
            yield f"{one.path} is listed and never used: {why}"


def _why_not(one: OlderCheckpoint) -> str | None:
    folders = [name for name in one.start.unused if name.endswith("/")]
    if one.start.problem is None and folders:
        return f"it holds the folder {folders[0]}, which no manifest covers"
    return one.start.problem


def _checkpoints(decision: Decision) -> Iterator[tuple[str, OlderCheckpoint]]:
    """Yield every checkpoint with the campaign that it will be of."""
    for campaign in decision.campaigns:
        for one in campaign.checkpoints:
            yield campaign.name, one
    if decision.loose is not None and decision.owner is not None:
        for one in decision.loose.checkpoints:
            yield decision.owner, one


def _originals(older: OlderRoot, decision: Decision) -> Iterator[str]:
    """Yield what lies there now and will be written anew, where it lies now."""
    yield from older.rewritten
    if older.link is not None:
        yield _ACTIVE
    for campaign in decision.campaigns:
        for name in _DERIVED:
            if f"{campaign.path}/{name}" in campaign.files:
                yield f"{campaign.path}/{name}"
    for name in ("status/training_status.json", "status/checkpoint_ledger.json"):
        if name in older.status_files:
            yield name
    for _, one in _checkpoints(decision):
        if one.has_sidecar and _why_not(one) is None:
            yield f"{one.path}/{SIDECAR_NAME}"


def _homecomings(decision: Decision) -> Iterator[Move]:
    """Yield the moves of archived campaigns to their home; from there they are archived under our name."""
    for campaign in decision.campaigns:
        if campaign.path != home_of(campaign):
            yield Move(source=campaign.path, target=home_of(campaign))


def _loose(decision: Decision) -> Iterator[Move]:
    """Yield the moves of checkpoints outside of every campaign: one, where nothing is to be mixed with."""
    if decision.loose is None or decision.owner is None:
        return
    target = f"{CAMPAIGNS}/{decision.owner}/checkpoints"
    owner = next((one for one in decision.campaigns if one.name == decision.owner), None)
    if owner is None or not owner.has_checkpoints:
        yield Move(source=decision.loose.path, target=target)
        return
    taken = {one.step for one in owner.checkpoints}
    for one in decision.loose.checkpoints:
        if one.step not in taken:
            yield Move(source=one.path, target=f"{target}/{posixpath.basename(one.path)}")


def _plain_names(decision: Decision) -> Iterator[Move]:
    """Yield the moves of `checkpoint-<step>-<date>-<time>` to the name to resume from, if it is free."""
    lie = dict(_places(decision))
    taken = set(lie.values())
    for place in lie.values():
        step = int(posixpath.basename(place).split("-")[1])
        target = f"{posixpath.dirname(place)}/{checkpoint_folder(step)}"
        if place != target and target not in taken:
            taken.add(target)
            yield Move(source=place, target=target)


def _places(decision: Decision) -> Iterator[tuple[str, str]]:
    """Yield where each checkpoint lies now, and where after the campaigns' own moves."""
    for name, one in _checkpoints(decision):
        yield one.path, f"{CAMPAIGNS}/{name}/checkpoints/{posixpath.basename(one.path)}"


def _status(older: OlderRoot, decision: Decision) -> Iterator[Move]:
    """Yield the moves of the root's own status files into the campaign that they are of."""
    owner = decision.status_of
    if owner is None:
        return
    there = {
        posixpath.basename(path)
        for campaign in decision.campaigns
        if campaign.name == owner
        for path in campaign.files
        if posixpath.basename(posixpath.dirname(path)) == "status"
    }
    for path in older.status_files:
        name = posixpath.basename(path)
        if name not in there:
            there.add(name)
            yield Move(source=path, target=f"{CAMPAIGNS}/{owner}/status/{name}")


def _links(older: OlderRoot, decision: Decision) -> Iterator[Link]:
    """Yield the links at the places where older tools look."""
    for move in _status(older, decision):
        folder, name = posixpath.split(move.source)
        campaign = (
            _ACTIVE
            if decision.active == decision.status_of
            else posixpath.dirname(posixpath.dirname(move.target))
        )
        yield Link(path=move.source, target=posixpath.relpath(f"{campaign}/status/{name}", folder))
    home, active = f"{CAMPAIGNS}/{decision.owner}", decision.active == decision.owner
    for move in _loose(decision):
        target = _final(move, decision)
        target = f"{_ACTIVE}{target.removeprefix(home)}" if active else target
        yield Link(path=move.source, target=posixpath.relpath(target, posixpath.dirname(move.source)))


def _final(move: Move, decision: Decision) -> str:
    """Return the name that a moved checkpoint has in the end."""
    return next((one.target for one in _plain_names(decision) if one.source == move.target), move.target)


def _taken_in(older: OlderRoot, decision: Decision, realm_uid: str) -> Iterator[TakeIn]:
    final = {move.source: move.target for move in _plain_names(decision)}
    moved = dict(_places(decision))
    left = {one.path for one in (decision.loose.checkpoints if decision.loose else ())}
    for move in _loose(decision):
        left = {path for path in left if path != move.source and not path.startswith(f"{move.source}/")}
    for name, one in _checkpoints(decision):
        place = final.get(moved[one.path], moved[one.path])
        is_named = posixpath.basename(place) == checkpoint_folder(one.step)
        if one.path in left or _why_not(one) is not None or not is_named:
            continue
        if one.start.manifest is None:
            yield _take_in(older, name, one, place, campaign_uid(realm_uid, name))


def _take_in(older: OlderRoot, name: str, one: OlderCheckpoint, place: str, uid: str) -> TakeIn:
    start, model = one.start, one.start.model
    record = one.record
    return TakeIn(
        folder=place,
        campaign=name,
        campaign_uid=uid,
        step=one.step,
        saved_at=start.saved_at,
        train_loss=_number(record, "train_loss", start.train_loss),
        val_loss=_number(record, "val_loss", start.val_loss),
        learning_rate=_number(record, "learning_rate", start.learning_rate),
        imported=Imported(
            producer=str(start.producer),
            source=f"{older.disk.root}/{one.path}",
            architecture=model.architecture if model else None,
            vocab_size=model.vocab_size if model else None,
            config_digest=model.digest if model else None,
            unused=start.unused,
            unknown=UNKNOWN,
        ),
        files=tuple(sorted({*start.files, *start.unused})),
    )


def _number(record: Mapping[str, Any], key: str, otherwise: float | None) -> float | None:
    """Return what an older ledger says, where it is a finite number, else what the trainer's history says."""
    found = record.get(key)
    is_number = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    return float(found) if is_number and found is not None else otherwise
