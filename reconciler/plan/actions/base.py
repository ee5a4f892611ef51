"""An effect as data: what all of them are."""

import msgspec


class Action(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="action"):
    """What a change does. All inputs that decide the effect are fields; the change's id is their hash."""
