"""A spec with another name is the same campaign: ledger, folder, requests and trash follow its uid."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Reconcile = Callable[..., Result]
NEW = "pip/first-light"
RETENTION = "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 1s\n"


def items(run: Reconcile, kind: str) -> list[dict]:
    return json.loads(run("get", kind, "--json").stdout)["items"]


def settled(run: Reconcile) -> bool:
    return run("plan", "--detailed-exitcode").exit_code == 0


def test_a_file_that_git_sees_as_moved_is_a_rename_and_nothing_is_created_or_lost(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None], root: Path
) -> None:
    folder = resting({}, (7, 9))
    before = {path: path.read_bytes() for path in folder.rglob("*.safetensors")}
    renamed()
    said = run("plan").stdout
    assert "→ rename  campaign pip/first-light" in said
    assert "was pip/campaign-001; git sees its file as moved" in said
    assert "specs/campaigns/pip/first-light.yaml:1" in said
    assert "create" not in said
    assert run("apply", "--until-converged").exit_code == 0
    assert {path: path.read_bytes() for path in folder.rglob("*.safetensors")} == before
    assert [one["id"] for one in items(run, "checkpoints")] == [f"{NEW}@7", f"{NEW}@9"]
    assert {one["id"]: one["state"] for one in items(run, "campaigns")} == {
        NEW: "active",
        "mu/campaign-001": "paused",
    }
    assert settled(run)


def test_every_file_of_a_renamed_campaign_has_the_new_name_and_its_folder_the_old_one(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None], root: Path
) -> None:
    folder = resting({}, (7,))
    renamed()
    assert run("apply", "--until-converged").exit_code == 0
    record = json.loads((folder.parent / "campaign.json").read_text())
    assert (record["hero_id"], record["id"]) == ("pip", "first-light")
    pointer = json.loads((root / "control/active_campaign.json").read_text())
    assert (pointer["campaign_id"], pointer["campaign_path"]) == ("first-light", "campaigns/pip/campaign-001")
    assert (root / "campaigns/active").resolve() == folder.parent
    sidecar = json.loads((folder / "checkpoint-7/.ledger.json").read_text())
    assert (sidecar["hero_id"], sidecar["campaign_id"]) == ("pip", "first-light")
    assert "renamed" in (folder.parent / "saga.jsonl").read_text()
    assert not (root / "campaigns/pip/first-light").exists()


def test_what_was_dropped_before_a_rename_is_taken_back_by_the_new_name(
    run: Reconcile,
    resting: Callable[..., Path],
    renamed: Callable[..., None],
    pass_time: Callable[[float], None],
) -> None:
    folder = resting({"specs/retention.yaml": RETENTION}, (7, 9))
    pass_time(60.0)
    assert run("apply", "--once").exit_code == 0
    assert [one["id"] for one in items(run, "trash")] == ["pip/campaign-001@7"]
    renamed()
    assert run("apply", "--once").exit_code == 0
    assert [one["id"] for one in items(run, "trash")] == [f"{NEW}@7"]
    assert run("undelete", f"{NEW}@7").exit_code == 0
    assert run("apply", "--once").exit_code == 0
    assert (folder / "checkpoint-7/model.safetensors").exists()


def test_a_request_that_was_left_before_a_rename_is_handled_after_it(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None]
) -> None:
    resting({}, (7,))
    assert run("pause", "pip/campaign-001", "--why", "lunch").exit_code == 0
    renamed()
    assert run("apply", "--once").exit_code == 0
    assert "lunch" in run("explain", NEW).stdout
    assert run("explain", "pip/campaign-001").stdout == run("explain", NEW).stdout


def test_what_is_named_by_a_name_that_its_campaign_had_before_is_found(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None], tmp_path: Path
) -> None:
    resting({}, (7, 9))
    (tmp_path / "copies").mkdir()
    renamed()
    assert run("apply", "--once").exit_code == 0
    looking: tuple[tuple[str, ...], ...] = (
        ("explain", "{}@7"),
        ("explain", "{}@latest"),
        ("get", "checkpoints", "{}@7"),
        ("get", "campaigns", "{}"),
        ("history", "{}"),
        ("diff", "{}@7", "{}@9"),
    )
    for words in looking:
        old, new = (run(*(one.format(name) for one in words)) for name in ("pip/campaign-001", NEW))
        assert (old.exit_code, old.stdout) == (0, new.stdout), words
    waits = ("wait", "--for", "step=7", "--timeout", "0")
    for words in (waits, ("pause",), ("scrub",), ("export", "--to", str(tmp_path / "copies"))):
        assert run(words[0], "pip/campaign-001", *words[1:]).exit_code == 0, words


def test_a_scrub_that_was_asked_for_by_the_former_name_reads_its_checkpoints(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None]
) -> None:
    resting({}, (7,))
    assert run("scrub", "pip/campaign-001@7").exit_code == 0
    renamed()
    assert run("apply", "--until-converged").exit_code == 0
    assert "✓ scrub 1 checkpoint: 1 checkpoint, " in run("events").stdout
    assert settled(run)


def test_a_name_that_no_campaign_ever_had_is_still_not_found(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None]
) -> None:
    resting({}, (7,))
    renamed()
    assert run("apply", "--once").exit_code == 0
    for words in (("explain", "pip/campaign-002@7"), ("history", "pip/campaign-002"), ("pause", "mu/first")):
        assert run(*words).exit_code == 5


def test_a_rename_un_pins_nothing_though_the_pin_still_says_the_former_name(
    run: Reconcile,
    resting: Callable[..., Path],
    renamed: Callable[..., None],
    pass_time: Callable[[float], None],
) -> None:
    resting({"specs/retention.yaml": f"{RETENTION}pins: [pip/campaign-001@7]\n"}, (7, 8, 9))
    pass_time(3)  # all of them are old enough now
    assert run("apply", "--until-converged").exit_code == 0
    renamed()
    for _ in range(2):
        plan = json.loads(run("plan", "--json").stdout)
        assert (plan["blocked"], [one for one in plan["warnings"] if "pinned" in one]) == ([], [])
        assert run("apply", "--until-converged").exit_code == 0
    assert f"{NEW}@7" in [one["id"] for one in items(run, "checkpoints")]
    assert settled(run)


def test_a_second_rename_and_the_way_back_keep_the_folder_and_the_ledger(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None], root: Path
) -> None:
    folder = resting({}, (7,))
    for old, new in (("campaign-001", "one"), ("one", "two"), ("two", "campaign-001")):
        renamed(new=new, old=old)
        assert run("apply", "--until-converged").exit_code == 0
        assert [one["id"] for one in items(run, "checkpoints")] == [f"pip/{new}@7"]
    assert (folder / "checkpoint-7").is_dir()
    assert [path.name for path in (root / "campaigns/pip").iterdir()] == ["campaign-001"]
    assert settled(run)


def test_two_renames_in_a_row_are_one_for_a_realm_that_saw_neither(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None]
) -> None:
    resting({}, (7,))
    renamed(new="one")
    renamed(new="two", old="one")
    assert run("apply", "--until-converged").exit_code == 0
    assert [one["id"] for one in items(run, "checkpoints")] == ["pip/two@7"]


def test_a_spec_that_names_its_old_id_is_the_same_campaign_where_git_has_no_history(
    run: Reconcile,
    resting: Callable[..., Path],
    renamed: Callable[..., None],
    lab: Path,
    git: Callable[..., str],
) -> None:
    resting({}, (7,))
    renamed(more="\nwas: pip/campaign-001")
    git(lab, "checkout", "-q", "--orphan", "fresh")
    git(lab, "commit", "-qam", "no history")
    git(lab, "branch", "-M", "fresh", "main")
    said = run("plan").stdout
    assert "was pip/campaign-001; its spec says so" in said
    assert "specs/campaigns/pip/first-light.yaml:2" in said


def test_the_number_of_a_renamed_campaign_is_not_given_to_a_new_one(
    run: Reconcile,
    resting: Callable[..., Path],
    renamed: Callable[..., None],
    lab: Path,
    git: Callable[..., str],
) -> None:
    resting({}, (7,))
    renamed()
    assert run("apply", "--until-converged").exit_code == 0
    assert "pip/campaign-002" in run("new", "campaign", "pip").stdout
    (lab / "specs/campaigns/pip/campaign-001.yaml").write_text("id: campaign-001\n")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "the old name again")
    said = run("plan").stdout
    assert "pip/first-light had this name before" in said
    assert "create   campaign pip/campaign-002" in said
    assert "create   campaign pip/campaign-001" not in said


def test_a_store_made_again_from_the_folders_alone_knows_the_renamed_campaign(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None], root: Path
) -> None:
    resting({}, (7,))
    renamed()
    assert run("apply", "--until-converged").exit_code == 0
    (root / "realm.db").unlink()
    for path in sorted((root / "control/rows").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert run("doctor", "--rebuild").exit_code in (0, 1)
    assert run("apply", "--once").exit_code == 0
    assert [one["id"] for one in items(run, "checkpoints")] == [f"{NEW}@7"]
    assert not (root / "campaigns/pip/first-light").exists()


@pytest.mark.parametrize("staged", [True, False])
def test_a_rename_in_the_work_tree_is_previewed_as_the_rename_that_its_commit_will_be(
    run: Reconcile, resting: Callable[..., Path], lab: Path, git: Callable[..., str], staged: bool
) -> None:
    resting({}, (7,))
    folder = lab / "specs/campaigns/pip"
    if staged:
        git(lab, "mv", str(folder / "campaign-001.yaml"), str(folder / "first-light.yaml"))
    else:
        (folder / "campaign-001.yaml").rename(folder / "first-light.yaml")
    text = (folder / "first-light.yaml").read_text()
    (folder / "first-light.yaml").write_text(text.replace("id: campaign-001", "id: first-light"))
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: pip/first-light\n")
    index, objects = (lab / ".git/index").read_bytes(), sorted((lab / ".git/objects").rglob("*"))
    said = run("plan", "--worktree").stdout
    assert "was pip/campaign-001; git sees its file as moved" in said
    assert "create" not in said
    assert (lab / ".git/index").read_bytes() == index
    assert sorted((lab / ".git/objects").rglob("*")) == objects
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "campaign-001 is first-light now")
    assert "was pip/campaign-001; git sees its file as moved" in run("plan").stdout


def test_what_commits_takes_a_campaign_by_a_name_that_it_had_before(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None]
) -> None:
    resting({}, (7, 9))
    renamed()
    assert run("apply", "--once").exit_code == 0
    old, dry = "pip/campaign-001", "--dry-run"
    for words in (
        ("propose", old, "goal.updates=5", dry),
        ("propose", f"campaign/{old}", "goal.updates=5", dry),
        ("rewind", f"{old}@7", "--why", "too hot", dry),
        ("suspend", old, "--why", "new card", dry),
        ("start-over", "pip", "--old", old, dry),
        ("start-over", "pip", "--old", "campaign-001", dry),
    ):
        done = run(*words, "--json")
        assert done.exit_code == 0, (words, done.stderr)
        made = json.loads(done.stdout)
        assert "specs/campaigns/pip/first-light.yaml" in made["files"]
        assert "campaign-001" not in made["message"], words
        assert old not in " ".join(made["notes"]), words
    assert f"{NEW} is the active campaign" in run("archive", old).stderr


def test_archive_restore_and_unsuspend_find_a_campaign_by_its_former_name(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None], lab: Path, git
) -> None:
    resting({}, (7,))
    renamed()
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: mu/campaign-001\n")
    git(lab, "commit", "-qam", "another one trains")
    assert run("apply", "--once").exit_code == 0
    spec = lab / "specs/campaigns/pip/first-light.yaml"
    before = spec.read_text()
    for there, back in ((("archive",), "restore"), (("suspend", "--why", "new card"), "unsuspend")):
        verb, *more = there
        assert run(verb, "pip/campaign-001", *more).exit_code == 0
        assert spec.read_text() != before
        assert run(back, "pip/campaign-001").exit_code == 0
        assert spec.read_text() == before


def test_a_former_name_that_only_the_spec_says_is_found_before_apply_has_seen_it(
    run: Reconcile, renamed: Callable[..., None]
) -> None:
    renamed(more="\nwas: pip/campaign-001")
    done = run("propose", "pip/campaign-001", "goal.updates=5", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["message"] == f"Propose goal.updates=5 for {NEW}"


def test_before_apply_has_seen_a_move_its_former_name_is_found_too(
    run: Reconcile, resting: Callable[..., Path], renamed: Callable[..., None]
) -> None:
    resting({}, (7,))
    renamed()
    done = run("propose", "pip/campaign-001", "goal.updates=5", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["message"] == f"Propose goal.updates=5 for {NEW}"


def test_a_name_that_two_campaigns_had_is_asked_about_by_what_commits(run: Reconcile, store, rows) -> None:
    store.write(
        [rows.campaign(uid=one, name=f"pip/{one}", former_names="pip/light") for one in ("first", "second")]
    )
    refused = run("archive", "pip/light")
    assert refused.exit_code == 5
    assert "pip/light was the name of pip/first and of pip/second; none has it now" in refused.stderr
