"""What becomes of an older root: its campaigns, the active one, and whose its loose checkpoints are.

Pure. What an older system left in two minds is not guessed: it is refused with what to say (`--active`,
`--hero`), or named where it does not matter.
"""

from collections.abc import Iterator, Mapping

import msgspec

from reconciler.desired.hero import Hero
from reconciler.observed.older_records import LooseCheckpoints, OlderCampaign, OlderRoot
from reconciler.plan.migrating.older_config import model_of_config
from reconciler.plan.root import misplaced_root, unwritable_root
from state.ids import CAMPAIGNS, is_campaign_name

NONE_ACTIVE = "none"
FIRST = "campaign-001"
_MOST = 8


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decides where the older root cannot."""

    active: str | None = None
    """`<hero>/<campaign>`, or `none`; None: as the root says."""
    hero: str | None = None
    """Whose the checkpoints are that lie outside of every campaign."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of it."""

    active: str | None = None
    campaigns: tuple[OlderCampaign, ...] = ()
    loose: LooseCheckpoints | None = None
    """Checkpoints to be moved into `owner`."""
    owner: str | None = None
    config_of: str | None = None
    """The campaign whose model the root's config.json trains."""
    status_of: str | None = None
    """The campaign that the root's own status files are of."""
    refusals: tuple[str, ...] = ()
    """Why it is not migrated; each with what to do."""
    notes: tuple[str, ...] = ()
    """What a person should know."""


def decide(older: OlderRoot, wish: Wish, heroes: Mapping[str, Hero], new_hero: str | None) -> Decision:
    """Return what becomes of a root; `new_hero` is the id of the one that its config.json makes, if any."""
    refusals = [*_wrong_ground(older), *_wrong_campaigns(older, heroes)]
    notes = [*_stale(older), *older.problems]
    campaigns = older.campaigns
    active, why_not, told = _active(older, wish, new_hero)
    refusals += [why_not] if why_not else []
    notes += told
    status_of = active if of_pointer(older) in (None, active) else None
    if older.status_files and older.campaigns and status_of is None:
        notes.append(f"{', '.join(older.status_files)}: left there, since nobody can tell whose it is")
    loose, left = (older.loose[0], older.loose[1:]) if older.loose else (None, ())
    notes += [f"{one.path} is left where it is: {older.loose[0].path} has the checkpoints" for one in left]
    owner, why_not, told = _owner(older, wish, heroes, active, new_hero)
    refusals += [why_not] if why_not and loose is not None else []
    notes += told
    if not campaigns and owner is not None:
        active, status_of = owner if wish.active != NONE_ACTIVE else None, owner
    return Decision(
        active=active,
        campaigns=campaigns,
        loose=loose,
        config_of=owner,
        status_of=status_of,
        owner=owner if loose is not None or not campaigns else None,
        refusals=tuple(dict.fromkeys(refusals)),
        notes=tuple(dict.fromkeys(notes)),
    )


def _wrong_ground(older: OlderRoot) -> Iterator[str]:
    disk = older.disk
    if older.is_realm:
        yield f"{disk.root} is a root of this software already: there is nothing to migrate"
        return
    if not (older.campaigns or older.config or older.loose):
        expected = "config.json, current_model/ or campaigns/"
        yield f"{disk.root} holds nothing of an older system: expected {expected}"
        return
    problem = misplaced_root(disk)
    if problem is not None:
        yield f"{problem}: move its campaigns, control, status, current_model and config.json elsewhere first"
    if (refused := unwritable_root(disk)) is not None:
        yield "; ".join(refused)
    for writer in older.writers[:_MOST]:
        yield f"{writer} has a file below {disk.root} open for writing; stop it first"
    for what in older.in_the_way:
        yield f"{what}; move it away"


def _wrong_campaigns(older: OlderRoot, heroes: Mapping[str, Hero]) -> Iterator[str]:
    first: dict[str, str] = {}
    for campaign in older.campaigns:
        if not is_campaign_name(campaign.name):
            yield (
                f"{campaign.path}: <hero>/<campaign> must be lowercase letters, digits, hyphens and dots; "
                "rename the folder"
            )
        elif campaign.hero not in heroes:
            yield f"{campaign.path} has no hero: there is no configs/heroes/{campaign.hero}.yaml; write one"
        before = first.setdefault(campaign.name, campaign.path)
        if before != campaign.path:
            yield (
                f"{before} and {campaign.path} have one number, which is never used twice: rename one of the "
                "folders to a number that is free"
            )


def _stale(older: OlderRoot) -> Iterator[str]:
    state = older.state or {}
    status = state.get("status")
    if status in ("training", "stopping", "skipping") and not older.writers:
        since = state.get("last_update")
        yield f'control/state.json says "{status}" (last {since}); no process writes there: it is stopped'


def _active(older: OlderRoot, wish: Wish, new_hero: str | None) -> tuple[str | None, str | None, list[str]]:
    """Return the active campaign, or why nobody can tell, and what else is worth knowing."""
    names = [campaign.name for campaign in older.campaigns if not campaign.is_archived]
    if wish.active is not None:
        return _wished(wish.active, names or ([f"{new_hero}/{FIRST}"] if new_hero else []))
    pointer, link = of_pointer(older), _of_link(older.link)
    told = _told_link(older, link)
    if pointer and link and pointer != link:
        says = f"control/active_campaign.json names {pointer}, campaigns/active leads to {link}"
        return None, f"{says}; say which is active: --active {pointer} or --active {link}", told
    if pointer or link:
        return _named_active(older, str(pointer or link), names, told)
    marked = [c.name for c in older.campaigns if (c.record or {}).get("status") == "active"]
    if len(marked) > 1:
        several = f"{', '.join(marked)} say that they are active; say which: --active {' or '.join(marked)}"
        return None, several, told
    return marked[0] if marked else None, None, told


def _wished(active: str, known: list[str]) -> tuple[str | None, str | None, list[str]]:
    if active == NONE_ACTIVE:
        return None, None, []
    problem = f"--active {active}: there is no such campaign; there are {', '.join(known) or 'none'}"
    return active, None if active in known else problem, []


def _named_active(
    older: OlderRoot, chosen: str, names: list[str], told: list[str]
) -> tuple[str | None, str | None, list[str]]:
    """Return the campaign that pointer and link name, if it is there; those that say so too are named."""
    if chosen not in names:
        choice = " or ".join([*names, NONE_ACTIVE])
        return None, f"{chosen} is named active and has no folder; say which is: --active {choice}", told
    marked = [c.name for c in older.campaigns if (c.record or {}).get("status") == "active"]
    others = [name for name in marked if name != chosen]
    if others:
        told = [*told, f"{chosen} is active; these say so too, and are paused: {', '.join(others)}"]
    return chosen, None, told


def of_pointer(older: OlderRoot) -> str | None:
    """Return the campaign that the older root's pointer names."""
    pointer = older.pointer or {}
    hero, campaign = pointer.get("hero_id"), pointer.get("campaign_id")
    return f"{hero}/{campaign}" if hero and campaign else None


def _of_link(link: str | None) -> str | None:
    """Return the campaign that a link leads to, wherever the root lay when it was made."""
    parts = [part for part in (link or "").split("/") if part]
    return "/".join(parts[-2:]) if len(parts) >= 2 else None  # noqa: PLR2004 - hero and campaign


def _told_link(older: OlderRoot, link: str | None) -> list[str]:
    target = older.link or ""
    if link is not None and target.startswith("/") and not target.startswith(f"{older.disk.root}/"):
        return [f"campaigns/active leads to {target}, which is not here: it is read as {link}, and made anew"]
    return []


def _owner(
    older: OlderRoot, wish: Wish, heroes: Mapping[str, Hero], active: str | None, new_hero: str | None
) -> tuple[str | None, str | None, list[str]]:
    """Return whose the loose checkpoints are, or why nobody can tell."""
    if not older.campaigns:
        hero = wish.hero or new_hero
        asks = "config.json does not say which model was trained; name its hero: --hero ID"
        return (f"{hero}/{FIRST}", None, []) if hero else (None, asks, [])
    model = model_of_config(older.config)
    of_model = [hero for hero, spec in heroes.items() if model and _base(spec.model.hf_name) == model]
    told = []
    if active is not None and model and active.partition("/")[0] not in of_model:
        whose = f" (hero {' or '.join(of_model)})" if of_model else ""
        told.append(
            f"config.json is of {model}{whose}, the active campaign is {active}: it changes nothing of it"
        )
    hero_of = [wish.hero] if wish.hero else of_model
    living = [c.name for c in older.campaigns if c.hero in hero_of and not c.is_archived]
    if active in living:
        return active, None, told
    if len(living) == 1:
        return living[0], None, told
    path = older.loose[0].path if older.loose else ""
    asks = f"{path}: nobody can tell whose checkpoints they are; move them into a campaign, or name --hero ID"
    return None, asks, told


def _base(name: str | None) -> str | None:
    return name.rstrip("/").rpartition("/")[2] if name else None


def home_of(campaign: OlderCampaign) -> str:
    """Return where a campaign's folder is to lie."""
    return f"{CAMPAIGNS}/{campaign.name}"
