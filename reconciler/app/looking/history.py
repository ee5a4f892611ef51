"""`history`: every launch that the store remembers, oldest first."""

import msgspec

from reconciler.app.looking.limits import places_within
from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.ground import campaign_in, store_of
from reconciler.app.surroundings.place import Options
from state.store.rows import RunRow, StoreView


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """One run and everything that says how its weights came to be."""

    launched_at: str
    ended_at: str | None
    campaign: str
    generation: int
    attempt: int
    specs_commit: str
    config_hash: str
    """Of the config that it was launched with."""
    told_config_hash: str | None = None
    """Of the newest one that it took up while it ran; null: none."""
    code_version: str
    device: str
    from_step: int
    to_step: int | None
    state: str
    end: str | None
    """How it ended; null while it runs."""
    failure_class: str | None
    message: str | None
    segment: int = 1
    """Of the campaign's history, that it trained."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    root: str
    launches: tuple[Launch, ...]
    num_left_out: int = 0
    """Earlier ones, that a limit leaves out."""


def history(
    environment: Environment, options: Options, campaign: str | None = None, limit: int | None = None
) -> History:
    """Return every launch, or those of one campaign; with a limit the newest of these.

    Raises:
        NotFound: nothing has been applied, or there is no such campaign.
    """
    layout = layout_of(environment, options)
    store = store_of(layout)
    only = campaign_in(store, campaign) if campaign is not None else None
    launches = [launch for launch in _launches(store) if only in (None, launch.campaign)]
    places = places_within("launches", launches, limit)
    return History(
        root=str(layout.root),
        launches=tuple(launches[place] for place in places),
        num_left_out=len(launches) - len(places),
    )


def _launches(store: StoreView) -> list[Launch]:
    names = {row.uid: row.name for row in store.campaigns}
    rows = sorted(store.runs, key=lambda run: (run.launched_at, run.generation, run.attempt))
    return [_launch(run, names[run.campaign_uid]) for run in rows]


def _launch(run: RunRow, campaign: str) -> Launch:
    return Launch(
        launched_at=run.launched_at,
        ended_at=run.ended_at,
        campaign=campaign,
        generation=run.generation,
        attempt=run.attempt,
        specs_commit=run.specs_commit,
        config_hash=run.config_hash,
        told_config_hash=run.told_config_hash,
        code_version=run.code_version,
        device=run.device,
        from_step=run.resume_step or 0,
        to_step=run.final_step,
        state=run.state,
        end=run.end,
        failure_class=run.failure_class,
        message=run.message,
        segment=run.segment,
    )
