"""The inbox: what lies there whole and right becomes a quest; what does not stays there and is named."""

from reconciler.observed.data_records import InboxFile
from reconciler.plan.actions import TakeInboxFile
from reconciler.plan.changes import SETTLES
from reconciler.plan.draft import Draft
from reconciler.plan.dropped import content_key, quest_id_of, twin_of, untrainable
from reconciler.plan.queue.quest_sources import said
from reconciler.plan.retries.fetches import is_held_back
from reconciler.plan.world import World
from state.amounts import count, size
from state.contract.contents import Sieved
from state.ids import INBOX

_MAX_NAMED = 5


def plan_inbox(world: World, draft: Draft) -> None:
    """Take in what lies in the inbox, unless nothing of the queue moves; say what is not taken in and why."""
    inbox = world.facts.inbox
    is_in_the_way = any(one.path == INBOX for one in world.facts.obstacles)  # then it is named as that
    if inbox.problem is not None and not is_in_the_way:
        hint = "make the folder readable again"
        draft.block(INBOX, code="inbox-unreadable", message=inbox.problem, cause=INBOX, hint=hint)
    _name_what_is_left_alone(world, draft)
    moves = not world.is_queue_suspended and world.facts.snapshots.problem is None
    for file in inbox.files:
        quest_id = quest_id_of(file)
        if quest_id is None or file.content is None:
            _say_why_not(draft, file)
        elif moves:
            _take(world, draft, file, file.content, quest_id)


def _name_what_is_left_alone(world: World, draft: Draft) -> None:
    ignored, num_unseen = world.facts.inbox.ignored, world.facts.inbox.num_unseen
    if ignored:
        named = ", ".join(f"{one.name} {one.reason}" for one in ignored[:_MAX_NAMED])
        more = f", and {len(ignored) - _MAX_NAMED:,} more" if len(ignored) > _MAX_NAMED else ""
        draft.warnings.append(f"{INBOX}: left alone: {named}{more}")
    if num_unseen:
        draft.warnings.append(
            f"{INBOX}: at least {num_unseen:,} further entries were not looked at; it is too full"
        )


def _take(world: World, draft: Draft, file: InboxFile, content: Sieved, quest_id: str) -> None:
    if (refusal := _refusal(world, file, content, quest_id)) is not None:
        _block(draft, file, *refusal)
        return
    taken = world.facts.taken_from_inbox(quest_id)
    shape = content.contract.shape
    action = TakeInboxFile(
        quest_id=quest_id,
        name=file.name,
        source_key=content_key(content.digest, shape) if taken is None else taken.source_key,
        digest=content.digest,
        num_rows=content.num_rows,
        size_bytes=file.size_bytes,
        mtime_ns=str(file.mtime_ns),
        shape=shape,
        start_byte=file.start_byte,
    )
    place = f"{INBOX}/{file.name}"
    if is_held_back(world, draft, action, world.active or "<campaign>", place):
        return
    draft.add(
        action,
        subject=f"quest/{quest_id}",
        reason=f"{_rows(file, content)}{f', taken in before at {taken.taken_at}' if taken else ''}",
        cause=place,
        source="request",
    )


def _refusal(world: World, file: InboxFile, content: Sieved, quest_id: str) -> tuple[str, str, str] | None:
    """Return code, message and hint of why a whole file is no new quest; None: it is one."""
    taken = world.facts.taken_from_inbox(quest_id)
    if any(quest.id == quest_id for quest in world.desired.quests):
        message = f"it would be quest {quest_id}, which stands in the specs already"
        return "inbox-name", message, "give the file another name"
    if taken is not None and taken.digest != content.digest:
        message = f"it would be quest {quest_id}, which has another content"
        return "inbox-name", message, "give the file another name"
    if (twin := twin_of(world.facts, file)) is not None:
        message = f"has the content of quest {twin}; it would be trained twice"
        return "inbox-twin", message, "remove it; to train the rows again, name the file in specs/queue.yaml"
    if taken is None and (errors := untrainable(world.facts, quest_id)):
        return "inbox-refused", said(errors), "mend the file, or remove it"
    return None


def _rows(file: InboxFile, content: Sieved) -> str:
    """Return how many rows come in, and how much of the file came in before."""
    rows = f"{count(content.num_rows, 'new row' if file.start_byte else 'row')} of {content.contract.name}"
    return f"{rows}, behind {size(file.start_byte)} that were taken in before" if file.start_byte else rows


def _say_why_not(draft: Draft, file: InboxFile) -> None:
    so_far = f"{size(file.size_bytes)}, changed last at {file.changed_at}"
    match file.state:
        case "changing":
            _block(draft, file, SETTLES, f"may still be written: {so_far}", "wait, or remove the file")
        case "open":
            message = f"a program has it open for writing: {so_far}"
            _block(draft, file, SETTLES, message, "close it there, or remove the file")
        case "future":
            message = f"was changed in the future, at {file.changed_at}"
            _block(draft, file, "inbox-future", message, f"set the clock right, then: touch {file.path}")
        case "torn":
            message = f"its last line is not complete: {so_far}"
            _block(draft, file, "inbox-torn", message, "finish the file, or copy it again")
        case "unreadable":
            hint = "give the reconciler's user read permission"
            _block(draft, file, "inbox-unreadable", file.reason or "cannot be read", hint)
        case "settled":
            hint = "mend the file, declare its shape in specs/datasets/, or remove it"
            _block(draft, file, "inbox-refused", said(file.findings), hint)


def _block(draft: Draft, file: InboxFile, code: str, message: str, hint: str) -> None:
    place = f"{INBOX}/{file.name}"
    draft.block(place, code=code, message=message, cause=place, hint=hint)
