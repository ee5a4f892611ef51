"""What is done with what people asked for."""

from typing import Literal

from reconciler.plan.actions.base import Action


class TakeApproval(Action, frozen=True, kw_only=True):
    """Use up a person's approval: for these drops at this commit, or for none when the plan has changed."""

    request_id: int
    digest: str
    """Of what it approves."""
    sequences: tuple[int, ...]
    """Of the ledger rows whose checkpoints may be dropped; empty: it is closed without use."""
    specs_commit: str
    what: str


class HandleRequest(Action, frozen=True, kw_only=True):
    """Do what a person asked: hold a campaign, or let it go on."""

    request_id: int
    kind: Literal["pause", "resume", "stop"]
    campaign: str
    campaign_uid: str | None
    asked_by: str
    why: str
    instead_of: tuple[int, ...] = ()
    """Older requests that this one takes back; they are handled with it."""


class AnswerRefresh(Action, frozen=True, kw_only=True):
    """Tell who asked for a look at the source what it found."""

    request_id: int
    answer: str
    is_mistaken: bool = False
    """It found specs, or a source, that somebody has to mend before the newest specs can be in force."""


class HandleQuestRequest(Action, frozen=True, kw_only=True):
    """Do what a person asked about a quest: send it behind the others, or let it wait again in its place."""

    request_id: int
    kind: Literal["skip", "retry"]
    quest_id: str
    asked_by: str
    why: str
