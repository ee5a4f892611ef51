"""What was seen of a folder that a campaign is to begin with, as frozen records. Pure."""

from collections.abc import Mapping

import msgspec

from state.contract.manifest import Manifest


class SaidModel(msgspec.Struct, frozen=True, kw_only=True):
    """What the config.json beside weights says of them."""

    digest: str | None = None
    """SHA-256 of the file."""
    architecture: str | None = None
    vocab_size: int | None = None
    sizes: Mapping[str, int] = {}
    """Fields of the architecture, such as hidden_size, that it names."""


class StartFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that a campaign is to begin with: of other software, or of another realm."""

    path: str
    """As the spec names it."""
    folder: str | None = None
    """The checkpoint: the folder itself, or the newest whole one in it."""
    problem: str | None = None
    """Why no campaign can begin with it."""
    hint: str = ""
    """What to do about that."""
    passed_over: tuple[str, ...] = ()
    """Newer checkpoints in it, each with what it lacks."""
    producer: str | None = None
    step: int = 0
    files: tuple[str, ...] = ()
    """What is taken in."""
    unused: tuple[str, ...] = ()
    """What stays behind: nobody here can use it."""
    size_bytes: int = 0
    """Of what is taken in."""
    model: SaidModel | None = None
    manifest: Manifest | None = None
    """Of a checkpoint of this software."""
    below: str | None = None
    """Of adapters on a checkpoint: the folder where an export of them has that one."""
    train_loss: float | None = None
    val_loss: float | None = None
    learning_rate: float | None = None
    """The last ones that its own history has."""
    saved_at: str = ""
    """When its weights were written, by the file system."""
