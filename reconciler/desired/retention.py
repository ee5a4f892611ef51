"""`specs/retention.yaml`: which checkpoints are kept. A rule is a reason to keep; what has none may go."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reconciler.desired.base import MAX_LINE, FolderPath, Line, Record, Spec, Words, is_known
from reconciler.desired.metrics import KNOWN_METRICS, direction_of, nearest_metric
from reconciler.desired.places import Finding, KeyPath
from reconciler.desired.realm import Duration, Size, duration_seconds, size_bytes
from state.ids import is_campaign_name

LEAST_ASKED_SECONDS, LEAST_ROLLED_SECONDS = 24 * 3600.0, 600.0
LEAST_SCRUB_SECONDS = 3600.0
MAX_COUNT = 1_000_000
PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")
_METRIC = r"[a-z][a-z0-9_]*(?:/[a-z0-9]+(?:[-.][a-z0-9]+)*)?"
_RATE = "[1-9][0-9]{0,5}(?:MB|GB)/s"
_STEP = "(?:[1-9][0-9]{0,5}:)?(?:0|[1-9][0-9]{0,17})"


def is_checkpoint_name(text: str) -> bool:
    """Is this `<hero>/<campaign>@<step>`, or `@<segment>:<step>` of a segment that is not the living one?"""
    campaign, _, step = text.partition("@")
    return is_campaign_name(campaign) and re.fullmatch(_STEP, step) is not None


def is_rate(text: str) -> bool:
    """Is this `50MB/s` or `1GB/s`?"""
    return re.fullmatch(_RATE, text) is not None


def rate_bytes(text: str) -> int:
    """Return the bytes a second of `50MB/s` or `1GB/s`.

    Raises:
        ValueError: the text is no rate.
    """
    if not is_rate(text):
        raise ValueError(f"{text!r} is no rate")
    return size_bytes(text.removesuffix("/s"))


def _is_metric(text: str) -> bool:
    return len(text) <= MAX_LINE and re.fullmatch(_METRIC, text) is not None


Count = Annotated[int, Meta(ge=-1, le=MAX_COUNT)]
Metric = Annotated[str, Words("a metric such as val_loss or accuracy/bin", _is_metric)]
Rate = Annotated[
    str,
    Words("an amount a second such as 50MB/s or 1GB/s", is_rate, "^[1-9][0-9]{0,5}(MB|GB)/s$"),
]
CheckpointName = Annotated[
    str, Words("<hero>/<campaign>@<step>", is_checkpoint_name, "^[^/@]+/[^/@]+@([0-9]+:)?[0-9]+$")
]


class KeepBest(Record, frozen=True, kw_only=True):
    """Keep the best checkpoints by one metric; what was not measured, or is not finite, never counts."""

    metric: Metric
    """train_loss, val_loss, perplexity, accuracy/<skill>, or another that evaluations write."""
    direction: Literal["lower", "higher"] | None = None
    """Which values are better; known for the metrics above."""
    count: Annotated[int, Meta(ge=-1, le=MAX_COUNT)] = 1
    """How many; -1 keeps every one that has it."""


class KeepRules(Record, frozen=True, kw_only=True):
    """Reasons to keep a checkpoint. Counts are of healthy ones; -1 keeps all, 0 none."""

    keep_checkpoints: Count | None = None
    """The newest so many: a rolling window."""
    keep_size: Size | None = None
    """The newest that fit into this together: a window by size."""
    keep_every: Annotated[int, Meta(gt=0)] | None = None
    """The first at or after each multiple of so many updates."""
    keep_hourly: Count | None = None
    """The newest of each of the last so many hours in which one was saved (UTC)."""
    keep_daily: Count | None = None
    """The same by days."""
    keep_weekly: Count | None = None
    """The same by ISO weeks."""
    keep_monthly: Count | None = None
    """The same by months."""
    keep_yearly: Count | None = None
    """The same by years."""
    keep_within: Duration | None = None
    """Those saved within this duration before the newest."""
    keep_best: tuple[KeepBest, ...] = ()
    """The best by a metric; the one best by each metric named here is never dropped.
    Of held-out losses those on the newest held-out rows, and those of all."""
    keep_tags: tuple[Line, ...] = ()
    """Those that carry one of these tags."""
    max_size: Size | None = None
    """Where the rules keep more of a campaign than this, the plan says so; nothing that they keep goes."""
    keep_optimizer: Annotated[int, Meta(ge=1, le=MAX_COUNT)] | None = None
    """The newest so many of those that are kept keep the optimizer's state, the others their weights only,
    from which another campaign can begin. Absent: all keep it."""
    keep_optimizer_within: Duration | None = None
    """And those saved within this duration before the newest."""


class ActiveRules(KeepRules, frozen=True, kw_only=True):
    """For campaigns that are active or paused."""

    keep_all_ledger_entries: bool = True
    """Only true: what is known of a dropped checkpoint stays for ever."""


class ArchivedRules(KeepRules, frozen=True, kw_only=True):
    """For campaigns that rest in the archive."""

    delete_intermediate: bool = False
    """true: what no rule keeps goes. Otherwise everything stays."""
    keep_best_checkpoint: bool = False
    """The best by each metric that this file names, or by val_loss."""
    keep_final_checkpoint: bool = False
    """The last one."""
    keep_metrics: Literal["forever"] = "forever"
    """Metrics are never deleted."""


class Sets(Record, frozen=True, kw_only=True, cache_hash=True):  # a plan asks for the rules of each campaign
    """The rules by what a campaign does."""

    active: ActiveRules | None = None
    """Active and paused campaigns. Absent: every checkpoint of theirs is kept."""
    archived: ArchivedRules | None = None
    """Archived campaigns. Absent: every checkpoint of theirs is kept."""


class Trash(Record, frozen=True, kw_only=True):
    """How long what is dropped can be taken back, in time during which this software was running."""

    asked: Duration = "72h"
    """For what a person asked to delete; 24h at least."""
    rolled: Duration = "1h"
    """For what the rules drop; 10m at least."""


class Copies(Record, frozen=True, kw_only=True):
    """Copies on other disks of what a campaign must not lose: its best and its final checkpoint."""

    to: Annotated[tuple[FolderPath, ...], Meta(min_length=1, max_length=8)]
    """Folders on other file systems than the root; the first are used first."""
    min_copies: Annotated[int, Meta(ge=2, le=9)] = 2
    """So many of each lie somewhere, the one in the root counted; made while no trainer of it lives."""


class Archive(Record, frozen=True, kw_only=True):
    """Where the checkpoints of archived campaigns lie instead of in the root."""

    to: FolderPath
    """A folder outside of the root. Each is copied there and read back; then the one in the root goes to the
    trash, for trash.rolled. The best and the final one stay in the root, too, until copies.min_copies lie
    elsewhere; where a copy turns out damaged, another is made from a whole one. Once state: archived is gone
    all come back; without this line those there stay until then."""


class Scrub(Record, frozen=True, kw_only=True):
    """Reading every checkpoint again from time to time, to find a disk's damage while a copy is whole."""

    every: Duration = "7d"
    """Each is read again when that is longer ago than this; 1h at least."""
    rate: Rate = "50MB/s"
    """No faster than this, so that training has the disk."""


class Retention(Spec, frozen=True, kw_only=True):
    """Which checkpoints are kept. Without this file every one is."""

    campaigns: Sets = Sets()
    """The rules, for active and for archived campaigns."""
    pins: tuple[CheckpointName, ...] = ()
    """Checkpoints kept whatever the rules say. Without its line one leaves only after an approval."""
    tags: dict[str, tuple[CheckpointName, ...]] = msgspec.field(default_factory=dict)
    """Words for checkpoints, which `keep_tags` can name. One that no rule keeps, or without its line, leaves
    only after an approval, as a pin does."""
    acknowledged_losses: tuple[CheckpointName, ...] = ()
    """Checkpoints known to be missing or damaged: those not named here hold back all drops of a campaign."""
    max_size: Size | None = None
    """Where all campaigns' checkpoints and the trash are more than this together, the plan says so."""
    minimum_age: Duration = "10m"
    """What was recorded a shorter time ago is kept, whatever the rules say."""
    trash: Trash = Trash()
    """How long what is dropped can be taken back."""
    copies: Copies | None = None
    """Absent: a checkpoint is copied only when a person asks (`reconcile export`)."""
    archive: Archive | None = None
    """Absent: archived campaigns rest in the root."""
    scrub: Scrub | None = None
    """Absent: checkpoints are read again only when a person asks (`reconcile scrub`)."""


LATER: dict[str, str] = {}


def check(retention: Retention) -> Iterator[Finding]:
    """Yield what is wrong between keys of the rules."""
    for name in ("active", "archived"):
        rules = getattr(retention.campaigns, name)
        if rules is not None:
            yield from _check_rules(rules, ("campaigns", name))
    yield from _check_trash(retention.trash)
    yield from _check_scrub(retention.scrub)
    yield from _check_copies(retention.copies)
    for key, names in (
        ("pins", retention.pins),
        ("acknowledged_losses", retention.acknowledged_losses),
        *((f"tags.{tag}", ids) for tag, ids in retention.tags.items()),
    ):
        at: KeyPath = tuple(key.split(".", 1))
        for place, one in enumerate(names):
            if is_known(one) and one in names[:place]:
                yield Finding(at=(*at, place), message=f'"{one}" stands here twice')


def keeps_something(rules: KeepRules) -> bool:
    """Is there a rule that could keep a checkpoint? One that cannot be read could."""
    values = [getattr(rules, name) for name in rules.__struct_fields__]
    values += [best.count for best in rules.keep_best]
    if not all(map(is_known, values)):
        return True
    counts = [rules.keep_checkpoints, *(getattr(rules, f"keep_{name}") for name in PERIODS)]
    others = (
        rules.keep_every,
        rules.keep_within,
        rules.keep_size,
        rules.keep_tags,
        any(best.count for best in rules.keep_best),
    )
    archived = isinstance(rules, ArchivedRules) and (
        rules.keep_best_checkpoint or rules.keep_final_checkpoint
    )
    return any(counts) or any(others) or archived


def _check_rules(rules: ActiveRules | ArchivedRules, at: KeyPath) -> Iterator[Finding]:
    deletes = isinstance(rules, ActiveRules) or rules.delete_intermediate is True
    if deletes and not keeps_something(rules):
        yield Finding(
            at=at,
            on_key=True,
            message=f"{at[-1]} keeps nothing: every checkpoint but the protected ones would be deleted",
            hint="give it a rule such as keep_checkpoints: 40, or remove it to keep everything",
        )
    if isinstance(rules, ActiveRules) and rules.keep_all_ledger_entries is False:
        message = "is false; what is known of a checkpoint is never deleted"
        yield Finding(
            at=(*at, "keep_all_ledger_entries"), message=message, hint="say true, or remove the line"
        )
    for place, best in enumerate(rules.keep_best):
        yield from _check_best(best, (*at, "keep_best", place))


def _check_best(best: KeepBest, at: KeyPath) -> Iterator[Finding]:
    if not (is_known(best.metric) and is_known(best.direction)):
        return
    known = direction_of(best.metric)
    if known is None and best.direction is None:
        yield _unknown_metric(best.metric, (*at, "metric"))
    elif known is not None and best.direction not in (None, known):
        message = f"is {best.direction}; of {best.metric} the {known} values are better"
        yield Finding(at=(*at, "direction"), message=message, hint="remove the line")


def _unknown_metric(metric: str, at: KeyPath) -> Finding:
    """Return what is wrong with a metric that nothing here writes and that says no direction."""
    own = "a metric of your own needs direction: lower or direction: higher"
    near = nearest_metric(metric)
    return Finding(at=at, message=f'"{metric}" is no metric', known=KNOWN_METRICS, nearest=near, hint=own)


def _check_scrub(scrub: Scrub | None) -> Iterator[Finding]:
    if not is_known(scrub) or scrub is None or not is_known(scrub.every):
        return
    if duration_seconds(scrub.every) < LEAST_SCRUB_SECONDS:
        message = f"is {scrub.every}; expected at least 1h"
        yield Finding(at=("scrub", "every"), message=message)


def _check_copies(copies: Copies | None) -> Iterator[Finding]:
    if not is_known(copies) or copies is None or not is_known(copies.to, copies.min_copies):
        return
    named = len(set(copies.to))
    if 0 < named < copies.min_copies - 1:  # none: not one of them can be read, which is said of each
        message = f"is {copies.min_copies}, the one in the root counted, but copies.to names {named}"
        hint = "name a folder on another disk for each"
        yield Finding(at=("copies", "min_copies"), message=message, hint=hint)


def _check_trash(trash: Trash) -> Iterator[Finding]:
    for key, least, words in (("asked", LEAST_ASKED_SECONDS, "24h"), ("rolled", LEAST_ROLLED_SECONDS, "10m")):
        given = getattr(trash, key)
        if is_known(given) and duration_seconds(given) < least:
            message = f"is {given}; expected at least {words}"
            yield Finding(at=("trash", key), message=message)
