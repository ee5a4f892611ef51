"""What the specs ask for and no launch does, though it is no mistake: older heroes load as they are."""

from collections.abc import Iterator

import msgspec

from reconciler.desired.adapter_targets import unknown_targets
from reconciler.desired.desired import Desired
from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.mistakes import nearest_name
from reconciler.desired.release_schedules import with_falling_rate
from reconciler.desired.schedulers import SCHEDULERS
from reconciler.desired.unsupported import idle_settings, unsupported_hero, unsupported_settings


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the specs that keeps campaigns from being launched."""

    where: str
    """File and line."""
    message: str
    """What it says, what is known, and the nearest name."""
    campaigns: tuple[str, ...]
    """Those that it keeps from being launched, by name; none where only the realm can tell."""


def refusals_in(desired: Desired) -> tuple[Refusal, ...]:
    """Return what a launch refuses of each campaign that is not archived or deleted, what has no effect, and
    doubtful starts.

    Settings are those of the specs: hosts.yaml and the command line may say otherwise.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for name, source in sorted(desired.campaigns.items()):
        if source.spec.state is None:
            for line in _of_campaign(desired, name):
                found.setdefault(line, []).append(name)
    refused = (
        Refusal(where=where, message=message, campaigns=tuple(names))
        for (where, message), names in sorted(found.items())
    )
    return (*refused, *_without_effect(desired), *_never_made(desired), *_starts_without_a_spec(desired))


def _without_effect(desired: Desired) -> Iterator[Refusal]:
    """Yield each line that says something and changes nothing."""
    found: set[tuple[str, str]] = set()
    for name, source in desired.campaigns.items():
        if source.spec.state is None:
            idle = idle_settings(resolve(layers_of(desired, name)))
            found.update((one.origin or source.path, one.reason) for one in idle)
    for hero in desired.heroes.values():
        notes = (one for one in unsupported_hero(hero.spec) if not one.blocks)
        found.update((hero.where(*one.path), one.reason) for one in notes)
    for where, message in sorted(found):
        yield Refusal(where=where, message=message, campaigns=())


def _never_made(desired: Desired) -> Iterator[Refusal]:
    """Yield each release whose campaign has a rate that falls by itself: training goes on without it."""
    for name, source in sorted(desired.campaigns.items()):
        settings = resolve(layers_of(desired, name))
        if source.spec.state is not None or settings["lr_scheduler"].value not in SCHEDULERS:
            continue
        for found in with_falling_rate(source.spec.releases, settings):
            where = source.where("releases", found.place)
            yield Refusal(where=where, message=f"{found.message}; {found.hint}", campaigns=())


def _starts_without_a_spec(desired: Desired) -> Iterator[Refusal]:
    """Yield each start of a campaign that has no spec, nor is its former name, with the nearest name."""
    was = {source.spec.was for source in desired.campaigns.values()}
    for name, source in sorted(desired.campaigns.items()):
        start = source.spec.starting_checkpoint or "/"
        campaign = start.partition("@")[0]
        if start.startswith("/") or source.spec.state or campaign in {*desired.campaigns, *was}:
            continue
        near = nearest_name(campaign, desired.campaigns.keys() - {name})
        meant = f'; did you mean "{near}"?' if near else ""
        message = f'it is to begin with "{start}", and no spec is of {campaign}{meant}'
        yield Refusal(where=source.where("starting_checkpoint"), message=message, campaigns=())


def _of_campaign(desired: Desired, campaign: str) -> Iterator[tuple[str, str]]:
    hero, settings = desired.hero_of(campaign), resolve(layers_of(desired, campaign))
    for setting in (*unsupported_settings(settings), *unknown_targets(hero.spec, settings)):
        yield setting.origin or desired.campaigns[campaign].path, setting.reason
    for asked in unsupported_hero(hero.spec):
        if asked.blocks:
            yield hero.where(*asked.path), asked.reason
