"""What lies in the trash, by name: one look into one folder. Nothing of it is opened."""

import os

from reconciler.observed.folders import UnsafeFile, open_folder, printable, reason
from reconciler.observed.records import TrashFacts
from state.layout import Layout


def observe_trash(layout: Layout) -> TrashFacts:
    """Return the names of everything in the trash; where nothing was ever dropped there is none."""
    folders: set[str] = set()
    files: set[str] = set()
    strange: set[str] = set()
    try:
        with open_folder(layout.trash, layout.root) as opened, os.scandir(opened.descriptor) as entries:
            for entry in entries:
                is_folder, is_file = entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False)
                kind = folders if is_folder else files if is_file else strange
                kind.add(printable(entry.name))
    except FileNotFoundError:
        return TrashFacts()
    except (OSError, UnsafeFile) as error:
        return TrashFacts(problem=f"{layout.trash}: {reason(error)}")
    return TrashFacts(folders=frozenset(folders), files=frozenset(files), strange=frozenset(strange))
