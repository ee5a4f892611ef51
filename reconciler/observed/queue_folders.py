"""What lies in the folders of `queue/`, so that what differs from the store can be put right."""

import stat

from reconciler.observed.folders import Folder, UnsafeFile, open_folder, reason
from state.layout import Layout
from state.queue_folders import FOLDERS, RECORD_SUFFIX, Found

_MAX_BYTES = 1024 * 1024


def observe_queue_folders(layout: Layout) -> Found:
    """Return the links and records below `queue/`; no link is followed."""
    links: dict[str, str] = {}
    records: dict[str, bytes] = {}
    others: list[str] = []
    try:
        with open_folder(layout.queue, layout.root) as queue:
            there = set(queue.names())
            for name in (name for name in FOLDERS if name in there):
                with queue.enter(name) as folder:
                    _look_into(folder, name, links, records, others)
    except FileNotFoundError:
        return Found()
    except (OSError, UnsafeFile) as error:
        return Found(problem=f"{layout.queue}: {reason(error)}")
    return Found(links=links, records=records, others=tuple(others))


def _look_into(
    folder: Folder, below: str, links: dict[str, str], records: dict[str, bytes], others: list[str]
) -> None:
    for name in folder.names():
        path = f"{below}/{name}"
        try:
            mode = folder.status(name).st_mode
            if stat.S_ISLNK(mode):
                links[path] = folder.link_target(name)
            elif stat.S_ISREG(mode) and name.endswith(RECORD_SUFFIX):
                records[path] = folder.read(name, _MAX_BYTES)
            else:
                others.append(path)
        except FileNotFoundError:
            continue
        except (PermissionError, UnsafeFile):
            others.append(path)
