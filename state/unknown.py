"""The manifest of a checkpoint that other software saved: what nobody knows is said to be unknown. Pure."""

from state.contract.imported import Imported
from state.contract.manifest import Manifest, Measures
from state.contract.request import CodeVersion

WORD = "unknown"
"""What its text fields say."""
UNKNOWN = ("config_hash", "code_version", "specs_commit", "optimizer", "examples_seen", "tokens_seen")
"""Fields of such a manifest that say nothing."""

Losses = tuple[float | None, float | None, float | None]
"""Training loss, held-out loss, learning rate; None: not known."""


def unknown_manifest(step: int, saved_at: str, losses: Losses, imported: Imported) -> Manifest:
    """Return the manifest of what was not saved by this software, still without campaign, files and digest.

    Its optimizer is none that a config can ask for: whoever goes on from it begins with fresh state.
    """
    train_loss, val_loss, learning_rate = losses
    return Manifest(
        campaign_uid="",
        campaign="",
        segment=1,
        step=step,
        parent_step=None,
        parent_digest=None,
        created_at=saved_at,
        generation=0,
        attempt=0,
        config_hash=WORD,
        code_version=CodeVersion(source="distribution", commit=None, distribution=WORD),
        specs_commit=WORD,
        optimizer=WORD,
        healthy=True,
        quest_id=None,
        cursor=(),
        learnt=(),
        measures=Measures(
            train_loss=train_loss,
            val_loss=val_loss,
            learning_rate=learning_rate,
            examples_seen=0,
            tokens_seen=0,
        ),
        files=(),
        imported=imported,
        digest="",
    )
