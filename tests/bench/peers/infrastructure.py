"""Terraform and pyinfra at work on as many objects as we have, where they are there; no network is asked.

Terraform's objects are `terraform_data`, its own resource without a provider; pyinfra's are small files. Both are
the lightest that each has: what is measured is their book-keeping.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_PROVIDER = 'provider["terraform.io/builtin/terraform"]'
_FILES = """\
from pyinfra.operations import files
for number in range({count}):
    files.put(name=str(number), src={source!r}, dest={folder!r} + "/" + str(number))
"""


class Peer(NamedTuple):
    """A tool whose objects are made, and how its commands are called."""

    name: str
    folder: Path
    plan: Sequence[str]
    apply: Sequence[str]
    environment: Mapping[str, str]


def peers(folder: Path, count: int, *, made: bool) -> list[Peer]:
    """Return the tools that are there, each with so many objects; `made`: all of them exist already."""
    found = [terraform(folder / "terraform", count, made=made), pyinfra(folder / "pyinfra", count, made=made)]
    return [one for one in found if one is not None]


def missing() -> list[str]:
    """Name the tools that are not there, with what would bring them."""
    lines = [] if shutil.which("terraform") else ["terraform is not on the path"]
    return (
        lines if _pyinfra() else [*lines, "pyinfra is not installed: pip install 'realm-reconciler[bench]'"]
    )


def terraform(folder: Path, count: int, *, made: bool) -> Peer | None:
    """Return Terraform with so many resources and, where they are made, its state of them."""
    program = shutil.which("terraform")
    if program is None:
        return None
    folder.mkdir(parents=True)
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    blocks = (f'resource "terraform_data" "o{n}" {{\n  input = "v1"\n}}\n' for n in range(count))
    (folder / "main.tf").write_text("".join(blocks))
    subprocess.run(
        [program, "init", "-input=false"], cwd=folder, env=environment, check=True, capture_output=True
    )
    if made:
        (folder / "terraform.tfstate").write_text(json.dumps(_state(count)))
    return Peer(
        name="terraform",
        folder=folder,
        plan=[program, "plan", "-input=false", "-no-color", "-detailed-exitcode"],
        apply=[program, "apply", "-input=false", "-no-color", "-auto-approve"],
        environment=environment,
    )


def _state(count: int) -> dict[str, object]:
    value = {"value": "v1", "type": "string"}
    resources = [
        {
            "mode": "managed",
            "type": "terraform_data",
            "name": f"o{number}",
            "provider": _PROVIDER,
            "instances": [
                {
                    "schema_version": 0,
                    "attributes": {
                        "id": f"{number:08}-0000-0000-0000-000000000000",
                        "input": value,
                        "output": value,
                        "triggers_replace": None,
                    },
                    "sensitive_attributes": [],
                }
            ],
        }
        for number in range(count)
    ]
    lineage = "00000000-0000-0000-0000-000000000000"
    head = {"version": 4, "terraform_version": "1.0.0", "serial": 1, "lineage": lineage, "outputs": {}}
    return {**head, "resources": resources, "check_results": None}


def _pyinfra() -> str | None:
    beside = Path(sys.executable).with_name("pyinfra")
    return str(beside) if beside.exists() else shutil.which("pyinfra")


def pyinfra(folder: Path, count: int, *, made: bool) -> Peer | None:
    """Return pyinfra with so many files on this machine."""
    program = _pyinfra()
    if program is None:
        return None
    there = folder / "files"
    there.mkdir(parents=True)
    (folder / "source").write_text("v1\n")
    for number in range(count if made else 0):
        (there / str(number)).write_text("v1\n")
    text = _FILES.format(count=count, source=str(folder / "source"), folder=str(there))
    (folder / "deploy.py").write_text(text)
    return Peer(
        name="pyinfra",
        folder=folder,
        plan=[program, "@local", "deploy.py", "--dry", "-y"],
        apply=[program, "@local", "deploy.py", "-y"],
        environment=dict(os.environ),
    )
