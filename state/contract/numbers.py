"""Limits of the numbers and times in records that another process, or anybody, may have written."""

import re
from datetime import datetime
from typing import Annotated

from msgspec import Meta

Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""Larger whole numbers are not the same in every JSON reader, and have no canonical JSON (RFC 8785)."""

_MOMENT = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


def is_moment(text: str) -> bool:
    """Is this a time in UTC with seconds, between the years 2000 and 2999?"""
    if _MOMENT.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
