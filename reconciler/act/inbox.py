"""Take a file out of the inbox: its content becomes a snapshot and a quest first, only then the file goes.

The file is compared with what the plan saw before it is copied, after it, and right before it is removed; who
changes it meanwhile keeps it. Killed at any point, it lies in the inbox, or in the realm's data, or in both:
a file that begins with what was taken in before brings only what came behind it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from reconciler.act.errors import Permanent, Temporary
from reconciler.act.snapshots import copy_open_file, digest_of, is_there, publish, record, staging_place
from reconciler.act.tools import Tools
from reconciler.observed.folders import Folder, Signature, UnsafeFile, open_folder, reason, signature
from reconciler.observed.settled import is_open_for_writing
from reconciler.plan.actions import TakeInboxFile
from state.amounts import count, size
from state.atomic import sync_folder
from state.failpoints import reach
from state.ids import INBOX
from state.store.rows import InboxRow
from state.store.tables import put, select_one


class _Found:
    """The file of an action, open, in its open folder."""

    def __init__(self, folder: Folder, name: str, descriptor: int, action: TakeInboxFile) -> None:
        self._folder, self._name, self._action = folder, name, action
        self.descriptor = descriptor
        self._seen = signature(os.fstat(descriptor))

    def check(self) -> None:
        """Look again whether it is still what the plan saw, under its name.

        Raises:
            Temporary: it changed, or somebody is about to change it.
        """
        where = f"{INBOX}/{self._action.name}"
        given = (self._action.size_bytes, self._action.mtime_ns)
        if (self._seen.size_bytes, str(self._seen.mtime_ns)) != given or not self._is_unchanged():
            raise Temporary(f"{where} changed since the plan; it stays, and the next plan looks at it again")
        if is_open_for_writing(self.descriptor):
            raise Temporary(f"{where}: a program has it open for writing; it is taken in once that is over")

    def _is_unchanged(self) -> bool:
        try:
            named: Signature | None = signature(self._folder.status(self._name))
        except FileNotFoundError:
            named = None
        return signature(os.fstat(self.descriptor)) == self._seen == named

    def remove(self) -> bool:
        """Take it out of the inbox, and say whether it went; a file that changed stays."""
        try:
            self.check()
        except Temporary:
            return False
        reach("inbox.remove")
        os.unlink(self._name, dir_fd=self._folder.descriptor)
        sync_folder(self._folder.path)
        reach("inbox.removed")
        return True


def take(action: TakeInboxFile, tools: Tools) -> str:
    """Make the file a quest.

    Raises:
        Temporary: it changed since the plan, is gone, or somebody writes to it.
        Permanent: what lies under its digest has another content; another content is this quest.
    """
    try:
        with _opened(action, tools) as found:
            found.check()
            is_known = _bring_in(action, tools, found)
            went = found.remove()
    except FileNotFoundError:
        if _known(action, tools) is None:
            raise Temporary(f"{INBOX}/{action.name} is not there any more") from None
        is_known = went = True
    except UnsafeFile as error:
        raise Temporary(f"{INBOX}/{action.name}: {reason(error)}; it is left alone") from error
    if not went:
        rows = count(action.num_rows, "row")
        return f"{rows}; the file changed meanwhile and stays, with what came behind them"
    if is_known:
        return f"quest {action.quest_id} has this content already; the file left the inbox"
    return f"{count(action.num_rows, 'row')}, {size(_size(action))}"


def _size(action: TakeInboxFile) -> int:
    """Return the size of what is taken in, in bytes."""
    return action.size_bytes - action.start_byte


@contextmanager
def _opened(action: TakeInboxFile, tools: Tools) -> Iterator[_Found]:
    path = tools.layout.inbox / action.name
    with open_folder(path.parent, tools.layout.root) as folder, folder.open_file(path.name) as descriptor:
        yield _Found(folder, path.name, descriptor, action)


def _bring_in(action: TakeInboxFile, tools: Tools, found: _Found) -> bool:
    """Make content and row durable; say whether the quest was known before."""
    final = tools.layout.snapshot(action.digest)
    if not is_there(final, action.digest):
        with staging_place(tools.layout) as staging:
            copy_open_file(found.descriptor, staging, action.start_byte)
            found.check()
            if digest_of(staging) != action.digest:
                raise Temporary(f"{INBOX}/{action.name} is not what the plan saw; the next plan looks again")
            publish(staging, final)
    record(tools, action.source_key, action.digest, action.num_rows, f"{INBOX}/{action.name}")
    is_known = _known(action, tools) is not None
    if not is_known:
        _write_row(action, tools)
    return is_known


def _known(action: TakeInboxFile, tools: Tools) -> InboxRow | None:
    """Return the quest's row, if there is one.

    Raises:
        Permanent: it has another content.
    """
    with tools.writer.transaction() as store:
        row = select_one(store, InboxRow, "WHERE quest_id = ?", action.quest_id)
    if row is not None and row.digest != action.digest:
        raise Permanent(
            f"{INBOX}/{action.name}: quest {action.quest_id} has another content, {row.digest}; "
            "give the file another name"
        )
    return row


def _write_row(action: TakeInboxFile, tools: Tools) -> None:
    row = InboxRow(
        quest_id=action.quest_id,
        name=action.name,
        source_key=action.source_key,
        digest=action.digest,
        num_rows=action.num_rows,
        size_bytes=_size(action),
        shape_json=msgspec.json.encode(action.shape).decode(),
        taken_at=tools.now(),
    )
    with tools.writer.transaction() as store:
        newest = select_one(store, InboxRow, "ORDER BY number DESC LIMIT 1")
        number = newest.number + 1 if newest is not None else 1
        put(store, [msgspec.structs.replace(row, number=number)])
