"""The ledger's row of a checkpoint, as apply records it and as a plan foresees it. Pure."""

import msgspec

from reconciler.observed.records import FoundCheckpoint
from state.contract.goals import num_quests_done
from state.contract.manifest import is_of_optimizer
from state.formats import canonical_name
from state.store.rows import LedgerRow


def ledger_row(found: FoundCheckpoint, *, path: str, sequence: int, damage: str | None = None) -> LedgerRow:
    """Return the row of a complete checkpoint that lies at a path below the root."""
    manifest, measures = found.manifest, found.manifest.measures
    return LedgerRow(
        campaign_uid=manifest.campaign_uid,
        segment=manifest.segment,
        step=manifest.step,
        sequence=sequence,
        timestamp=manifest.created_at,
        path=path,
        canonical_name=canonical_name(manifest.step, manifest.created_at),
        train_loss=measures.train_loss,
        val_loss=measures.val_loss,
        learning_rate=measures.learning_rate,
        training_file=manifest.quest_id,
        total_examples_trained=measures.examples_seen,
        size_bytes=found.size_bytes,
        has_optimizer=any(map(is_of_optimizer, manifest.files)),
        healthy=manifest.healthy and damage is None,
        digest=manifest.digest,
        parent_step=manifest.parent_step,
        generation=manifest.generation,
        attempt=manifest.attempt,
        config_hash=manifest.config_hash,
        code_version=str(manifest.code_version),
        specs_commit=manifest.specs_commit,
        tokens_seen=measures.tokens_seen,
        quests_done=num_quests_done(manifest.cursor),
        skills_json=msgspec.json.encode(manifest.skills).decode() if manifest.skills else "",
        damage=damage,
    )
