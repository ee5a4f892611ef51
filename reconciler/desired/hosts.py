"""`specs/hosts.yaml`: what is different on one machine; a layer above campaigns, below the command line."""

from collections.abc import Iterator, Mapping

import msgspec

from reconciler.desired.base import ID_WORDS, Line, Record, Spec
from reconciler.desired.places import Finding
from reconciler.desired.realm import RootPath
from reconciler.desired.training import TrainingSettings, check_settings
from state.ids import is_id


class Host(Record, frozen=True, kw_only=True):
    """One machine, known by its id or its network name."""

    name: Line | None = None
    """For people."""
    host: Line | None = None
    """Its network name, where that is not the id: a machine of this name takes this entry by itself."""
    models_dir: RootPath | None = None
    """Folder of models on this machine, where a hero's hf_name is looked up first."""
    training: TrainingSettings | None = None
    """Settings of whatever trains on this machine; they win over those of realm, hero and campaign."""


class Hosts(Spec, frozen=True, kw_only=True):
    """The machines that train this realm, each with what is different there."""

    hosts: dict[str, Host] = msgspec.field(default_factory=dict)
    """By id; an id may be the machine's network name."""


LATER = {
    "hosts.*.role": "sharing work between machines",
    "hosts.*.capabilities": "sharing work between machines",
    "hosts.*.ssh_user": "reaching other machines",
    "hosts.*.base_dir": "a root of its own for a machine: realm.yaml says root, or --root",
    "hosts.*.checkpoints_dir": "a checkpoints folder of its own for a machine",
    "hosts.*.services": "services",
    "local_host": "naming this machine in a file that all machines share: --host or REALM_HOST does it",
    "default_trainer": "sharing work between machines",
    "default_inference": "sharing work between machines",
    "warden_port": "services",
}
"""The older hosts.json says these, too."""

NUMBER_KEYS_UNDER = frozenset({"hosts"})
"""Older files call a machine 4090."""


def check(hosts: Hosts) -> Iterator[Finding]:
    """Yield what is wrong between keys of the hosts."""
    if hosts.suspend is not None:
        message = '"suspend" (suspending machines) is not supported by this version'
        yield Finding(at=("suspend",), on_key=True, message=message, hint="suspend realm, hero or campaign")
    names: dict[str, str] = {}
    entries: Mapping[str, object] = hosts.hosts
    for id_, host in entries.items():
        if not isinstance(host, Host):
            continue  # the file has other mistakes, which are told first
        if not is_id(id_):
            message = f'"{id_}" is no id; expected {ID_WORDS}'
            yield Finding(at=("hosts", id_), on_key=True, message=message)
        yield from check_settings(host.training, "hosts", id_, "training")
        if host.host is not None and (other := names.setdefault(host.host.casefold(), id_)) != id_:
            message = f'"{host.host}" is the network name of "{other}" already'
            yield Finding(at=("hosts", id_, "host"), message=message)


def host_named(hosts: Mapping[str, Host], network_name: str) -> str | None:
    """Return the id of the machine with this network name, whole or without its domain; None: not listed."""
    short = network_name.partition(".")[0]
    for wanted in (network_name, short):
        for id_, host in hosts.items():
            if wanted.casefold() in (id_.casefold(), (host.host or "").casefold()):
                return id_
    return None
