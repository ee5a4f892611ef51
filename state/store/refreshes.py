"""What a request for a look at the specs asks beside the look. Pure."""

from collections.abc import Iterable, Iterator

import msgspec

from state.store.rows import RequestRow


class Refresh(msgspec.Struct, frozen=True, kw_only=True):
    """What a request for a look asks beside the look."""

    accepts: str | None = None
    """First digits of a commit that may be taken up though it rewrites the history."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the look found, beside the answer in words."""

    is_mistaken: bool = False
    """Specs, or a source, that somebody has to mend before the newest specs can be in force."""


def is_mistaken(row: RequestRow) -> bool:
    """Did the look that a request asked for find what somebody has to mend?"""
    if row.kind != "refresh" or row.details_json is None:
        return False
    return msgspec.json.decode(row.details_json, type=Found).is_mistaken


def accepted_commits(requests: Iterable[RequestRow]) -> Iterator[str]:
    """Yield the first digits of each commit that one of these requests accepts, in their order."""
    for row in requests:
        if row.kind == "refresh" and row.approves_json is not None:
            accepts = msgspec.json.decode(row.approves_json, type=Refresh).accepts
            if accepts:
                yield accepts
