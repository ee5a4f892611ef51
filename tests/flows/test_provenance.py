"""Code version, config hash and the specs' commit of a run stand in every place that promises them.

Kills the mutant of an earlier system: one writer put them into a record, and the next one dropped them. What a live
change makes of them is in test_live_config.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, found_realm, rows

from reconciler.provenance import code_version
from state.contract.files import read
from state.contract.request import RunRequest, config_hash

ONE = "one/campaign-001"


@pytest.mark.train
@pytest.mark.timeout(900)
def test_every_place_tells_the_same_code_config_and_specs(the_lab: Lab) -> None:
    the_lab.write("data/a.jsonl", rows(range(60)))
    commit = found_realm(the_lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl"}])
    before = str(code_version())
    the_lab.converge()

    (run,) = the_lab.runs()
    request = read(run / "request.json", RunRequest)
    code = str(request.code_version)
    expected = {"config_hash": config_hash(request.config), "code_version": code, "specs_commit": commit}

    found = places(the_lab, run)
    assert len(found) >= 9
    assert found == dict.fromkeys(found, expected)
    assert code in (before, str(code_version()))
    history = json.loads(the_lab.reconcile("history", "--json").stdout)
    assert all(value in json.dumps(history) for value in expected.values())


def places(lab: Lab, run: Path) -> dict[str, dict[str, str]]:
    """Read the three values from each place, under one name."""
    names = {"git_commit": "code_version"}
    store = lab.store()
    folder = lab.layout.campaign(ONE)
    checkpoints = sorted(folder.checkpoints.glob("checkpoint-*"))
    history = [json.loads(line) for line in lab.layout.job_history.read_text().splitlines()]
    found: dict[str, dict[str, Any]] = {
        "request": json.loads((run / "request.json").read_bytes()),
        "campaign.json": json.loads(folder.record.read_bytes()),
        "job history": history[0] | {"specs_commit": history[0]["metadata"]["specs_commit"]},
    }
    found |= {
        f"{path.name} manifest": json.loads((path / "manifest.json").read_bytes()) for path in checkpoints
    }
    found |= {
        f"{path.name} sidecar": json.loads((path / ".ledger.json").read_bytes()) for path in checkpoints
    }
    for table in ("campaigns", "runs", "jobs", "ledger"):
        rows_of = getattr(store, table)
        found |= {
            f"{table} {i}": {n: getattr(row, n) for n in row.__struct_fields__}
            for i, row in enumerate(rows_of)
        }
    return {place: _three({names.get(k, k): v for k, v in record.items()}) for place, record in found.items()}


def _three(record: dict[str, Any]) -> dict[str, str]:
    code = record["code_version"]
    if isinstance(code, dict):
        code = code["commit"] + (f"+dirty.{code['dirty']}" if code["dirty"] else "")
    return {
        "config_hash": record["config_hash"],
        "code_version": code,
        "specs_commit": record["specs_commit"],
    }
