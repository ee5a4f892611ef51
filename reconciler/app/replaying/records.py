"""What a replay says."""

from typing import Literal

import msgspec

from state.contract.replay import FileDifference


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    checkpoint: str
    digest: str
    """As recorded."""
    made_from: str
    """The ancestor that lies there, as `<hero>/<campaign>@<step>`, or `the first weights`; empty: nothing."""
    num_checkpoints: int
    """Made again on the way, this one too."""
    verdict: Literal["same", "differs", "cannot"]
    made_digest: str | None = None
    """Of the checkpoint that the verdict is about."""
    differs_at: str | None = None
    """The first checkpoint on the way that differs, or cannot be made; null: this one, or none."""
    why: str | None = None
    """Of `cannot`: one sentence."""
    differences: tuple[FileDifference, ...] = ()
    notes: tuple[str, ...] = ()
    """What is not as it was then."""
    put_back: str | None = None
    """What has become of it with --restore; null: nothing was asked for."""
