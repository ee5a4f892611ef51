"""What a person calls a campaign by a name that two campaigns had."""

import msgspec
import pytest

from reconciler.app.surroundings.errors import NotFound
from reconciler.app.surroundings.ground import campaign_in
from state.store.rows import CampaignRow, StoreView

ROW = CampaignRow(uid="u1", name="pip/one", status="active", created_at="2026-01-01T00:00:00Z")
ONE = msgspec.structs.replace(ROW, former_names="pip/campaign-001 pip/campaign-002")
TWO = msgspec.structs.replace(ROW, uid="u2", name="pip/two", former_names="pip/campaign-001")
STORE = StoreView(realm_uid="r", epoch=1, campaigns=(ONE, TWO))


def test_a_former_name_of_two_campaigns_is_refused_with_both() -> None:
    with pytest.raises(NotFound) as refused:
        campaign_in(STORE, "pip/campaign-001")
    assert str(refused.value) == (
        "pip/campaign-001 was the name of pip/one and of pip/two; none has it now: "
        "say which is meant by its name now"
    )


def test_a_former_name_of_one_campaign_is_that_one() -> None:
    assert campaign_in(STORE, "campaign/pip/campaign-002") == "pip/one"
