"""A trained checkpoint goes elsewhere, opens there as any Hugging Face model, and mends its damaged original."""

import subprocess
import sys

import pytest
from lab import Lab, found_realm, rows

from state.contract.files import read
from state.contract.manifest import Manifest

ONE = "one/campaign-001"
OPEN = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], local_files_only=True)
AutoTokenizer.from_pretrained(sys.argv[1], local_files_only=True)
print(sum(parameter.numel() for parameter in model.parameters()))
"""


@pytest.mark.long
def test_an_export_opens_in_the_wider_ecosystem_and_mends_what_the_disk_damaged(the_lab: Lab) -> None:
    lab = the_lab
    lab.write("a.jsonl", rows(range(30)))
    found_realm(lab, ["one"], ONE, [{"id": "a", "file": "a.jsonl"}])
    lab.converge()
    campaign, step = lab.layout.campaign(ONE), lab.newest_step(ONE)
    to = lab.layout.root.parent / "elsewhere"
    to.mkdir()

    assert lab.reconcile("export", f"{ONE}@{step}", "--to", str(to)).returncode == 0
    lab.converge()

    copy = to / ONE / f"checkpoint-{step}"
    opened = subprocess.run(
        [sys.executable, "-c", OPEN, str(copy)], capture_output=True, text=True, timeout=120, check=True
    )
    assert int(opened.stdout) > 1000

    weights = campaign.checkpoint(step) / "model.safetensors"
    weights.chmod(0o600)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert lab.reconcile("scrub", f"{ONE}@{step}").returncode == 0

    said = " ".join(lab.converge().stdout.split())

    assert "whole again: every byte is as it was saved" in said
    content[-1] ^= 1
    assert weights.read_bytes() == bytes(content)
    assert read(copy / "manifest.json", Manifest) == lab.manifests(ONE)[step]
    assert [row.damage for row in lab.ledger(ONE)] == [None] * len(lab.ledger(ONE))
    assert lab.plan()["changes"] == []
