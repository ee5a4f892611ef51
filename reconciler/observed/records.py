"""What was seen, as frozen records. Pure: no file, clock or process is touched here.

Paths are texts, so that every record can be printed, hashed and sent as JSON. Names that come from a
folder are printable: what is not is escaped.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from state.contract.effective import EffectiveRun
from state.contract.exit import RunExit
from state.contract.manifest import Manifest, Origin
from state.contract.orders import Orders
from state.contract.process import ProcessIdentity
from state.contract.status import RunStatus
from state.homes import HomeState


class FoundCheckpoint(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A checkpoint that passed the test of completeness (its contents were not hashed).

    What every plan asks of the manifest stands beside it: a thousand of them are not decoded to do nothing.
    """

    path: str
    step: int
    size_bytes: int
    """Of all files that the manifest lists, and the manifest."""
    digest: str
    healthy: bool
    generation: int
    origin: Origin | None
    """These four as in the manifest."""
    manifest_json: bytes

    @cached_property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        return msgspec.json.decode(self.manifest_json, type=Manifest)


def found_checkpoint(path: str, size_bytes: int, manifest: Manifest) -> FoundCheckpoint:
    """Return the record of a complete checkpoint with this manifest."""
    return FoundCheckpoint(
        path=path,
        step=manifest.step,
        size_bytes=size_bytes,
        digest=manifest.digest,
        healthy=manifest.healthy,
        generation=manifest.generation,
        origin=manifest.origin,
        manifest_json=msgspec.json.encode(manifest),
    )


class OrphanFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder, or file, among the campaigns' that no campaign explains."""

    path: str
    """Below the root."""
    size_bytes: int
    num_files: int
    is_at_least: bool = False
    """There are more files than were counted."""


class Torn(msgspec.Struct, frozen=True):
    """What is left of a checkpoint of ours."""

    digest: str | None = None
    """As its manifest names it; None: the manifest is gone or damaged."""

    def may_be(self, digest: str) -> bool:
        """Is this what is left of the checkpoint with this digest, as far as it says?"""
        return self.digest in (None, digest)


class ForeignFolder(msgspec.Struct, frozen=True, kw_only=True):
    """Something among the checkpoints that is not ours or not understood: shown, never used or deleted."""

    path: str
    name: str
    reason: str
    producer: str | None = None
    """Whose checkpoint it is, by `observed.producers`; None: nothing that is known here."""
    is_whole: bool = False
    """It passed that producer's test of completeness: it could be taken in."""
    extra: str | None = None
    """What lies in a checkpoint of ours and is not of it: without that it may be whole."""
    is_newer: bool = False
    """A newer software saved it: nothing is wrong with it."""
    torn: Torn | None = None
    """What is left of a checkpoint of ours; None: it is not ours, or not understood."""


class CheckpointFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in one folder of checkpoints."""

    complete: tuple[FoundCheckpoint, ...] = ()
    """By step, smallest first."""
    foreign: tuple[ForeignFolder, ...] = ()
    """By name."""
    staging: tuple[str, ...] = ()
    """Names of unfinished saves."""
    set_aside: tuple[str, ...] = ()
    """Names of damaged checkpoints that were set aside."""
    problem: str | None = None
    """Why the folder could not be read. Then the rest is unknown, not empty."""

    def in_place_of(self, name: str) -> ForeignFolder | None:
        """Return what has the place of a checkpoint and is none that is whole; None: nothing has."""
        return next((one for one in self.foreign if one.name == name), None)

    def too_much(self, name: str) -> str | None:
        """Return what lies in a folder beside its whole checkpoint, as far as known; None: nothing does."""
        found = (one for one in self.foreign if one.name == name and one.extra is not None)
        return next((f"{one.name}/{one.extra}" for one in found), None)


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One launch as its folder and the process table show it."""

    folder: str
    generation: int
    attempt: int
    has_request: bool = False
    claimed: bool = False
    """A process file is there, readable or not: no other trainer will take this run."""
    process: ProcessIdentity | None = None
    alive: bool = False
    unreachable: bool = False
    """It lives in a PID namespace that cannot be looked into from here: it heeds orders, and no signal."""
    status: RunStatus | None = None
    exit: RunExit | None = None
    exit_file: str = "exit.json"
    """Where that stands: in the log, where the disk had no room for its own file."""
    orders: Orders | None = None
    effective: EffectiveRun | None = None
    """What it says that it uses; looked at while it lives."""
    problems: tuple[str, ...] = ()

    def is_of(self, cookie: str) -> bool:
        """Does the process of the launch with this cookie live? A claim may name anybody."""
        return self.alive and self.process is not None and self.process.cookie == cookie


class CampaignRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Every run of one campaign, by generation and attempt."""

    runs: tuple[RunFacts, ...] = ()
    problems: tuple[str, ...] = ()


class RootUse(msgspec.Struct, frozen=True, kw_only=True):
    """What the repository remembers of a root that its realm had on this machine."""

    since: str
    is_home: bool
    """It is meant because it is remembered: nobody named a root for this command."""
    is_gone: bool
    """Nothing of a realm is there: its disk is not mounted, it was moved, or somebody deleted it."""


_OBJECT = msgspec.json.Decoder(dict[str, Any])


IS_EMPTY = "is empty"
"""A derived file's problem: there is nothing in it to keep."""


class DerivedFile(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A JSON file that is rewritten from the store, as it is now."""

    path: str
    content: bytes | None = None
    """The file's bytes, a JSON object; None when it is missing or has a problem."""
    problem: str | None = None

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """What the object holds; nothing when it is missing or has a problem."""
        return {} if self.content is None else _OBJECT.decode(self.content)


class DerivedLink(msgspec.Struct, frozen=True, kw_only=True):
    """A symbolic link that is rewritten from the store, as it is now."""

    path: str
    target: str | None = None
    problem: str | None = None


class DerivedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything derived that the plan compares with the store."""

    active_pointer: DerivedFile
    active_link: DerivedLink
    campaign_records: Mapping[str, DerivedFile] = {}
    """Its campaign.json, by campaign name."""
    status_files: Mapping[str, DerivedFile] = {}
    """Its training_status.json, by campaign name."""


class SeenFolder(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the folder of one campaign."""

    checkpoints: CheckpointFacts
    """Of the living history."""
    segments: Mapping[int, CheckpointFacts] = {}
    """By number, what lies in the folders of the others."""
    runs: CampaignRuns
    record: DerivedFile
    """Its campaign.json."""
    training_status: DerivedFile
    home: HomeState
    """Whether it lies where the campaign's row says."""
    is_clear: bool = False
    """Nothing but plain files and folders stands where such are written in it; else that is looked at."""


class CampaignFolders(msgspec.Struct, frozen=True, kw_only=True):
    """Which campaigns have a folder."""

    names: tuple[str, ...] = ()
    """`<hero>/<campaign>`, sorted."""
    foreign: tuple[ForeignFolder, ...] = ()
    problem: str | None = None


class Strange(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in a folder of ours and is not ours."""

    names: tuple[str, ...]
    """The first of them, by path below the folder."""
    count: int

    def __str__(self) -> str:
        more = f" and {self.count - len(self.names):,} more" if self.count > len(self.names) else ""
        return f"{', '.join(self.names)}{more}"


class TrashFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The names in the realm's trash."""

    folders: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    strange: frozenset[str] = frozenset()
    """Links and devices."""
    problem: str | None = None
    """Why the folder could not be read. Then the rest is unknown, not empty."""
