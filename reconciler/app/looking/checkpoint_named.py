"""The checkpoint that a person names: `<hero>/<campaign>@<step>`, `@<segment>:<step>`, `@latest`, `@best`."""

from collections.abc import Sequence

from reconciler.app.looking.checkpoint_items import checkpoints_of
from reconciler.app.looking.items import CheckpointItem
from reconciler.app.looking.ledger_queries import best, latest
from reconciler.app.planning.in_force import look_in_force
from reconciler.app.planning.look import View
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Misused, NotFound
from reconciler.app.surroundings.ground import named_now, not_found
from reconciler.app.surroundings.place import Options
from state.ids import is_campaign_name
from state.store.rows import CampaignRow


def checkpoint_named(view: View, word: str) -> CheckpointItem:
    """Return the checkpoint that a word names; a campaign's name alone means its latest.

    Raises:
        Misused: the word is no name of a checkpoint.
        NotFound: there is no such campaign or checkpoint.
    """
    campaign, _, which = word.removeprefix("checkpoint/").partition("@")
    if not is_campaign_name(campaign):
        raise Misused(f'"{word}" is no checkpoint; expected <hero>/<campaign>@<step>, @latest or @best')
    row = campaign_row_named(view, campaign)
    return chosen(row.name, list(checkpoints_of(view, row)), which or "latest")


def spelt_out(environment: Environment, options: Options, word: str) -> str:
    """Return a thing's name with the step in the place of `@latest` or `@best`; any other as it is.

    Raises:
        NotFound: nothing was applied, or there is no such campaign, or no such checkpoint of it yet.
    """
    if word.partition("@")[2] not in ("latest", "best"):
        return word
    return checkpoint_named(look_in_force(environment, options), word).id


def campaign_row_named(view: View, campaign: str) -> CampaignRow:
    """Return the row of a campaign that the realm has, by its name or one that it had before.

    Raises:
        NotFound: there is none of this name.
    """
    row = view.facts.campaign_row(named_now(view.facts.store.campaigns, campaign))
    if row is None:
        raise not_found("campaign", campaign, [one.name for one in view.facts.store.campaigns])
    return row


def chosen(campaign: str, items: Sequence[CheckpointItem], which: str) -> CheckpointItem:
    """Return one of a campaign's checkpoints: of a step, the `latest`, or the `best` by held-out loss.

    A step alone is one of the living history, which may have the number of the segment that made it in front,
    too; one of another segment has it always.

    Raises:
        NotFound: it has none such.
    """
    if which in ("latest", "best"):
        found = latest(items) if which == "latest" else best(items, "val_loss")
        if found is None:
            measured = " with a held-out loss" if which == "best" else ""
            raise NotFound(f"campaign {campaign} has no complete checkpoint{measured} yet")
        return found
    by_step = {item.id.partition("@")[2]: item for item in items if item.step is not None}
    living = {f"{item.segment}:{item.step}": item for item in by_step.values() if item.is_living}
    item = by_step.get(which) or living.get(which)
    if item is None:
        raise not_found("checkpoint", f"{campaign}@{which}", [one.id for one in by_step.values()])
    return item
