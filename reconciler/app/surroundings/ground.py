"""Where a verb stands that only reads or asks: its layout and store, and the specs if needed."""

from collections.abc import Iterable
from pathlib import Path

from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed, NotFound
from reconciler.app.surroundings.place import Options, head_of, repository_of
from reconciler.app.surroundings.realm_store import read_store
from reconciler.desired.git_process import NoCommitYetError, run
from reconciler.desired.mistakes import nearest_name
from state.former_names import called_now, several_had
from state.layout import Layout
from state.store.rows import CampaignRow, StoreView

MAX_NAMES = 12


def store_of(layout: Layout) -> StoreView:
    """Return everything that the realm's store says.

    Raises:
        NotFound: nothing has been applied to this root.
    """
    try:
        return read_store(layout)
    except FileNotFoundError:
        raise NotFound(
            f"nothing has been applied yet: there is no realm at {layout.root}; reconcile apply makes it, "
            "unless its disk is away (reconcile status)"
        ) from None


def work_tree_of(environment: Environment, options: Options) -> Path:
    """Return the top folder of the specs repository's work tree, also before its first commit.

    Raises:
        SourceError: no repository.
        Failed: a bare repository.
    """
    try:
        top = head_of(environment, options).top
    except NoCommitYetError:
        said = run(repository_of(environment, options), "rev-parse", "--show-toplevel").stdout
        text = said.decode("utf-8", "surrogateescape").rstrip("\n")
        top = Path(text) if text else None
    if top is None:
        raise Failed(f"{repository_of(environment, options)}: a bare repository has no files to work on")
    return top


def not_found(what: str, name: str, known: Iterable[str]) -> NotFound:
    """Return the error for a name that nothing has, with the names that there are."""
    names = sorted(known, key=_as_people_count)
    near = _nearest_step(name, names) or nearest_name(name, names)
    meant = f'; did you mean "{near}"?' if near else ""
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    listed = f"known: {', '.join(names[:MAX_NAMES])}{more}" if names else "there is none yet"
    return NotFound(f'there is no {what} "{name}"; {listed}{meant}')


def refuse_trashed(store: StoreView, checkpoint: str) -> None:
    """Refuse a checkpoint that has to be taken out of the trash first, by itself or with its campaign.

    Raises:
        Blocked: it lies there.
    """
    things = (checkpoint, checkpoint.partition("@")[0])
    thing = next((one.thing for one in store.trash if one.state == "trashed" and one.thing in things), None)
    if thing is not None:
        raise Blocked(f"{checkpoint} lies in the trash; first: reconcile undelete {thing}, and apply")


def _nearest_step(name: str, known: Iterable[str]) -> str | None:
    """Return the checkpoint of that step in another segment, else of this history the one of the nearest.

    The step of the living history before that of a segment that was left; of two the later; None: no such.
    """
    history, step = _history_and_step(name)
    if step is None:
        return None
    campaign = f"{name.partition('@')[0]}@"
    elsewhere = [one for one in known if one.startswith(campaign) and _history_and_step(one)[1] == step]
    if elsewhere:
        living = f"{campaign}{step}"
        return living if living in elsewhere else elsewhere[-1]
    steps = [found[1] for one in known if (found := _history_and_step(one))[0] == history]
    near = min(
        (one for one in steps if one is not None), key=lambda one: (abs(one - step), -one), default=None
    )
    return f"{history}{near}" if near is not None else None


def _history_and_step(name: str) -> tuple[str, int | None]:
    """Return `<hero>/<id>@` or `<hero>/<id>@<segment>:`, and the step; None where the name says none."""
    campaign, at, which = name.rpartition("@")
    segment, colon, step = which.rpartition(":")
    is_step = bool(campaign) and step.isascii() and step.isdecimal()
    return f"{campaign}{at}{segment}{colon}", int(step) if is_step else None


def _as_people_count(name: str) -> tuple[str, int, str]:
    """Return what sorts `x@500` before `x@1000`."""
    campaign, _, step = name.rpartition("@")
    return (campaign, int(step), "") if step.isdecimal() and campaign else (name, 0, step)


def named_now(rows: Iterable[CampaignRow], word: str) -> str:
    """Return a word of a person's with the name that its campaign has now, in the place of a former one.

    Raises:
        NotFound: several campaigns had that name, and none has it now.
    """
    rows = tuple(rows)
    if (had := several_had(rows, word)) is not None:
        raise NotFound(f"{had}; none has it now: say which is meant by its name now")
    return called_now(rows, word)


def campaign_in(store: StoreView, name: str | None) -> str:
    """Return the name of a campaign that the realm has: the one asked for, or the active one.

    Raises:
        NotFound: there is no such campaign, several had that name, or none is active.
    """
    names = {row.uid: row.name for row in store.campaigns}
    if name is not None:
        wanted = named_now(store.campaigns, name.removeprefix("campaign/"))
        if wanted not in names.values():
            raise not_found("campaign", wanted, names.values())
        return wanted
    active = names.get(store.active_uid or "")
    if active is None:
        raise NotFound(
            f"no campaign is active; name one of: {', '.join(sorted(names.values())) or 'none yet'}"
        )
    return active
