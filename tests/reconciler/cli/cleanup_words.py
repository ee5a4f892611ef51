"""What tests of clean-ups and of deleted campaigns say and ask, of the one campaign that they are about."""

import json
from pathlib import Path

NAME = "pip/campaign-001"
SPEC = "specs/campaigns/pip/campaign-001.yaml"


def say(lab: Path, git, *lines: str) -> None:
    """Commit a campaign's spec with these lines."""
    (lab / SPEC).write_text("\n".join(["id: campaign-001", *lines, ""]))
    git(lab, "commit", "-qam", "another word about it")


def approve(run) -> None:
    digest = json.loads(run("plan", "--json").stdout)["awaiting"]["digest"]
    assert run("approve", digest, "--why", "the disk is full").exit_code == 0


def plain(text: str) -> str:
    return " ".join(text.split())


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoints/checkpoint-*"))


def changes(run) -> list[object]:
    return json.loads(run("plan", "--json").stdout)["changes"]


def campaigns(run) -> list[dict[str, object]]:
    return json.loads(run("get", "campaigns", "--json").stdout)["items"]
