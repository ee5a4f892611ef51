"""`export` through the real command: copied elsewhere, remembered, shown."""

import json
from pathlib import Path

import pytest


def test_a_campaign_is_exported_and_every_view_shows_where(run, resting, tmp_path: Path) -> None:
    resting({}, (100, 200))
    to = tmp_path / "usb"
    to.mkdir()

    assert (
        "Asked to export pip/campaign-001 (request 1)"
        in run("export", "pip/campaign-001", "--to", str(to)).stdout
    )
    plan = " ".join(run("plan").stdout.split())
    assert "+ export checkpoint pip/campaign-001@100" in plan
    assert run("apply", "--until-converged").exit_code == 0

    assert sorted(path.name for path in (to / "pip/campaign-001").iterdir()) == [
        "checkpoint-100",
        "checkpoint-200",
    ]
    items = json.loads(run("get", "checkpoints", "--json").stdout)["items"]
    assert [item["locations"] for item in items] == [
        [f"{to}/pip/campaign-001/checkpoint-{n}"] for n in (100, 200)
    ]
    told = " ".join(run("explain", "checkpoint/pip/campaign-001@100").stdout.split())
    assert "copies elsewhere" in told
    assert "\nNothing to do" in run("plan").stdout


@pytest.mark.parametrize(
    ("thing", "to", "code", "told"),
    [
        ("pip/campaign-001@7", ".", 5, 'there is no checkpoint or campaign "pip/campaign-001@7"'),
        ("pip/campaign-001", "nowhere", 5, "is no folder; make it first: mkdir -p"),
        ("pip/campaign-001", "root", 64, "lies in the realm's root"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    run, resting, root: Path, tmp_path: Path, thing: str, to: str, code: int, told: str
) -> None:
    resting({}, (100,))
    place = root / "campaigns" if to == "root" else tmp_path / to

    refused = run("export", thing, "--to", str(place))

    assert refused.exit_code == code
    assert told in " ".join(refused.stderr.split())
