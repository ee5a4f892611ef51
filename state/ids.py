"""Names and ids: what may become part of a path, and how ids are derived from what they name."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from state.canonical import sha256_of, short_id

MAX_ID_LENGTH = 64
CAMPAIGNS, ARCHIVE, INBOX = "campaigns", "archive", "inbox"
SEGMENTS = "segments"
_IN_SEGMENTS = f"/{SEGMENTS}/"
ACTIVE_LINK = "active"
RESERVED_HEROES = {
    ARCHIVE: f"{CAMPAIGNS}/{ARCHIVE} is the Hall of Legends, where archived campaigns lie",
    ACTIVE_LINK: f"{CAMPAIGNS}/{ACTIVE_LINK} is the link to the active campaign",
}
"""Ids that no hero may have, each with what has that name among the heroes' folders."""
_DIGITS_OF_CONTENT = 8
_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*", re.ASCII)
_CHECKPOINT = re.compile(r"checkpoint-(0|[1-9][0-9]{0,17})(?:-[0-9]{8}-[0-9]{4})?", re.ASCII)


class RunKey(NamedTuple):
    """One launch: at most one trainer ever runs under it."""

    campaign_uid: str
    generation: int
    attempt: int

    @property
    def folder(self) -> str:
        """Return the name of the run's folder below its campaign's `runs/`."""
        return f"g{self.generation}-a{self.attempt}"

    def __str__(self) -> str:
        return f"{self.campaign_uid}/{self.folder}"


def is_id(text: str) -> bool:
    """Is this safe as an id and as one part of a path?

    Lowercase ASCII letters, digits, single hyphens and dots between them, at most 64 characters.
    """
    return len(text) <= MAX_ID_LENGTH and _ID.fullmatch(text) is not None


def is_campaign_name(text: str) -> bool:
    """Is this `<hero>/<campaign>` with two valid ids, and the hero's none that is reserved?"""
    hero, slash, campaign = text.partition("/")
    return bool(slash) and is_id(hero) and is_id(campaign) and hero not in RESERVED_HEROES


def campaign_uid(realm_uid: str, campaign: str) -> str:
    """Return the uid that a campaign gets when the realm first sees it."""
    return short_id("campaign", realm_uid, campaign)


def campaign_folder(campaign: str, *, archived: bool) -> str:
    """Return where a campaign's folder is to lie, below the root.

    Raises:
        ValueError: the name is not made of two valid ids, or the hero's is the name of something else there.
    """
    if (reserved := RESERVED_HEROES.get(campaign.partition("/")[0])) is not None:
        raise ValueError(f"{campaign!r} can have no folder: {reserved}")
    if not is_campaign_name(campaign):
        raise ValueError(f"{campaign!r} is not <hero>/<campaign>")
    return recorded_folder(campaign, archived=archived)


def recorded_folder(campaign: str, *, archived: bool) -> str:
    """Return where an older version has put the folder of any campaign; for looking there only."""
    if archived:
        return f"{CAMPAIGNS}/{ARCHIVE}/{campaign}-archived"
    return f"{CAMPAIGNS}/{campaign}"


def dropped_quest_id(name: str, digest: str) -> str:
    """Return the id of the quest that a file dropped into the inbox becomes.

    From its path below the inbox, flattened, and the first hex digits of its content: the same file dropped
    again is the same quest, another content under the same name is another one.
    """
    words = re.sub(r"[^a-z0-9]+", "-", name.lower().removesuffix(".jsonl")).strip("-")
    longest = MAX_ID_LENGTH - 1 - _DIGITS_OF_CONTENT
    short = words[-longest:].strip("-") or "dropped"
    return f"{short}-{digest.removeprefix('sha256:')[:_DIGITS_OF_CONTENT]}"


def job_uid(campaign_uid: str, quest_id: str, part: int = 1) -> str:
    """Return the uid of the one job that trains a part of a quest for a campaign."""
    return short_id("job", campaign_uid, quest_id, *(() if part == 1 else (str(part),)))


def order_id(quest_id: str, part: int) -> str:
    """Return what the trainer calls a part of a quest: its id, with the number from the second part on."""
    return quest_id if part == 1 else f"{quest_id}+{part}"


def quest_of(order: str) -> str:
    """Return the quest that a part of it is of; no id of a quest has a plus."""
    return order.partition("+")[0]


def deletion_number(uid: str) -> int:
    """Return the number of a campaign among what is dropped: negative, so that no ledger row has it."""
    return -1 - int(uid, 16) % 2**52


def contents_digest(digests: Iterable[str]) -> str:
    """Return the digest of what a campaign consists of: of the digests of its checkpoints, in any order."""
    return sha256_of(sorted(digests))


def deleted_folder(uid: str) -> str:
    """Return the name that a campaign has in the trash once it is deleted whole."""
    return f"{uid}-campaign"


def checkpoint_folder(step: int) -> str:
    """Return the folder name that the wider ecosystem resumes from."""
    return f"checkpoint-{step}"


def segment_folder(segment: int) -> str:
    """Return where, in a campaign's folder, the checkpoints of a segment lie that is not the living one."""
    return f"{SEGMENTS}/{segment}"


def which_of(segment: int | None, step: int) -> str:
    """Return what follows a campaign's name and `@`: the step, with the segment where that is not living."""
    return str(step) if segment is None else f"{segment}:{step}"


def is_living_place(path: str) -> bool:
    """Does a checkpoint that lies at this place belong to its campaign's living history?"""
    return _IN_SEGMENTS not in path or path.split("/")[-3] != SEGMENTS


def damaged_folder(step: int, digest: str) -> str:
    """Return the folder name under which a damaged checkpoint is set aside."""
    return f".damaged-{step}-{digest.partition(':')[2][:12]}"


def checkpoint_step(folder: str) -> int | None:
    """Return the step in a checkpoint's folder name, plain or canonical; None when it is no such name."""
    match = _CHECKPOINT.fullmatch(folder)
    return int(match[1]) if match else None
