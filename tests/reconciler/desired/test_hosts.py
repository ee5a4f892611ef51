"""hosts.yaml: what is different on one machine, which machine this is, and what is wrong with such a file."""

import msgspec
import pytest

from reconciler.desired.desired import Here
from reconciler.desired.hosts import Host, host_named
from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache

HOSTS = "specs/hosts.yaml"
NAME = "pip/campaign-001"
BOX = "hosts:\n  box:\n    host: box.lan\n    training: {batch_size: 2, learning_rate: 1.0e-3}\n"


def on(tree, files, host):
    desired = load(tree(files), NoCache())
    return msgspec.structs.replace(desired, here=Here(host=host))


def test_a_host_wins_over_the_campaign_with_its_own_line(tree, small) -> None:
    small[HOSTS] = BOX
    small["specs/campaigns/pip/campaign-001.yaml"] += "config_overrides: {learning_rate: 1.5e-3}\n"
    found = resolve(layers_of(on(tree, small, "box"), NAME))["learning_rate"]
    assert (found.value, found.layer, found.origin) == (1e-3, "host", "specs/hosts.yaml:4")
    assert [one.layer for one in found.shadowed] == ["campaign", "hero"]


def test_on_a_machine_that_is_not_listed_nothing_is_different(tree, small) -> None:
    before = resolve(layers_of(on(tree, small, None), NAME))
    small[HOSTS] = BOX
    assert resolve(layers_of(on(tree, small, None), NAME)) == before


def test_a_host_with_nothing_under_it_changes_nothing(tree, small) -> None:
    small[HOSTS] = "hosts:\n  box:\n"
    assert on(tree, small, "box").hosts.spec.hosts == {"box": Host()}
    assert resolve(layers_of(on(tree, small, "box"), NAME))["batch_size"].layer == "built in"


@pytest.mark.parametrize(
    ("machine", "found"),
    [
        ("box", "box"),
        ("BOX.lan", "box"),
        ("box.office", "box"),
        ("4090", "4090"),
        ("trainer", "4090"),
        ("b", None),
    ],
)
def test_a_machine_is_known_by_its_id_or_network_name(machine: str, found: str | None) -> None:
    hosts = {"box": Host(), "4090": Host(host="trainer")}
    assert host_named(hosts, machine) == found


def test_an_older_file_may_call_a_machine_by_a_number(tree, small) -> None:
    small[HOSTS] = "version: '3.0'\nhosts:\n  4090: {name: Training Server, host: trainer.local}\n"
    assert load(tree(small), NoCache()).hosts.spec.hosts["4090"].host == "trainer.local"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("host: {box: {}}\n", ':1:1: misspelt key "host"; did you mean "hosts"?'),
        ("hosts: {box: {trainin: {}}}\n", ':1:15: misspelt key "trainin"; did you mean "training"?'),
        ("hosts: {box: {training: {batch_sise: 2}}}\n", ':1:26: misspelt key "batch_sise"; did you mean "batch_size"?'),
        ("hosts: {box: {training: {batch_size: 0}}}\n", ":1:38: must be above 0 (got 0)"),
        ("hosts: {box: {training: {vocab_size: 9}}}\n",
         ':1:26: "vocab_size" is locked: it comes from the hero; another value is another hero'),
        ("hosts: {box: {training: {optimizer: moun}}}\n",
         ':1:37: "moun" is not an optimizer; known: adamw, muon; did you mean "muon"?'),
        ("hosts: {box: {training: {save_steps: 5, checkpoint: {every_updates: 5}}}}\n",
         ":1:26: save_steps is an older name of checkpoint.every_updates, which is given too; "
         "keep checkpoint.every_updates"),
        ("hosts: {box: {training: {clip: }}}\n", ":1:26: clip is empty; give a value or remove the line"),
        ("hosts: {box: {role: trainer}}\n",
         ':1:15: "role" (sharing work between machines) is not supported by this version; remove it'),
        ("hosts: {box: {models_dir: models}}\n",
         ':1:27: is "models"; expected an absolute path, or one that starts with ~/, without ..'),
        ("hosts: {box: {services: {}}}\n", ':1:15: "services" (services) is not supported by this version; remove it'),
        ("hosts: {box.lan: {ssh_user: kim}}\n",
         ':1:19: "ssh_user" (reaching other machines) is not supported by this version; remove it'),
        ("default_trainer: box\n",
         ':1:1: "default_trainer" (sharing work between machines) is not supported by this version; remove it'),
        ("local_host: box\n", ':1:1: "local_host" (naming this machine in a file that all machines share: '
         "--host or REALM_HOST does it) is not supported by this version; remove it"),
        ("suspend: {reason: no}\n", ':1:1: "suspend" (suspending machines) is not supported by this version; suspend realm, hero or campaign'),
        ("hosts: {Big Box: {}}\n", ':1:9: "Big Box" is no id; expected 1 to 64 lowercase letters, digits, and single '
         "hyphens or dots between them"),
        ("hosts: {a: {host: x}, b: {host: X}}\n", ':1:33: "X" is the network name of "a" already'),
        ("hosts: [box]\n", ':1:8: is ["box"] (a list); expected a mapping'),
        ("hosts: {box: 3}\n", ":1:14: is 3 (a whole number); expected a mapping"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_to_do(mistakes_in, small, text: str, sentence: str) -> None:
    small[HOSTS] = text
    assert [f"{one.where}: {one.sentence}" for one in mistakes_in(small)] == [HOSTS + sentence]
