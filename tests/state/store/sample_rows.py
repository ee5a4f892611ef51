"""Rows for the tests of the store."""

import msgspec

from state.store.journal_rows import ActionRow
from state.store.rows import CampaignRow, RunRow, TrashRow, TrashState

CAMPAIGN = CampaignRow(uid="u", name="dio/campaign-001", status="paused", created_at="2026-01-31T12:00:00Z")
RUN = RunRow(
    campaign_uid=CAMPAIGN.uid, generation=1, attempt=1, state="ended", cookie="c", config_hash="h", config_json="{}",
    code_version="v", specs_commit="s", device="cpu", resume_step=None, launched_at="2026-01-31T12:00:00Z",
)  # fmt: skip


def sample(row_type: type[msgspec.Struct]) -> msgspec.Struct:
    """Return a row in which every field that needs a value has one."""
    values = {int: 1, str: "x", bool: True, float: 0.5}
    given = {}
    for field in msgspec.structs.fields(row_type):
        if field.required:
            options = getattr(field.type, "__args__", (field.type,))
            given[field.name] = values.get(options[0], options[0] if isinstance(options[0], str) else None)
    return row_type(**given)


def stone(sequence: int, state: TrashState) -> TrashRow:
    return TrashRow(
        sequence=sequence, campaign_uid="u", campaign="a/b", step=1, digest="d", origin="o", path="p", size_bytes=1,
        kind="asked", reason="r", trashed_at="2026-01-31T12:00:00Z", trashed_at_seconds=0.0, grace_seconds=1.0,
        clean_ticks=0, state=state,
    )  # fmt: skip


def failed(number: int, **changes: object) -> ActionRow:
    usual = {
        "state": "failed",
        "permanent": True,
        "ended_at": f"2026-01-31T12:00:0{number}Z",
        "outcome": "no",
    }
    return msgspec.structs.replace(sample(ActionRow), number=number, **{"id": "a", **usual, **changes})
