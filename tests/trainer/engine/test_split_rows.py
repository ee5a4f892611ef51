"""A text that is longer than a document may be is learnt whole, in the update that takes its row."""

import json

import msgspec
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from builders import Realm, a_config, orders
from seen import manifest, metrics, why

from state.contract.orders import RowShape
from trainer.engine.run import run

pytestmark = pytest.mark.train
LENGTHS = (300, 20, 30, 40, 500)
"""Tokens of each row; a document has at most 128."""


def test_every_token_of_a_long_text_but_its_first_is_learnt_and_rows_are_counted_as_rows(
    realm: Realm,
) -> None:
    lines = "".join(json.dumps({"text": chr(97 + n) * length}) + "\n" for n, length in enumerate(LENGTHS))
    quest = realm.quest_of(lines, rows=len(LENGTHS))
    shape = RowShape(kind="text", text="text", long_rows="split")
    files = realm.run(orders(msgspec.structs.replace(quest, shape=shape)), a_config(held_out_fraction=0.0))

    assert run(files.request) == 0

    assert (why(files).reason, why(files).step) == ("finished", 2)  # four rows, then the last one
    updates = metrics(files, "update")
    assert sum(one.trained_tokens or 0 for one in updates) == sum(length - 1 for length in LENGTHS)
    assert sum(one.stop - one.start for one in manifest(realm, 2).learnt) == len(LENGTHS)
