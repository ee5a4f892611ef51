"""A migration as text. Pure."""

from collections.abc import Iterator

from reconciler.app.migrating import Migrated
from reconciler.cli.text_layout import safe
from state.amounts import count
from state.migration_record import Keep, Link, Move, TakeIn

_MOST_STEPS = 60


def step_line(step: object) -> str:
    """Return one step as a line."""
    match step:
        case Keep(path=path):
            return f"  ~ keep     {safe(path)}, before it is written anew"
        case Move(source=source, target=target):
            return f"  → move     {safe(source)}  to {safe(target)}"
        case Link(path=path, target=target):
            return f"  + link     {safe(path)}  to {safe(target)}"
        case TakeIn(folder=folder, step=number, train_loss=loss, imported=imported):
            known = f"loss {loss:.3f}" if loss is not None else "loss unknown"
            return f"  + take in  {safe(folder)}  {imported.producer}, step {number:,}, {known}"
        case _:
            return f"  {safe(str(step))}"


def migration_text(migrated: Migrated) -> str:
    """Return what a migration does, did, or took back."""
    return "\n".join(_lines(migrated))


def _lines(migrated: Migrated) -> Iterator[str]:
    yield f"{safe(migrated.root)}   {_HEADS.get(migrated.state, migrated.state)}"
    if migrated.state == "planned":
        yield f"  realm {safe(migrated.realm)}, its specs in {safe(migrated.specs)}"
        for name in migrated.campaigns:
            active = ", active" if name == migrated.active else ""
            yield f"  + campaign {safe(name)}{active}"
        for step in migrated.steps[:_MOST_STEPS]:
            yield step_line(step)
        if (more := len(migrated.steps) - _MOST_STEPS) > 0:
            yield f"  ... and {count(more, 'further step')}"
        for path in migrated.specs_files:
            if path.startswith(("specs/realm", "specs/queue", "specs/campaigns/", "specs/heroes/")):
                yield f"  + spec     {safe(path)}"
    for note in migrated.notes:
        yield f"Note: {safe(note)}"
    for refusal in migrated.refusals:
        yield f"Refused: {safe(refusal)}"
    yield from _next(migrated)


_HEADS = {
    "planned": "dry run: nothing was changed",
    "applied": "migrated",
    "applying": "a migration was cut short",
    "recording": "a migration was cut short",
    "undoing": "an undo was cut short",
    "undone": "as it was before",
}


def _next(migrated: Migrated) -> Iterator[str]:
    root, specs = safe(migrated.root), safe(migrated.specs)
    if migrated.state == "planned" and not migrated.refusals:
        yield f"Do it:     reconcile migrate {root} --apply   (the same options; --undo takes it back)"
    if migrated.state == "applied":
        yield f"See it:    cd {specs} && reconcile plan"
        yield f"Take back: reconcile migrate {root} --undo"
