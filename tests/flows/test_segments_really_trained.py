"""Releases and rollbacks with real training: the same bytes as without them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab import Lab, found_realm, rows, tiny_hero

ONE = "one/campaign-001"
SUMS = {"id": "sums", "file": "data/sums.jsonl"}


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Return what founds a realm whose trainers really train a tiny hero."""
    pytest.importorskip("torch")
    founded: list[Lab] = []

    def found(name: str, more: str = "") -> Lab:
        lab = Lab(tmp_path / name)
        founded.append(lab)
        lab.git("init", "-q", "-b", "main")
        lab.write("data/sums.jsonl", rows(range(40)))
        found_realm(lab, ["one"], ONE, [SUMS])
        lab.spec("heroes/one", **tiny_hero("one", checkpoint={"every_updates": 5}))
        lab.write("specs/campaigns/one/campaign-001.yaml", f"id: campaign-001\n{more}")
        lab.commit("a real one")
        return lab

    yield found
    for lab in founded:
        lab.end()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_with_real_training_the_campaign_is_byte_for_byte_as_without_its_release(
    real: Callable[..., Lab],
) -> None:
    plain = real("plain")
    with_release = real("release", "releases: [{at: 10, updates: 4}]\n")

    for lab in (with_release, plain):
        done = lab.reconcile("apply", "--until-converged", timeout_seconds=280)  # three trainers, one by one
        assert done.returncode == 0, done.stdout + done.stderr

    step = plain.newest_step(ONE)
    assert with_release.newest_step(ONE) == step
    for name in ("model.safetensors", "optimizer.safetensors"):
        both = [
            (lab.layout.campaign(ONE).checkpoint(step) / name).read_bytes() for lab in (with_release, plain)
        ]
        assert both[0] == both[1], name
    release = with_release.layout.campaign(ONE).segment(2) / "checkpoint-14"
    assert (release / "model.safetensors").read_bytes() not in both
    for which in ("latest", "2:14"):
        proven = with_release.reconcile("prove", f"{ONE}@{which}")
        assert proven.returncode == 0, proven.stdout
    replayed = with_release.reconcile("replay", f"{ONE}@2:14")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert with_release.plan()["changes"] == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_with_real_training_a_campaign_that_went_back_learns_the_same_again(real: Callable[..., Lab]) -> None:
    lab = real("back")
    lab.converge()
    step = lab.newest_step(ONE)
    before = (lab.layout.campaign(ONE).checkpoint(step) / "model.safetensors").read_bytes()

    done = lab.reconcile("rewind", f"{ONE}@10", "--why", "to see whether it is the same")
    assert done.returncode == 0, done.stderr
    lab.converge()

    places = lab.layout.campaign(ONE)
    assert (places.checkpoint(step) / "model.safetensors").read_bytes() == before
    assert (places.segment(1) / f"checkpoint-{step}" / "model.safetensors").read_bytes() == before
    assert "segment 2" in lab.reconcile("status").stdout
    assert "back to step 10 of segment 1, " in lab.reconcile("explain", ONE).stdout
    assert lab.reconcile("prove", f"{ONE}@latest").returncode == 0
    assert lab.plan()["changes"] == []
