"""What the rules want copied is read before anything of its campaign goes: damage found there holds that."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from moved_out import RULES, SPEC


@pytest.mark.parametrize("is_damaged", [False, True], ids=["whole", "damaged"])
def test_what_is_copied_is_read_before_anything_of_its_campaign_goes(
    resting: Callable[..., Path],
    run: Any,
    lab: Path,
    git: Callable[..., str],
    nas: Path,
    pass_time: Callable[[float], None],
    is_damaged: bool,
) -> None:
    rules = f"{RULES}archive: {{to: {nas}}}\n"
    specs = {"specs/realm.yaml": "id: lab\n", "specs/retention.yaml": rules}
    home = resting(specs, (100, 200, 300)).parent
    (lab / SPEC).write_text("id: campaign-001\nstate: archived\n")
    git(lab, "commit", "-qam", "rest")
    assert run("apply", "--once").exit_code == 0
    (archived,) = home.parent.parent.glob("archive/pip/*/checkpoints")
    if is_damaged:
        weights = archived / "checkpoint-300/model.safetensors"
        weights.chmod(0o600)
        weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    pass_time(60)

    done = " ".join(run("apply", "--once").stdout.split())

    assert done.index("archive checkpoint pip/campaign-001@300") < done.index("drop checkpoint")
    left = {path.name for path in archived.iterdir()}
    assert left == {"checkpoint-300"} | ({"checkpoint-100", "checkpoint-200"} if is_damaged else set())
