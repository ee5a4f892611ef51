"""`import`: a commit of a campaign that begins with a folder; apply copies it, and the folder stays as it is."""

import json
import struct
from pathlib import Path

import msgspec
import pytest

from reconciler.app.data import unfit_weights
from state.contract.adapters import AdapterBase
from state.contract.manifest import Manifest


@pytest.fixture(autouse=True)
def no_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights here are of one tensor: whether tensors fill a model is another module's matter."""
    monkeypatch.setattr(unfit_weights, "find_spec", lambda _: None)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A finished run of the Hugging Face Trainer, as far as its files can say."""
    for step in (100, 500):
        save(tmp_path / "old run", step)
    return tmp_path / "old run"


def save(run: Path, step: int, **config: object) -> Path:
    path = run / f"checkpoint-{step}"
    path.mkdir(parents=True)
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    said = {"architectures": ["Qwen3ForCausalLM"], "vocab_size": 320, **config}
    (path / "config.json").write_text(json.dumps(said))
    (path / "trainer_state.json").write_text(
        json.dumps({"global_step": step, "log_history": [{"loss": 1.5}]})
    )
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        (path / name).write_bytes(b"PK" + bytes(9) + b"PK\x05\x06" + bytes(18))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_import_commits_a_campaign_and_apply_takes_the_newest_checkpoint_in(
    run, lab: Path, root: Path, git, theirs: Path
) -> None:
    before = contents(theirs)
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")

    made = run("import", str(theirs), "--hero", "pip")

    assert made.exit_code == 0, made.output
    notes = " ".join(made.stderr.split())
    assert f"{theirs}/checkpoint-500: a checkpoint of the Hugging Face Trainer, step 500, 3 files" in notes
    assert "Not used, and not copied: optimizer.pt, rng_state.pth, scheduler.pt" in notes
    spec = (lab / "specs/campaigns/pip/campaign-002.yaml").read_text()
    assert spec.startswith("# yaml-language-server: $schema=../../../schemas/campaign.schema.json\nid: ")
    assert f'starting_checkpoint: "{theirs}"' in spec
    plan = " ".join(run("plan").output.split())
    assert f"+ import {theirs}/checkpoint-500" in plan
    assert "nobody here uses optimizer.pt" in plan
    assert run("apply", "--until-converged").exit_code == 0
    (item,) = json.loads(run("get", "checkpoints", "pip/campaign-002", "--json").output)["items"]
    assert (item["id"], item["state"], item["train_loss"]) == ("pip/campaign-002@500", "complete", 1.5)
    assert item["config_hash"] == "unknown"
    told = " ".join(run("explain", "pip/campaign-002@500").output.split())
    assert f"{theirs}/checkpoint-500 (hugging-face-trainer)" in told
    assert "not used optimizer.pt, rng_state.pth, scheduler.pt" in told
    assert "config hash, code version, specs commit, optimizer" in told
    proof = run("prove", "pip/campaign-002@500")
    assert proof.exit_code == 1
    assert f"was imported from {theirs}/checkpoint-500: what it had learnt there is not known" in " ".join(
        proof.output.split()
    )
    copy = root / "campaigns/pip/campaign-002/checkpoints/checkpoint-500"
    assert (copy / "model.safetensors").read_bytes() == before["checkpoint-500/model.safetensors"]
    assert not (copy / "optimizer.pt").exists()
    assert contents(theirs) == before
    assert run("plan", "--detailed-exitcode").exit_code == 0


def test_import_does_nothing_again_once_it_was_taken_in_though_the_folder_goes(
    run, lab: Path, git, theirs: Path
) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    run("import", str(theirs), "--hero", "pip")
    assert run("apply", "--until-converged").exit_code == 0
    theirs.rename(theirs.with_name("gone"))
    assert run("plan", "--detailed-exitcode").exit_code == 0


def test_import_refuses_what_is_not_whole_and_commits_nothing(run, lab: Path, git, theirs: Path) -> None:
    commits = git(lab, "rev-list", "--count", "HEAD")
    for step in (100, 500):
        (theirs / f"checkpoint-{step}/model.safetensors").write_bytes(b"torn")
    refused = run("import", str(theirs), "--hero", "pip")
    assert refused.exit_code == 1
    assert "no checkpoint in it can be begun with (checkpoint-500: " in refused.stderr
    assert git(lab, "rev-list", "--count", "HEAD") == commits


def test_import_refuses_weights_of_another_model_by_both_values(run, theirs: Path) -> None:
    save(theirs, 900, vocab_size=7)
    refused = run("import", str(theirs), "--hero", "pip")
    assert refused.exit_code == 3
    assert "its vocab_size is 7, that of hero pip is 320 (specs/heroes/pip.yaml:" in refused.stderr


def test_import_refuses_a_size_that_is_not_the_heros_at_its_line_and_commits_nothing(
    run, lab: Path, git, theirs: Path
) -> None:
    commits = git(lab, "rev-list", "--count", "HEAD")
    save(theirs, 900, hidden_size=9)
    refused = run("import", str(theirs), "--hero", "pip")
    assert refused.exit_code == 3
    told = " ".join(refused.stderr.split())
    assert "its hidden_size is 9, that of hero pip is 16 (specs/heroes/pip.yaml:" in told
    assert git(lab, "rev-list", "--count", "HEAD") == commits


def exported(folder: Path, manifest: Manifest) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return folder


@pytest.mark.parametrize("beside", ["their base", "another checkpoint of that step", "nothing"])
def test_import_refuses_adapters_on_a_checkpoint_and_names_what_to_import_in_their_place(
    run, lab: Path, git, manifest, tmp_path: Path, beside: str
) -> None:
    commits = git(lab, "rev-list", "--count", "HEAD")
    below = manifest("u", 10)
    base = AdapterBase(kind="checkpoint", digest=below.digest, step=10)
    run_folder = tmp_path / "usb/pip/campaign-001"
    exported(run_folder / "checkpoint-20", manifest("u", 20, adapter_base=base))
    if beside != "nothing":
        lies = below if beside == "their base" else manifest("u", 10, created_at="2026-02-01T00:00:00Z")
        exported(run_folder / "checkpoint-10", lies)

    refused = run("import", str(run_folder), "--hero", "pip")

    assert refused.exit_code == 3
    told = " ".join(refused.stderr.split())
    assert "checkpoint-20: it holds adapters on checkpoint-10 of pip/campaign-001, " in told
    whole = f"begin with {run_folder}/checkpoint-10, without what they have learnt; or merge them"
    recipe = (
        f'PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{run_folder}/checkpoint-10"), '
        f'"{run_folder}/checkpoint-20").merge_and_unload().save_pretrained(MERGED)'
    )
    assert (whole in told, recipe in told) == ((beside == "their base"),) * 2
    assert ("which does not lie beside it; export it again" in told) == (beside != "their base")
    assert git(lab, "rev-list", "--count", "HEAD") == commits


def test_a_spec_that_begins_with_adapters_on_a_checkpoint_is_blocked_with_the_same_words(
    run, lab: Path, git, manifest, tmp_path: Path
) -> None:
    below = manifest("u", 10)
    base = AdapterBase(kind="checkpoint", digest=below.digest, step=10)
    exported(tmp_path / "usb/checkpoint-10", below)
    folder = exported(tmp_path / "usb/checkpoint-20", manifest("u", 20, adapter_base=base))
    spec = lab / "specs/campaigns/pip/campaign-002.yaml"
    spec.write_text(f"id: campaign-002\nstarting_checkpoint: {folder}\n")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "begin with adapters")
    (blocked,) = (
        one for one in json.loads(run("plan", "--json").stdout)["blocked"] if "start-" in one["code"]
    )
    assert blocked["code"] == "start-adapters"
    assert f"begin with {tmp_path}/usb/checkpoint-10, without what they have learnt" in blocked["hint"]


def test_import_takes_the_whole_weights_below_exported_adapters(
    run, lab: Path, git, manifest, tmp_path: Path
) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    below = exported(tmp_path / "usb/checkpoint-10", manifest("u", 10))
    assert run("import", str(below), "--hero", "pip").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    (item,) = json.loads(run("get", "checkpoints", "pip/campaign-002", "--json").output)["items"]
    assert item["id"] == "pip/campaign-002@10"


def test_import_asks_whose_weights_they_are_where_there_are_several_heroes(run, theirs: Path) -> None:
    refused = run("import", str(theirs))
    assert refused.exit_code == 64
    assert "say whose weights they are: --hero mu or pip" in refused.stderr


def test_a_dry_run_of_import_commits_nothing(run, lab: Path, git, theirs: Path) -> None:
    commits = git(lab, "rev-list", "--count", "HEAD")
    shown = run("import", str(theirs), "--hero", "pip", "--dry-run")
    assert "+starting_checkpoint: " in shown.output
    assert git(lab, "rev-list", "--count", "HEAD") == commits
