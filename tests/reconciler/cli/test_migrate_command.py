"""`migrate`: older roots become roots of this software, are refused in plain words, and come back as they were."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from older_root import checkpoint, contents, single_hero, tree, with_campaigns, write


@pytest.fixture
def migrate(run: Any) -> Callable[..., Any]:
    return lambda *arguments: run("migrate", *map(str, arguments), anywhere=True)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return tmp_path / "old"


def items(run: Any, specs: Path, kind: str) -> list[dict[str, Any]]:
    shown = run("get", kind, "--json", "--repo", str(specs), anywhere=True)
    return json.loads(shown.output)["items"]


def is_calm(run: Any, specs: Path) -> bool:
    """Would apply do nothing, and nothing has been launched?"""
    planned = run("plan", "--detailed-exitcode", "--repo", str(specs), anywhere=True)
    return bool(planned.exit_code == 0)


def test_a_root_of_one_model_becomes_a_realm_and_its_checkpoints_are_in_the_ledger(
    run: Any, migrate: Any, old: Path
) -> None:
    before = contents(single_hero(old))

    done = migrate(old, "--apply")

    assert done.exit_code == 0, done.output
    assert not before - contents(old)
    specs = old.with_name("old-specs")
    found = {item["id"]: item for item in items(run, specs, "checkpoints")}
    assert [item for item in found if "@" in item] == [
        "tiny-0.6b/campaign-001@500",
        "tiny-0.6b/campaign-001@700",
    ]
    first = found["tiny-0.6b/campaign-001@500"]
    assert (first["state"], first["train_loss"], first["config_hash"]) == ("complete", 0.25, "unknown")
    assert found["tiny-0.6b/campaign-001@700"]["train_loss"] == 0.4
    foreign = found["tiny-0.6b/campaign-001/checkpoint-900"]
    assert "that is not whole: model.safetensors has 20 bytes" in foreign["reason"]
    assert is_calm(run, specs)
    sidecar = json.loads((old / "campaigns/active/checkpoints/checkpoint-500/.ledger.json").read_text())
    assert (sidecar["train_loss"], sidecar["digest"]) == (0.25, first["digest"])


def test_links_stay_where_older_tools_look(migrate: Any, old: Path) -> None:
    single_hero(old)
    assert migrate(old, "--apply").exit_code == 0
    assert (old / "current_model").readlink() == Path("campaigns/active/checkpoints")
    assert (old / "current_model/README.md").read_text() == "the current model\n"
    assert (old / "current_model/checkpoint-500/model.safetensors").is_file()
    assert json.loads((old / "status/training_status.json").read_text())["status"] == "idle"
    assert (old / "status/training_status.json").readlink() == Path(
        "../campaigns/active/status/training_status.json"
    )


def test_config_and_queue_become_specs_and_what_is_not_carried_over_is_named(migrate: Any, old: Path) -> None:
    single_hero(old)
    said = " ".join(migrate(old, "--apply").output.split())
    specs = old.with_name("old-specs") / "specs"
    hero = (specs / "heroes/tiny-0.6b.yaml").read_text()
    assert "hf_name: models/Tiny-0.6B" in hero
    assert "learning_rate: 0.0004" in hero
    assert "max_length: 256" in hero
    assert "max_length is 2048, hyperparams.max_length is 256: the latter counts" in said
    assert 'control/state.json says "training" (last 2025-11-24T04:09:43); no process writes there' in said
    assert (
        "file: queue/normal/train_bin_level1.jsonl, priority: normal}" in (specs / "queue.yaml").read_text()
    )


def test_campaigns_keep_what_is_known_of_them_and_archived_ones_rest_in_the_archive(
    run: Any, migrate: Any, old: Path
) -> None:
    before = contents(with_campaigns(old))

    done = migrate(old, "--apply")

    assert done.exit_code == 0, done.output
    assert not before - contents(old)
    assert (
        "campaigns/active leads to /somewhere/else/campaigns/dio/campaign-002, which is not here"
        in " ".join(done.output.split())
    )
    specs = old.with_name("old-specs")
    found = {item["id"]: item for item in items(run, specs, "campaigns")}
    assert {name: (item["is_active"], item["state"], item["step"]) for name, item in found.items()} == {
        "dio/campaign-002": (True, "active", 300),
        "titan/campaign-001": (False, "archived", 300),
    }
    record = json.loads((old / "campaigns/dio/campaign-002/campaign.json").read_text())
    assert (record["created_at"], record["name"]) == ("2025-11-22T04:00:00Z", "dio's life")
    assert (record["own_key"], record["milestones"][0]["note"]) == ("kept", "half way")
    assert (old / "campaigns/active").readlink() == Path("dio/campaign-002")
    archived = old / "campaigns/archive/titan/campaign-001-archived/checkpoints/checkpoint-200"
    assert (archived / "manifest.json").is_file()
    sidecar = json.loads((old / "campaigns/active/checkpoints/checkpoint-300/.ledger.json").read_text())
    assert (sidecar["train_loss"], sidecar["accuracy"]) == (0.3, 0.5)
    assert is_calm(run, specs)


@pytest.mark.parametrize("make", [single_hero, with_campaigns])
def test_an_undo_brings_everything_back_as_it_was(
    run: Any, migrate: Any, old: Path, make: Callable[[Path], Path]
) -> None:
    before = tree(make(old))
    assert migrate(old, "--apply").exit_code == 0
    assert tree(old) != before
    assert run("apply", "--once", "--repo", str(old.with_name("old-specs")), anywhere=True).exit_code in (
        0,
        3,
    )
    assert (old / "control/rows/realm.json").is_file()

    undone = migrate(old, "--undo")

    assert undone.exit_code == 0, undone.output
    assert tree(old) == before
    assert "Note: what was written here since lies in control/migrations/1; delete it" in undone.output
    assert "~ keep" not in undone.output
    shutil.rmtree(old.with_name("old-specs"))
    assert migrate(old, "--apply").exit_code == 0
    assert migrate(old, "--undo").exit_code == 0
    assert tree(old) == before


def test_a_dry_run_changes_nothing_and_says_what_would_be_done(migrate: Any, old: Path) -> None:
    before = tree(single_hero(old))
    shown = migrate(old)
    assert shown.exit_code == 0, shown.output
    assert "→ move     current_model  to campaigns/tiny-0.6b/campaign-001/checkpoints" in shown.output
    assert "+ link     current_model  to campaigns/active/checkpoints" in shown.output
    assert "checkpoint-700 hugging-face-trainer, step 700, loss 0.400" in " ".join(shown.output.split())
    assert tree(old) == before
    assert not old.with_name("old-specs").exists()


def test_what_was_trained_since_is_not_taken_back(run: Any, migrate: Any, old: Path) -> None:
    single_hero(old)
    migrate(old, "--apply")
    later_row(old)
    refused = migrate(old, "--undo")
    assert refused.exit_code == 3
    assert "has gone on since it was migrated (checkpoint tiny-0.6b/campaign-001@950)" in refused.stderr


def later_row(root: Path) -> None:
    import msgspec

    from state.layout import Layout
    from state.store.connection import open_writer
    from state.store.rows import LedgerRow
    from state.store.tables import put, select

    store = open_writer(Layout(root).store)
    row = select(store, LedgerRow)[-1]
    put(store, [msgspec.structs.replace(row, step=950, sequence=row.sequence + 1)])
    store.close()


def reuse_a_number(root: Path) -> None:
    shutil.copytree(root / "campaigns/dio/campaign-002", root / "campaigns/archive/dio/campaign-002-archived")


def disagree(root: Path) -> None:
    shutil.copytree(root / "campaigns/dio/campaign-002", root / "campaigns/dio/campaign-003")
    (root / "campaigns/active").unlink()
    (root / "campaigns/active").symlink_to("dio/campaign-003")


def both_active(root: Path) -> None:
    disagree(root)
    (root / "campaigns/active").unlink()
    (root / "control/active_campaign.json").unlink()


REFUSED = {
    "reused number": (reuse_a_number, "campaigns/dio/campaign-002 and campaigns/archive/dio/campaign-002-archived have one number"),
    "pointer and link": (disagree, "control/active_campaign.json names dio/campaign-002, campaigns/active leads to dio/campaign-003; say which is active: --active dio/campaign-002 or --active dio/campaign-003"),
    "two active": (both_active, "dio/campaign-002, dio/campaign-003 say that they are active; say which: --active"),
    "no folder": (lambda root: shutil.rmtree(root / "campaigns/dio"), "dio/campaign-002 is named active and has no folder"),
    "no hero": (lambda root: (root / "configs/heroes/dio.yaml").unlink(), "campaigns/dio/campaign-002 has no hero: there is no configs/heroes/dio.yaml"),
    "git": (lambda root: (root / ".git").mkdir(), "lies inside the git work tree"),
    "a realm": (lambda root: (root / "realm.db").write_bytes(b"x"), "is a root of this software already"),
    "a bad hero": (lambda root: write(root / "configs/heroes/dio.yaml", "id: dio\nmodel: 7\n"), "configs/heroes/dio.yaml:2"),
    "in the way": (lambda root: write(root / "trash", "mine"), "trash is no folder; move it away"),
    "specs there": (lambda root: root.with_name("old-specs").mkdir(), "old-specs is there already; say where the specs repository goes"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_a_root_in_two_minds_is_refused_in_plain_words_and_not_touched(
    migrate: Any, old: Path, spoil: Callable[[Path], None], says: str
) -> None:
    spoil(with_campaigns(old))
    before = tree(old)
    refused = migrate(old, "--apply")
    assert refused.exit_code == 3
    assert says in refused.stderr
    assert tree(old) == before


def test_a_root_that_somebody_writes_to_is_refused(migrate: Any, old: Path) -> None:
    single_hero(old)
    with (old / "current_model/checkpoint-500/optimizer.pt").open("ab"):
        refused = migrate(old, "--apply")
    assert refused.exit_code == 3
    assert f"(pid {os.getpid()}) has a file below {old} open for writing; stop it first" in refused.stderr


def test_loose_checkpoints_belong_to_the_hero_of_config_json_or_to_whom_a_person_says(
    run: Any, migrate: Any, old: Path
) -> None:
    with_campaigns(old)
    checkpoint(old / "models/current_model/checkpoint-400", 400)
    shown = migrate(old)
    assert "→ move models/current_model/checkpoint-400 to campaigns/dio/campaign-002/checkpoints" in " ".join(
        shown.output.split()
    )
    write(old / "config.json", {"base_model": "models/Another"})
    assert "nobody can tell whose checkpoints they are" in migrate(old).output
    assert migrate(old, "--apply", "--hero", "dio").exit_code == 0
    link = old / "models/current_model/checkpoint-400"
    assert link.is_symlink()
    assert (link / "manifest.json").is_file()


REAL = {
    "10-20251124T0457-1b71f5b": ((), None),
    "25-20251127T2000-b2010f7": ((), None),
    "34-20251128T2248-9e44b7f": ((), None),
    "39-20251202T0502-d4d4efa": (("--active", "dio-qwen3-0.6b/campaign-001"), "names dio-qwen3-0.6b/campaign-001, campaigns/active leads to titan-qwen3-4b/campaign-001"),
    "42-20251205T0853-94c7711": (("--active", "none"), "gou-qwen3-4b/campaign-001 is named active and has no folder"),
    "45-20251209T1727-e7ec406": ((), None),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_each_real_older_root_migrates_or_says_what_it_needs_and_comes_back(
    run: Any, migrate: Any, old: Path, cases: Path, name: str
) -> None:
    shutil.copytree(cases / "older-roots" / name, old, copy_function=shutil.copyfile)
    for folder in [old, *(path for path in old.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)
    options, refusal = REAL[name]
    before, held = tree(old), contents(old)
    if refusal is not None:
        refused = migrate(old, "--apply")
        assert refused.exit_code == 3
        assert refusal in refused.stderr
        assert tree(old) == before

    done = migrate(old, "--apply", *options)

    assert done.exit_code == 0, done.output
    assert not held - contents(old)
    assert is_calm(run, old.with_name("old-specs"))
    assert migrate(old, "--undo").exit_code == 0
    assert tree(old) == before


def test_a_damaged_record_of_a_migration_stops_everything_by_its_name(migrate: Any, old: Path) -> None:
    single_hero(old)
    write(old / "control/migrations/1/migration.json", "{torn")
    before = tree(old)
    for options in ((), ("--apply",), ("--undo",)):
        refused = migrate(old, *options)
        assert refused.exit_code == 1, options
        assert "control/migrations/1/migration.json" in refused.stderr
    assert tree(old) == before


@pytest.mark.parametrize("more", [(), ("--apply",), ("--undo",)])
def test_a_root_that_is_not_there_is_one_sentence_with_the_nearest_folder(
    migrate: Any, tmp_path: Path, more: tuple[str, ...]
) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "other").mkdir()

    done = migrate(tmp_path / "trainin", *more)

    assert (done.exit_code, done.stdout) == (5, "")
    told = " ".join(done.stderr.split())
    assert told.endswith(f'{tmp_path}/trainin is not there; did you mean "{tmp_path}/training"?')
    assert not (tmp_path / "trainin-specs").exists()


def test_what_to_do_next_is_a_line_of_its_own_that_can_be_copied(migrate: Any, old: Path) -> None:
    single_hero(old)
    lines = migrate(old).stdout.splitlines()
    assert f"Do it:     reconcile migrate {old} --apply" in lines
    assert "           with the same options; --undo takes it back" in lines


def test_of_a_folder_that_holds_nothing_older_only_that_is_said(migrate: Any, tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()

    done = migrate(tmp_path / "training")

    assert done.exit_code == 3
    assert "holds nothing of an older system: expected config.json" in " ".join(done.stdout.split())
    assert not [word for word in ("+ spec", "Note:", "realm training") if word in done.stdout]
