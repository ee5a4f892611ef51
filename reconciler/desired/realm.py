"""`specs/realm.yaml`: which campaign is active, what is under every hero, how the loop runs."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from reconciler.desired.base import CampaignName, Id, Line, Record, Spec, Words, is_known
from reconciler.desired.places import Finding
from reconciler.desired.training import TrainingSettings, check_settings
from reconciler.desired.windows import Window, check_windows

_DURATION = r"([0-9]{1,6})(ms|s|m|h|d)"
_SIZE = r"([0-9]{1,6})(MB|GB|TB)"
_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration_seconds(text: str) -> float:
    """Return the seconds in `500ms`, `15s`, `2m`, `1h` or `3d`.

    Raises:
        ValueError: the text is no duration above zero.
    """
    match = re.fullmatch(_DURATION, text)
    if match is None or not int(match[1]):
        raise ValueError(f"{text!r} is no duration")
    return int(match[1]) * _SECONDS[match[2]]


def _is_duration(text: str) -> bool:
    match = re.fullmatch(_DURATION, text)
    return match is not None and int(match[1]) > 0


def size_bytes(text: str) -> int:
    """Return the bytes in `500MB`, `50GB` or `2TB`; a thousand kilobytes to the megabyte, as disks are sold.

    Raises:
        ValueError: the text is no size.
    """
    match = re.fullmatch(_SIZE, text)
    if match is None:
        raise ValueError(f"{text!r} is no size")
    return int(match[1]) * _BYTES[match[2]]


def _is_root(text: str) -> bool:
    return text.startswith(("/", "~/")) and "\0" not in text and ".." not in text.split("/")


Duration = Annotated[str, Words("a duration such as 15s, 2m or 1h", _is_duration, "^[0-9]{1,6}(ms|s|m|h|d)$")]
Size = Annotated[
    str,
    Words("a size such as 500MB, 50GB or 2TB", lambda t: re.fullmatch(_SIZE, t) is not None, f"^{_SIZE}$"),
]
RootPath = Annotated[
    str, Words("an absolute path, or one that starts with ~/, without ..", _is_root, "^(/|~/)")
]


class RetryOfClass(Record, frozen=True, kw_only=True):
    """What follows when a run fails in one way: such failures are counted by themselves."""

    attempts: Annotated[int, Meta(ge=1, le=100)] | None = None
    """Such failures in a row after which a person must look; absent: as of all."""
    backoff: Duration | None = None
    """Wait after the first of them; absent: as of all."""


class Retry(Record, frozen=True, kw_only=True):
    """What follows when an action fails."""

    attempts: Annotated[int, Meta(ge=1, le=100)] = 3
    """Failures in a row after which a person must look."""
    backoff: Duration = "30s"
    """Wait after the first failure; it doubles with each further one."""
    longest_backoff: Duration = "30m"
    """The wait grows no further; up to a fifth is added, so that what failed together is tried apart."""
    oom: RetryOfClass | None = None
    """Of runs that found too little memory; absent, as of each class below: they count with all others."""
    nan: RetryOfClass | None = None
    """Of runs with a loss or a gradient that is not finite."""
    environment: RetryOfClass | None = None
    """Of runs that missed something on the machine: a model, a package, room on a disk."""
    hardware: RetryOfClass | None = None
    """Of runs whose device failed."""
    stuck: RetryOfClass | None = None
    """Of runs that got no further, so that their watchdog ended them."""
    lost: RetryOfClass | None = None
    """Of runs whose process was gone without a word."""
    unknown: RetryOfClass | None = None
    """Of runs that failed in no other way."""


class ApproveAbove(Record, frozen=True, kw_only=True):
    """What one plan may destroy without a person's approval (`reconcile approve`)."""

    checkpoints: Annotated[int, Meta(ge=0)] = 20
    """More dropped checkpoints than this wait for an approval."""
    size: Size = "50GB"
    """More bytes than this do."""
    gpu_hours: Annotated[float, Meta(ge=0)] = 24.0
    """More hours of GPU work that nothing else holds do."""


class Disk(Record, frozen=True, kw_only=True):
    """What the disk of the root must have room for."""

    floor: Size = "250MB"
    """So much stays free beside the next save and the one that a pause makes: below that training pauses,
    before a save can fail."""
    ballast: Size | None = None
    """A file of this size in the root, let go when the disk is full, so that the store and the last save can
    be written, and made again when there is room. Absent: none."""
    preflight: Literal["refuse", "warn"] = "refuse"
    """What follows where the saves of all that is queued do not fit, by size, retention and trash."""


class Apply(Record, frozen=True, kw_only=True):
    """How the loop runs."""

    interval: Duration = "15s"
    """Time between two looks at the world when nothing calls for one."""
    poll: Duration = "30s"
    """Time between two looks at a source that is fetched from elsewhere (`apply --source URL`)."""
    windows: tuple[Window, ...] = ()
    """When new commits are taken up; empty: at any time. What is in force goes on outside of them, too."""
    retry: Retry = Retry()
    """What follows when an action fails."""
    approve_above: ApproveAbove = ApproveAbove()
    """Limits above which a plan that destroys waits for a person."""


class Realm(Spec, frozen=True, kw_only=True):
    """The realm: one host's training, described by the specs beside this file."""

    id: Id
    """Names the realm and, unless `root` is given, its folder."""
    name: Line | None = None
    """For people."""
    active: CampaignName | None = None
    """The campaign that trains; change this line to switch heroes. Absent: none does."""
    root: RootPath | None = None
    """Folder of checkpoints, logs and state, outside every git work tree. Absent: the user's data folder."""
    defaults: TrainingSettings | None = None
    """Settings under every hero and campaign."""
    disk: Disk = Disk()
    """What stays free on the disk of the root."""
    apply: Apply = Apply()
    """How the loop runs."""


LATER = {
    "apply.gentle_stop": "the length of a gentle stop",
}


def check(realm: Realm) -> Iterator[Finding]:
    """Yield what is wrong between keys of a realm."""
    yield from check_settings(realm.defaults, "defaults")
    if is_known(realm.apply, realm.apply.windows):
        yield from check_windows(realm.apply.windows)
    retry = realm.apply.retry
    if not is_known(retry.longest_backoff, retry.backoff):
        return
    if duration_seconds(retry.longest_backoff) < duration_seconds(retry.backoff):
        message = f"is {retry.longest_backoff}, shorter than backoff ({retry.backoff})"
        yield Finding(at=("apply", "retry", "longest_backoff"), message=message)
