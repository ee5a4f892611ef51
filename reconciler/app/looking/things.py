"""What a word means: the things that can be explained, and the names that each of them may be called by."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from reconciler.app.looking.checkpoint_items import checkpoints_of
from reconciler.app.looking.checkpoint_named import campaign_row_named, chosen
from reconciler.app.looking.get import SINGULAR
from reconciler.app.planning.look import View
from reconciler.app.surroundings.errors import Misused
from reconciler.app.surroundings.ground import named_now
from reconciler.app.surroundings.no_spec import no_spec
from reconciler.desired.mistakes import nearest_name
from state.ids import is_campaign_name

NAMES = (
    "realm, quest/<id>, hero/<id>, skill/<id>, dataset/<id>, campaign/<hero>/<id> or <hero>/<id>, queue, "
    "root, retention, trash, inbox/<file>, <hero>/<id>@<step> (or @latest, @best) or <hero>/<id>/g<n>-a<n>"
)
_ONE_OF_ITS_KIND = {
    **{"realm": "realm", "queue": "queue", "root": "root", "retention": "retention", "trash": "trash"},
    **{"pointer": "root", "approval": "realm", "source": "realm", "store": "root"},
}
"""Things without an id; what a plan says that it is about, counts, too."""
_RUN = re.compile(r"g[0-9]+-a[0-9]+", re.ASCII)
_MOST_MEANT = 3


def quests_of(view: View) -> list[str]:
    return [quest.id for quest in view.quests]


def campaigns_of(view: View) -> set[str]:
    return {*view.desired.campaigns, *(row.name for row in view.facts.store.campaigns)}


def runs_of(view: View) -> set[str]:
    """Return the name of every run, and that of each campaign for its newest one."""
    names = {row.uid: row.name for row in view.facts.store.campaigns}
    runs = {f"{names[run.campaign_uid]}/g{run.generation}-a{run.attempt}" for run in view.facts.store.runs}
    return runs | campaigns_of(view)


def inbox_of(view: View) -> list[str]:
    """Return what lies in the inbox, and what was taken in from there, by its name below it."""
    here = (file.name for file in view.facts.inbox.files)
    return list(dict.fromkeys([*here, *(row.name for row in view.facts.store.inbox)]))


KNOWN: Mapping[str, Callable[[View], Collection[str]]] = {
    "campaign": campaigns_of,
    "hero": lambda view: view.desired.heroes,
    "quest": quests_of,
    "skill": lambda view: view.desired.skills,
    "dataset": lambda view: view.desired.datasets,
    "checkpoint": lambda _view: (),
    "run": runs_of,
    "inbox": inbox_of,
    **{one: lambda _view: ("",) for one in dict.fromkeys(_ONE_OF_ITS_KIND.values())},
}
"""Kind → the ids that it has in a view."""


def named(word: str) -> tuple[str, str] | None:
    """Return kind and id of what a word names by its form alone; None: a bare word, or none of these."""
    if word in _ONE_OF_ITS_KIND:
        return _ONE_OF_ITS_KIND[word], ""
    kind, slash, rest = word.partition("/")
    kind = SINGULAR.get(kind, kind)
    kind = "campaign" if kind == "legend" else kind
    if kind not in KNOWN:
        return (bare, word) if slash and (bare := _kind_by_form(word)) is not None else None
    if kind in ("campaign", "checkpoint", "run"):
        return (kind, rest) if "/" in rest else None
    return (kind, rest) if rest and kind not in _ONE_OF_ITS_KIND else None


def _kind_by_form(word: str) -> str | None:
    """Return the kind of `<hero>/<id>`, `<hero>/<id>@<step>` and `<hero>/<id>/g<n>-a<n>`."""
    campaign, at, _ = word.partition("@")
    before, _, last = campaign.rpartition("/")
    if at:
        return "checkpoint" if is_campaign_name(campaign) else None
    if _RUN.fullmatch(last) and is_campaign_name(before):
        return "run"
    return "campaign" if is_campaign_name(campaign) else None


def meant(view: View, word: str) -> tuple[str, str]:
    """Return kind and id of the one thing that a bare word means.

    Raises:
        Misused: it means none, or several; names those.
    """
    things = _things(view)
    likely = [thing for thing in things if thing.rpartition("/")[2] == word]
    one = named(likely[0]) if len(likely) == 1 else None
    if one is None:
        raise _names_nothing(things, word)
    return one


def _things(view: View) -> list[str]:
    desired = view.desired
    many: Iterable[tuple[str, Iterable[str]]] = (
        ("quest/", quests_of(view)),
        ("hero/", desired.heroes),
        ("", desired.campaigns),
        ("skill/", desired.skills),
        ("dataset/", desired.datasets),
    )
    return [f"{prefix}{name}" for prefix, names in many for name in names]


def _names_nothing(things: Sequence[str], word: str) -> Misused:
    """Return the error for a word that is no name of a thing, with the things that it may mean."""
    text = f'"{word}" names no thing; expected {NAMES}'
    likely = [thing for thing in things if thing.endswith(f"/{word}")]
    near = nearest_name(word, [*things, *(thing.rpartition("/")[2] for thing in things)])
    likely = likely or [thing for thing in things if near in (thing, thing.rpartition("/")[2])]
    return Misused(f"{text}; did you mean {' or '.join(likely[:_MOST_MEANT])}?" if likely else text)


def found(view: View, kind: str, name: str) -> str:
    """Return the id of a thing that is there; `@latest` and `@best` of a campaign become a step.

    A campaign, and what is its, is found by a name that it had before, too.

    Raises:
        NotFound: there is no such thing; names the nearest.
    """
    if kind == "checkpoint":
        campaign, _, which = name.partition("@")
        row = campaign_row_named(view, campaign)
        return chosen(row.name, list(checkpoints_of(view, row)), which).id
    known = KNOWN[kind](view)
    if kind in ("campaign", "run") and name not in known:
        name = named_now(view.facts.store.campaigns, name)
    if name not in known:
        raise no_spec(kind, name, known, view.uncommitted)
    return name
