"""What stands, under the root, where a plain file or a folder belongs: the record."""

import msgspec


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """Something under the root that stands where a plain file or a folder belongs."""

    path: str
    """Below the root."""
    message: str
    """What it is, and what to do."""
    is_unreadable: bool = False
    """It is what belongs there, and cannot be looked into."""
