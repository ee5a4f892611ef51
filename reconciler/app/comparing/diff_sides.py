"""One side of `diff`: what a hero, a campaign or a checkpoint is set to, has learnt and measures."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from reconciler.app.comparing.earlier_settings import Earlier, earlier_settings
from reconciler.app.comparing.learnt import learnt, most_learnt
from reconciler.app.looking.checkpoint_items import checkpoints_of
from reconciler.app.looking.checkpoint_named import campaign_row_named, chosen
from reconciler.app.looking.given_settings import fixed_settings, given
from reconciler.app.looking.items import CheckpointItem
from reconciler.app.looking.ledger_queries import ABSENT, best, better_left, latest, value_of
from reconciler.app.planning.look import View
from reconciler.app.surroundings.errors import Misused
from reconciler.app.surroundings.ground import named_now
from reconciler.app.surroundings.no_spec import no_spec
from reconciler.desired.layers import layers_of, resolve
from state.ids import is_campaign_name, is_id
from state.store.rows import CampaignRow, RunRow


class Told(msgspec.Struct, frozen=True):
    """A value and where it comes from."""

    value: Any
    origin: str


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two things."""

    kind: str
    name: str
    campaigns: tuple[str, ...]
    """Whose curves are its curves."""
    until_step: int | None
    """Its curves end here; None: they end where they end."""
    segment: int | None = None
    """Of a checkpoint that is not of the living history: its curves lead there."""
    config: Mapping[str, Told]
    """Empty: it is not recorded here."""
    launched: Mapping[str, Told] | None = None
    """Of a campaign that has a spec: what its last launch was set to, in the words of a run."""
    earlier: tuple[Earlier, ...] = ()
    """Of a campaign: what it was trained with before."""
    data: Mapping[str, str]
    """Quest → how much of it was learnt, in words."""
    is_data_known: bool = True
    """false: it was taken over from elsewhere, without a word of what it had learnt."""
    metrics: Mapping[str, Any]


def side_of(view: View, word: str) -> Side:
    """Return the thing that a word names: `<hero>`, `<hero>/<campaign>`, `<hero>/<campaign>@<step>`.

    Raises:
        Misused: the word names nothing.
        NotFound: there is no such thing.
    """
    name = word
    for kind in ("hero/", "campaign/", "checkpoint/"):
        name = name.removeprefix(kind)
    name = named_now(view.facts.store.campaigns, name)
    campaign, at, which = name.partition("@")
    if is_id(name) and not word.startswith(("campaign/", "checkpoint/")):
        return _hero(view, name)
    if at and is_campaign_name(campaign):
        return _checkpoint(view, campaign, which)
    if is_campaign_name(name):
        return _campaign(view, name)
    if name.count("/") == 1:
        raise no_spec("campaign", campaign, _known_campaigns(view), view.uncommitted)
    raise Misused(
        f'"{word}" names nothing that can be compared; expected <hero>, <hero>/<campaign> or '
        "<hero>/<campaign>@<step>, @latest or @best"
    )


def comparable(a: Side, b: Side) -> tuple[Side, Side]:
    """Return two sides whose settings have the same keys: a run has others than the specs.

    A campaign without a spec has its last launch alone; the other one is told by its own then.
    """
    if a.kind != "campaign" or (a.launched is None) == (b.launched is None):
        return a, b
    return _as_launched(a), _as_launched(b)


def _as_launched(side: Side) -> Side:
    return side if side.launched is None else msgspec.structs.replace(side, config=side.launched)


def _known_campaigns(view: View) -> set[str]:
    return {*view.desired.campaigns, *(one.name for one in view.facts.store.campaigns)}


def _hero(view: View, name: str) -> Side:
    source = view.desired.heroes.get(name)
    if source is None:
        raise no_spec("hero", name, view.desired.heroes, view.uncommitted)
    rows = [row for row in view.facts.store.campaigns if row.name.partition("/")[0] == name]
    config = {
        ".".join(path): Told(msgspec.to_builtins(value), source.where(*path))
        for path, value in given(source.spec)
    }
    items = [item for row in rows for item in checkpoints_of(view, row)]
    return Side(
        kind="hero",
        name=name,
        campaigns=tuple(row.name for row in rows),
        until_step=None,
        config=config,
        data=most_learnt(view, rows),
        metrics={"campaigns": len(rows), **_measured(items, _best(items))},
    )


def _campaign(view: View, name: str) -> Side:
    row = view.facts.campaign_row(name)
    if row is None and name not in view.desired.campaigns:
        raise no_spec("campaign", name, _known_campaigns(view), view.uncommitted)
    items = list(checkpoints_of(view, row)) if row else []
    newest = latest(items) or _last_recorded(items)
    return Side(
        kind="campaign",
        name=name,
        campaigns=(name,),
        until_step=None,
        config=_config_of_campaign(view, name, row),
        launched=_last_launch(view, row) if name in view.desired.campaigns else None,
        earlier=earlier_settings(view.facts.runs_of(row.uid)) if row else (),
        data=learnt(view, row, newest),
        metrics={**_of_checkpoint(newest), **_not_its_own(newest), **_measured(items, _best(items))},
    )


def _not_its_own(newest: CheckpointItem | None) -> dict[str, None]:
    """Return what a checkpoint that was taken over does not say of the campaign: no run of it made it."""
    return {"config_hash": None, "code": None} if newest is not None and newest.attempt == 0 else {}


def _checkpoint(view: View, campaign: str, which: str) -> Side:
    row = campaign_row_named(view, campaign)
    item = chosen(campaign, list(checkpoints_of(view, row)), which)
    return Side(
        kind="checkpoint",
        name=item.id,
        campaigns=(campaign,),
        until_step=item.step,
        segment=None if item.is_living else item.segment,
        config=_config_of_run(view, row, item),
        data=(data := learnt(view, row, item)),
        is_data_known=bool(data) or not _is_from_elsewhere(view, row, item),
        metrics=_of_checkpoint(item),
    )


def _is_from_elsewhere(view: View, row: CampaignRow, item: CheckpointItem) -> bool:
    """Was the checkpoint taken over from elsewhere as it was, with no cursor that says what it had learnt?"""
    if item.attempt != 0:
        return False
    complete = (one for one in view.facts.campaigns[row.name].all_complete if one.digest == item.digest)
    return all(not found.manifest.cursor for found in complete)


def _last_recorded(items: Sequence[CheckpointItem]) -> CheckpointItem | None:
    """Return what was recorded last, though it was let go since: its measurements stay."""
    ours = (item for item in items if item.sequence is not None and item.is_living)
    return max(ours, key=lambda item: item.sequence or 0, default=None)


def _best(items: Sequence[CheckpointItem]) -> CheckpointItem | None:
    """Return the best checkpoint that is there; where none is left, the best that was recorded."""
    recorded = [item for item in items if item.is_living and value_of(item, "val_loss") is not None]
    return best(items, "val_loss") or min(recorded, key=lambda item: item.val_loss or 0.0, default=None)


def _config_of_campaign(view: View, name: str, row: CampaignRow | None) -> Mapping[str, Told]:
    """Return what its next launch is set to; without a spec, what its last launch was."""
    if name not in view.desired.campaigns:
        return _last_launch(view, row)
    hero = view.desired.hero_of(name)
    model = {key: Told(value, origin) for key, value, origin in fixed_settings(hero)}
    settings = resolve(layers_of(view.desired, name))
    return model | {key: Told(msgspec.to_builtins(one.value), one.origin) for key, one in settings.items()}


def _last_launch(view: View, row: CampaignRow | None) -> Mapping[str, Told]:
    runs = view.facts.runs_of(row.uid) if row else ()
    return _of_run(runs[-1]) if runs else {}


def _config_of_run(view: View, row: CampaignRow, item: CheckpointItem) -> Mapping[str, Told]:
    """Return the config of the run that saved a checkpoint."""
    runs = {(run.generation, run.attempt): run for run in view.facts.runs_of(row.uid)}
    run = runs.get((item.generation or 0, item.attempt or 0))
    return _of_run(run) if run else {}


def _of_run(run: RunRow) -> Mapping[str, Told]:
    values = msgspec.json.decode(run.config_json, type=dict[str, Any])
    origin = f"run g{run.generation}-a{run.attempt}"
    return {".".join(path): Told(value, origin) for path, value in given(values)}


def _of_checkpoint(item: CheckpointItem | None) -> dict[str, Any]:
    if item is None:
        return {}
    names = ("step", "train_loss", "val_loss", "learning_rate", "total_examples_trained", "size_bytes")
    found = {name: getattr(item, name) for name in names}
    found |= {"measured_on": item.measured_on} if item.measured_on else {}
    found |= {f"accuracy/{skill}": said.get("accuracy") for skill, said in item.skill_metrics.items()}
    return found | {"saved": item.timestamp, "config_hash": item.config_hash, "code": item.code_version}


def _measured(items: Sequence[CheckpointItem], lowest: CheckpointItem | None) -> dict[str, Any]:
    there = [item for item in items if item.state not in ABSENT]
    better = better_left(items, lowest, "val_loss") if lowest is not None else None
    return {
        "checkpoints": len(there),
        "checkpoint_bytes": sum(item.size_bytes for item in there),
        "best_val_loss": lowest.val_loss if lowest else None,
        "best_checkpoint": lowest.id if lowest else None,
        **({"best_measured_on": lowest.measured_on} if lowest and lowest.measured_on else {}),
        **({"better_left_checkpoint": f"{better.id}, {better.val_loss:.3f}"} if better else {}),
    }
