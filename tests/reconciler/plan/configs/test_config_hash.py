"""The hash of a run's config covers every resolved value, whichever layer gave it.

Kills the mutant of an earlier system: a hash over a campaign's overrides only, `sha256:empty` for none.
"""

from collections.abc import Callable, Mapping

import msgspec
import pytest
from case_constants import SPECS

from reconciler.desired.command_line import said_on_command_line
from reconciler.desired.desired import Here
from reconciler.plan.configs.resolved import ResolvedRun, resolve_run
from reconciler.plan.world import World
from state.contract.run_config import RunConfig, config_hash

NAME = "pip/campaign-001"
HERO = SPECS["heroes/pip.yaml"]


def hero(old: str, new: str) -> dict[str, str]:
    assert old in HERO
    return {"heroes/pip.yaml": HERO.replace(old, new)}


CHANGES = {
    "the realm's default": ({"realm.yaml": "id: lab\nactive: pip/campaign-001\ndefaults: {clip: 0.5}\n"}, Here()),
    "the hero's setting": (hero("0.002", "0.003"), Here()),
    "the hero's model": (hero("hidden_size: 8", "hidden_size: 16"), Here()),
    "the hero's vocabulary": (hero("vocab_size: 320", "vocab_size: 321"), Here()),
    "the campaign's override": (
        {"campaigns/pip/campaign-001.yaml": "id: campaign-001\nconfig_overrides: {seed: 7}\n"}, Here(),
    ),
    "this machine's setting": (
        {"hosts.yaml": "hosts: {box: {training: {batch_size: 3}}}\n"}, Here(host="box"),
    ),
    "the command line's setting": ({}, Here(said=said_on_command_line(["checkpoint.every_minutes=2"]))),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_in_any_layer_changes_the_hash(what: str, world_of) -> None:
    """The wrong turn: the hash covered overrides only."""
    specs, here = CHANGES[what]
    assert _hash(world_of, specs, here) != _hash(world_of, {}, Here())


def test_without_any_override_the_hash_is_still_that_of_the_whole_config(world_of) -> None:
    world = _world(world_of, {}, Here())
    resolved = resolve_run(world, NAME)
    assert isinstance(resolved, ResolvedRun)
    assert world.desired.campaigns[NAME].spec.config_overrides is None
    assert resolved.config_hash == config_hash(resolved.config)
    assert len(resolved.config_hash) == len("sha256:") + 64


def test_what_no_run_depends_on_is_not_in_the_hash(world_of) -> None:
    named = {"campaigns/pip/campaign-001.yaml": "id: campaign-001\nname: Other\ndescription: other\n"}
    assert _hash(world_of, named, Here()) == _hash(world_of, {}, Here())
    other_machine = {"hosts.yaml": "hosts: {box: {training: {batch_size: 3}}}\n"}
    assert _hash(world_of, other_machine, Here()) == _hash(world_of, {}, Here())


def test_equal_values_from_different_layers_have_equal_hashes(world_of) -> None:
    by_campaign = {"campaigns/pip/campaign-001.yaml": "id: campaign-001\nconfig_overrides: {clip: 0.5}\n"}
    by_realm = CHANGES["the realm's default"][0]
    assert _hash(world_of, by_campaign, Here()) == _hash(world_of, by_realm, Here())


def _world(world_of: Callable[..., World], specs: Mapping[str, str], here: Here) -> World:
    world = world_of({"specs": specs})
    return msgspec.structs.replace(world, desired=msgspec.structs.replace(world.desired, here=here))


def _hash(world_of: Callable[..., World], specs: Mapping[str, str], here: Here) -> str:
    resolved = resolve_run(_world(world_of, specs, here), NAME)
    assert isinstance(resolved, ResolvedRun), resolved
    encoded = msgspec.json.encode(resolved.config)
    assert msgspec.json.decode(encoded, type=RunConfig) == resolved.config
    return resolved.config_hash
