"""`start-over`: a new campaign of a hero with the settings of the old one, which is archived. One commit."""

from collections.abc import Iterator

from reconciler.app.committing.archiving import afterwards_note, archived_text, waiting_note
from reconciler.app.committing.line_edits import (
    CannotEdit,
    with_line,
    with_value,
    without_block,
    without_line,
)
from reconciler.app.committing.new import check_title, used_numbers
from reconciler.app.committing.scalars import quoted
from reconciler.app.committing.spec_edits import (
    Base,
    Committing,
    SpecCommit,
    called_now,
    commit_edits,
    read_base,
)
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Misused
from reconciler.app.surroundings.ground import not_found, work_tree_of
from reconciler.app.surroundings.place import Options
from reconciler.desired.places import KeyPath


def start_over(
    environment: Environment,
    options: Options,
    hero: str,
    committing: Committing,
    *,
    old: str | None = None,
    title: str | None = None,
    keep_queue: bool = False,
) -> SpecCommit:
    """Commit a new campaign of the hero, the old one archived, and the new one active if the old one was.

    Raises:
        NotFound: there is no such hero, or no such campaign of it.
        Misused: the hero has no campaign that is not archived, or several and none was named.
        Blocked: a spec that it would change has edits that are not committed, or fits no line edit.
    """
    check_title(title)
    base = read_base(environment, options)
    if old is not None:
        old = called_now(environment, options, base, old if "/" in old else f"{hero}/{old}")
    before = _old_campaign(base, hero, old)
    top = work_tree_of(environment, options)
    number = 1 + max(used_numbers(environment, options, top, hero), default=0)
    after = f"{hero}/campaign-{number:03d}"
    try:
        texts = dict(_edits(base, before, after, title or f"Campaign {number}", keep_queue=keep_queue))
    except CannotEdit as error:
        raise Blocked(f"a spec {error}") from error
    subject = f"Start {hero} over: {after}, {before} archived"
    notes = (*_notes(base, before, after), *(waiting_note(base, before) if keep_queue else ()))
    return commit_edits(environment, options, base, texts, subject, committing, notes)


def _old_campaign(base: Base, hero: str, old: str | None) -> str:
    """Return the campaign that ends: the one named, the active one, or the only one that is not archived."""
    if hero not in base.desired.heroes:
        raise base.no_spec("hero", hero, base.desired.heroes)
    living = [
        name
        for name, source in base.desired.campaigns.items()
        if name.partition("/")[0] == hero and source.spec.state is None
    ]
    active = base.desired.realm.spec.active
    if old is not None:
        if old not in living:
            raise not_found(f"campaign of {hero} that is not archived", old, living)
        return old
    if active in living:
        return str(active)
    if len(living) == 1:
        return living[0]
    if not living:
        raise Misused(f"{hero} has no campaign to start over; make one: reconcile new campaign {hero}")
    raise Misused(f"{hero} has several campaigns; say which is to be archived: --old {' or '.join(living)}")


def _edits(base: Base, before: str, after: str, title: str, *, keep_queue: bool) -> Iterator[tuple[str, str]]:
    """Yield path and new text of every spec that changes."""
    old, new = base.desired.campaigns[before], f"specs/campaigns/{after}.yaml"
    text = with_value(base.text(old.path), ("id",), after.partition("/")[2])
    if old.spec.rewind is not None:
        text = without_line(text, "rewind")  # it is about checkpoints of the old one
    if old.spec.was is not None:
        text = without_line(text, "was")  # that name was the old one's
    for key in ("milestones", "releases"):  # these are about them, too: they name its steps
        if getattr(old.spec, key):
            text = without_block(text, key)
    yield new, with_line(text, "name", quoted(title), after=("id",))
    yield old.path, archived_text(base, old.path)
    realm = base.desired.realm
    if realm.spec.active in (before, None):
        yield realm.path, with_line(base.text(realm.path), "active", after, after=("name", "id"))
    if base.desired.queue is not None and not keep_queue:
        queue = base.desired.queue
        text = base.text(queue.path)
        for at in _named_in_queue(base, before):
            text = with_value(text, at, after)
        yield queue.path, text


def _named_in_queue(base: Base, campaign: str) -> Iterator[KeyPath]:
    for index, quest in enumerate(base.desired.quests):
        for place, who in enumerate(quest.for_):
            if who == campaign:
                yield ("quests", index, "for", place)


def _notes(base: Base, before: str, after: str) -> tuple[str, ...]:
    """Return what a person should know beside the diff."""
    active = base.desired.realm.spec.active
    notes = [f"{before}: {afterwards_note(base)}"]
    if active not in (before, None):
        notes.append(f"{active} stays active. To train the new one:  specs/realm.yaml: active: {after}")
    if not any(after.partition("/")[0] in quest.for_ for quest in base.desired.quests) and not any(
        _named_in_queue(base, before)
    ):
        notes.append(f"No quest names {after}: add it to `for:` of one in specs/queue.yaml")
    return tuple(notes)
