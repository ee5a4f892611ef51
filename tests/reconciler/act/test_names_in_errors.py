"""A failed action calls a checkpoint of a segment that is not living as everything else does: `@1:40`."""

from typing import Any

import msgspec
import pytest


@pytest.mark.parametrize("made", ["copy_out", "mend"])
def test_a_checkpoint_of_another_segment_has_its_number_in_an_error(realm: Any, make: Any, made: str) -> None:
    manifest = realm.save_checkpoint(40)
    realm.done(make.record(manifest))
    action = msgspec.structs.replace(getattr(make, made)(realm, manifest), segment=1, digest="blake3:other")

    assert f"{make.campaign}@1:40" in realm.fails(action).text


@pytest.mark.parametrize(("aside", "name"), [(False, "@40"), (True, "@1:40")])
def test_so_has_one_that_is_to_be_set_aside(realm: Any, make: Any, *, aside: bool, name: str) -> None:
    manifest = realm.save_checkpoint(40)
    realm.done(make.record(manifest))
    action = msgspec.structs.replace(make.set_aside(manifest), digest="blake3:other", aside=aside)

    assert f"checkpoint {make.campaign}{name}: " in realm.fails(action).text
