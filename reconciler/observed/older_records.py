"""What was seen of the root of an older system, as frozen records. Pure; paths are below that root."""

from collections.abc import Mapping
from typing import Any

import msgspec

from reconciler.observed.machine_records import DiskFacts
from reconciler.observed.start_records import StartFolder


class OlderCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that an older system's trainer saved."""

    path: str
    step: int
    start: StartFolder
    """What could be gone on with, by its producer's test; its problem says why not."""
    has_sidecar: bool = False
    """A `.ledger.json` lies in it."""
    record: Mapping[str, Any] = {}
    """What its `.ledger.json`, or the ledger index, says of it."""


class OlderCampaign(msgspec.Struct, frozen=True, kw_only=True):
    """The folder of a campaign."""

    hero: str
    id: str
    path: str
    is_archived: bool
    record: Mapping[str, Any] | None
    """Its campaign.json; None: there is none that can be understood."""
    config: Mapping[str, Any] | None
    """Its own config.json."""
    has_checkpoints: bool = False
    """It has a folder of checkpoints, empty or not."""
    checkpoints: tuple[OlderCheckpoint, ...] = ()
    files: tuple[str, ...] = ()
    """Plain files right in it and in its `status`, by their paths."""

    @property
    def name(self) -> str:
        return f"{self.hero}/{self.id}"


class LooseCheckpoints(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of checkpoints that lies outside of every campaign."""

    path: str
    checkpoints: tuple[OlderCheckpoint, ...]


class OlderRoot(msgspec.Struct, frozen=True, kw_only=True):
    """The root of an older system."""

    disk: DiskFacts
    is_realm: bool
    """It is a root of this software already, though its store may be lost."""
    config: Mapping[str, Any] | None = None
    pointer: Mapping[str, Any] | None = None
    """control/active_campaign.json."""
    link: str | None = None
    """Where campaigns/active leads, as it is written: as a link, or as a file where git made no links."""
    state: Mapping[str, Any] | None = None
    """control/state.json."""
    campaigns: tuple[OlderCampaign, ...] = ()
    loose: tuple[LooseCheckpoints, ...] = ()
    heroes: Mapping[str, bytes] = {}
    """Hero id → its file in configs/heroes."""
    skills: Mapping[str, bytes] = {}
    status_files: tuple[str, ...] = ()
    """Files of the one campaign that an older system kept for the whole root."""
    ledger_index: Mapping[str, Any] | None = None
    queued: tuple[str, ...] = ()
    """Quest files that wait in `queue/`."""
    num_dropped: int = 0
    """Files in the inbox."""
    rewritten: tuple[str, ...] = ()
    """Files of the root's own that this software writes anew, where they lie there."""
    in_the_way: tuple[str, ...] = ()
    """What stands where a folder or a link of ours belongs, in words."""
    writers: tuple[str, ...] = ()
    """Processes that have a file below the root open for writing."""
    problems: tuple[str, ...] = ()
    """What could not be understood, by path."""
