"""The commit from which history is read for names: the newest that left none in doubt.

It moves on only where no rename is left to do; until then `renamed_since` says what each campaign is called
in it.
"""

from reconciler.observed.facts import Facts
from state.store.tables import put_meta
from state.store.writer import Writer


def note_names(writer: Writer, facts: Facts, commit: str) -> None:
    """Write down that the names of this commit are those of the rows, or that they are not yet.

    Where no commit was ever noted, the one that was taken up last is, before another takes its place.
    """
    store = facts.store
    is_open = bool(facts.renames or facts.unsaid or facts.unfollowed)
    named = store.last_names_commit if is_open else commit
    if named is None or (named == store.named_commit and (is_open or not store.renamed_since)):
        return
    with writer.transaction() as connection:
        put_meta(connection, "named_commit", named)
        if not is_open:
            put_meta(connection, "renamed_since", "{}")
