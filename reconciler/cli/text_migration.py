"""A migration as text. Pure."""

from collections.abc import Iterator

from reconciler.app.migrating.migrate import Migrated
from reconciler.cli.text_layout import safe, wrapped
from state.amounts import count
from state.migration_record import Keep, Link, Move, TakeIn

_MOST_STEPS = 60


def step_line(step: object, width: int = 80, *, back: bool = False) -> str:
    """Return one step, or how it is taken back, folded to a width."""
    symbol, verb, told = _taken_back(step) if back else _done(step)
    return _folded(f"  {symbol} {verb:<9}", told, width)


def _done(step: object) -> tuple[str, str, str]:
    match step:
        case Keep(path=path):
            return "~", "keep", f"{path}, before it is written anew"
        case Move(source=source, target=target):
            return "→", "move", f"{source}  to {target}"
        case Link(path=path, target=target):
            return "+", "link", f"{path}  to {target}"
        case TakeIn(folder=folder, step=number, train_loss=loss, imported=imported):
            known = f"loss {loss:.3f}" if loss is not None else "loss unknown"
            return "+", "take in", f"{folder}  {imported.producer}, step {number:,}, {known}"
        case _:
            return " ", "", str(step)


def _taken_back(step: object) -> tuple[str, str, str]:
    match step:
        case Keep(path=path):
            return "~", "put back", path
        case Move(source=source, target=target):
            return "→", "move", f"{target}  back to {source}"
        case Link(path=path):
            return "-", "unlink", path
        case TakeIn(folder=folder):
            return ".", "forget", f"{folder}, which stays as it was found"
        case _:
            return " ", "", str(step)


def _folded(lead: str, text: str, width: int) -> str:
    first, *rest = wrapped(safe(text), max(20, width - len(lead)))
    return "\n".join([f"{lead}{first}", *(f"{' ' * len(lead)}{line}" for line in rest)])


def migration_text(migrated: Migrated, width: int = 80) -> str:
    """Return what a migration does, did, or took back."""
    return "\n".join(_lines(migrated, width))


def _lines(migrated: Migrated, width: int) -> Iterator[str]:
    yield f"{safe(migrated.root)}   {_HEADS.get(migrated.state, migrated.state)}"
    is_nothing_older = bool(migrated.refusals) and not migrated.campaigns and not migrated.steps
    if migrated.state == "planned" and not is_nothing_older:
        yield f"  realm {safe(migrated.realm)}, its specs in {safe(migrated.specs)}"
        for name in migrated.campaigns:
            active = ", active" if name == migrated.active else ""
            yield f"  + campaign {safe(name)}{active}"
        for step in migrated.steps[:_MOST_STEPS]:
            yield step_line(step, width)
        if (more := len(migrated.steps) - _MOST_STEPS) > 0:
            yield f"  ... and {count(more, 'further step')}"
        for path in migrated.specs_files:
            if path.startswith(("specs/realm", "specs/queue", "specs/campaigns/", "specs/heroes/")):
                yield f"  + spec     {safe(path)}"
    for note in migrated.notes if not is_nothing_older else ():
        yield _folded("Note: ", note, width)
    for refusal in migrated.refusals:
        yield _folded("Refused: ", refusal, width)
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
        yield f"Do it:     reconcile migrate {root} --apply"
        yield "           with the same options; --undo takes it back"
    if migrated.state == "applied":
        yield f"See it:    cd {specs} && reconcile plan"
        yield f"Take back: reconcile migrate {root} --undo"
