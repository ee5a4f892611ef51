"""A damaged checkpoint, as a person meets it: training goes on from the one before, and says so."""

from pathlib import Path

from edits import CAMPAIGNS, Edit, new_world, specs_of
from lab import Lab, found_realm, rows

from state.layout import CampaignLayout

ONE = "one/campaign-001"


def flip_a_bit(campaign: CampaignLayout, step: int) -> None:
    weights = campaign.checkpoint(step) / "model.safetensors"
    weights.chmod(0o600)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    weights.chmod(0o400)


def test_the_newest_checkpoint_is_damaged_and_training_goes_on_from_the_one_before(the_lab: Lab) -> None:
    lab = the_lab
    lab.write("a.jsonl", rows(range(60)))
    found_realm(lab, ["one"], ONE, [{"id": "a", "file": "a.jsonl", "epochs": 2}])
    lab.spec("campaigns/one/campaign-001", id="campaign-001", goal={"updates": 40})
    lab.commit()
    lab.converge()
    campaign = lab.layout.campaign(ONE)
    first = {step: manifest.digest for step, manifest in lab.manifests(ONE).items()}
    assert sorted(first) == [20, 40]
    flip_a_bit(campaign, 40)
    lab.spec("campaigns/one/campaign-001", id="campaign-001")
    lab.commit()

    said = lab.converge().stdout

    assert "model.safetensors has BLAKE3" in said
    aside = campaign.checkpoints / f".damaged-40-{first[40].partition(':')[2][:12]}"
    assert (aside / "manifest.json").is_file()
    again = lab.manifests(ONE)
    assert (again[20].digest, again[40].parent_step) == (first[20], 20)
    assert [row.digest for row in lab.ledger(ONE) if row.step == 40] == [first[40], again[40].digest]
    assert lab.status_of(ONE, "a") == "completed"
    assert f"checkpoints/{aside.name} is damaged" in " ".join(lab.reconcile("plan").stdout.split())
    assert lab.plan()["changes"] == []


def test_rows_of_a_last_checkpoint_that_was_damaged_before_it_was_recorded_are_learnt_again(
    tmp_path: Path,
) -> None:
    world, one = new_world(tmp_path), CAMPAIGNS[0]
    quest = {"id": "a", "file": "data/a.jsonl", "epochs": 1, "for": [one]}
    world.commit(specs_of(world, Edit([one], one, [quest], {}, None, 0.001, every_updates=1)))
    campaign, hurt = world.lab.layout.campaign(one), list[int]()

    def hurt_the_last() -> None:
        newest = world.lab.newest_step(one)
        if newest and not hurt:
            hurt.append(newest)
            flip_a_bit(campaign, newest)

    world.after_each_tick = hurt_the_last
    world.apply()

    assert hurt == [world.lab.newest_step(one)]
    damaged, again = (row for row in world.lab.ledger(one) if row.step == hurt[0])
    assert damaged.damage is not None
    assert again.damage is None
    assert world.lab.status_of(one, "a") == "completed"
    assert world.plan().plan.changes == ()
