"""What is the matter with the store, in words: which file, what was found, what to do. Pure."""

from pathlib import Path

import apsw

from state.store.connection import BUSY_MILLISECONDS


def in_words(error: apsw.Error, store: Path | None) -> str:
    """Return an error of SQLite as a person reads it; `store` is the file, where it is known."""
    what = str(store) if store is not None else "the realm's store"
    match error:
        case apsw.BusyError() | apsw.LockedError():
            seconds = BUSY_MILLISECONDS / 1000
            who = f" (who: fuser {store})" if store is not None else ""
            held = f"another program has locked it for more than {seconds:g} s ({error})"
            return f"{what}: {held}; wait until it is done{who}, then run this again"
        case apsw.FullError():
            return f"{what}: no space left on its disk ({error}); free some there, then run this again"
        case apsw.ReadOnlyError() | apsw.CantOpenError() | apsw.PermissionsError() | apsw.AuthError():
            return f"{what}: cannot be written ({error}); ask whom the realm belongs to"
        case apsw.IOError():
            return f"{what}: its disk, or the way to it, is failing ({error}); look at the kernel's log"
        case _:
            advice = "see reconcile doctor; if the file is damaged, reconcile doctor --rebuild makes it again"
            return f"{what} cannot be read: {error}; {advice}"
