"""What a run left on the disk, as tests look at it."""

import msgspec
from builders import Realm

from state.contract.exit import RunExit
from state.contract.files import read
from state.contract.manifest import Manifest
from state.contract.metrics import MetricsRecord
from state.layout import RunLayout
from trainer.checkpoints.load import read_manifest


def metrics(files: RunLayout, kind: str) -> list[MetricsRecord]:
    lines = files.metrics.read_bytes().splitlines()
    found = [msgspec.json.decode(line, type=MetricsRecord) for line in lines]
    return [record for record in found if record.kind == kind]


def losses(files: RunLayout) -> dict[int, float | None]:
    return {record.step: record.loss for record in metrics(files, "update")}


def saved_steps(realm: Realm) -> list[int]:
    return sorted(
        int(path.name.partition("-")[2]) for path in realm.campaign.checkpoints.glob("checkpoint-*")
    )


def manifest(realm: Realm, step: int) -> Manifest:
    return read_manifest(realm.campaign.checkpoint(step))


def why(files: RunLayout) -> RunExit:
    return read(files.exit, RunExit)
