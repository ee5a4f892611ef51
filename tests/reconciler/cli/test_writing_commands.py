"""`init`, `new`, `validate`: they ask nothing, overwrite nothing, and what they write has no mistakes."""

import json
import re
import subprocess
from pathlib import Path

import pytest


def test_init_makes_a_repository_that_plans_at_once(run, tmp_path: Path) -> None:
    made = run("init", str(tmp_path / "my-lab"), anywhere=True)
    assert made.exit_code == 0
    assert re.match(r"Made realm my-lab in .*/my-lab \(commit [0-9a-f]{7}\)\.\n", made.stdout)
    assert "See what it would do:" in made.stdout
    assert "Do it:                 reconcile apply --until-converged" in made.stdout
    here = ("--repo", str(tmp_path / "my-lab"), "--root", str(tmp_path / "root"))
    plan = run("plan", *here, anywhere=True)
    assert plan.stdout.startswith("my-lab   main@")
    assert "+ launch    tiny-adamw/campaign-001" in plan.stdout
    assert run("validate", *here, anywhere=True).stdout == "9 specs, no mistakes\n"


def test_init_leaves_nothing_uncommitted_and_its_modelines_find_their_schemas(
    run, tmp_path: Path, git
) -> None:
    run("init", str(tmp_path / "my-lab"), anywhere=True)
    top = tmp_path / "my-lab"
    assert git(top, "status", "--porcelain") == ""
    assert git(top, "branch", "--show-current") == "main"
    for spec in (top / "specs").rglob("*.yaml"):
        schema = re.match(r"# yaml-language-server: \$schema=(\S+)\n", spec.read_text())
        assert schema is not None, spec
        assert (spec.parent / schema[1]).is_file(), spec


def test_init_says_under_which_name_it_commits_when_git_knows_none(run, tmp_path: Path, git) -> None:
    made = run("init", str(tmp_path / "my-lab"), anywhere=True)
    said, before = made.stderr.splitlines()
    assert said.startswith("git does not know your name, so this commit is by ")
    assert before.startswith('Before your own commits:  git config --global user.name "..."; git config ')
    (tmp_path / "home/.gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    made = run("init", str(tmp_path / "her-lab"), anywhere=True)
    assert made.stderr == ""
    assert git(tmp_path / "her-lab", "log", "--format=%an <%ae>") == "Ada <ada@example.org>"


def test_init_refuses_a_folder_that_holds_something_and_names_it(run, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").write_text("x")
    refused = run("init", str(tmp_path / "full"), anywhere=True)
    assert refused.exit_code == 3
    assert "is not empty (it holds thesis.tex); nothing was written" in refused.stderr
    assert sorted(path.name for path in (tmp_path / "full").iterdir()) == ["thesis.tex"]


@pytest.mark.parametrize("name", ["My Lab", "x_y", "ünder"])
def test_init_refuses_a_name_that_cannot_be_an_id(run, tmp_path: Path, name: str) -> None:
    refused = run("init", str(tmp_path / name), anywhere=True)
    assert refused.exit_code == 64
    assert "cannot be the id of a realm; expected 1 to 64 lowercase letters" in refused.stderr
    assert not (tmp_path / name).exists()
    assert run("init", str(tmp_path / name), "--id", "lab", anywhere=True).exit_code == 0


def test_init_is_not_led_astray_by_git_variables(run, tmp_path: Path, lab: Path, git, monkeypatch) -> None:
    before = git(lab, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(lab / ".git"))
    assert run("init", str(tmp_path / "my-lab"), anywhere=True).exit_code == 0
    monkeypatch.delenv("GIT_DIR")
    assert (tmp_path / "my-lab/.git").is_dir()
    assert git(lab, "rev-parse", "HEAD") == before


def test_a_new_hero_and_its_campaign_have_no_mistakes_and_can_be_planned(run, lab: Path, git) -> None:
    hero = run("new", "hero", "sprout")
    assert hero.stdout == f"{lab}/specs/heroes/sprout.yaml\n"
    campaign = run("new", "campaign", "sprout", "--name", "First: light #1")
    assert campaign.stdout == f"{lab}/specs/campaigns/sprout/campaign-001.yaml\n"
    assert "active: sprout/campaign-001, and a quest for it in specs/queue.yaml" in campaign.stderr
    comments = {
        line.index("#")
        for line in Path(campaign.stdout.strip()).read_text().splitlines()
        if ": " in line and " # " in line[1:] and line[0] not in "#"
    }
    assert comments == {39}
    assert 'name: "First: light #1"' in Path(campaign.stdout.strip()).read_text()
    assert run("validate").stdout == "9 specs, no mistakes\n"
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: sprout/campaign-001\n")
    assert "→ activate  sprout/campaign-001" in run("plan", "--worktree").stdout


@pytest.mark.parametrize("reserved", ["archive", "active"])
def test_a_new_hero_has_no_reserved_id(run, lab: Path, reserved: str) -> None:
    refused = run("new", "hero", reserved)
    assert refused.exit_code == 64
    assert f'no hero can be called "{reserved}": campaigns/{reserved} is the ' in refused.stderr
    assert not (lab / "specs" / "heroes" / f"{reserved}.yaml").exists()


def test_a_new_hero_is_never_written_over_one_that_is_there(run, lab: Path) -> None:
    before = (lab / "specs/heroes/pip.yaml").read_text()
    refused = run("new", "hero", "pip")
    assert (refused.exit_code, "is there already; nothing was written" in refused.stderr) == (3, True)
    assert (lab / "specs/heroes/pip.yaml").read_text() == before


@pytest.mark.parametrize("hostile", ["../x", "/etc/passwd", "x" * 300, "Pip", "pı̇p", "a b"])
def test_a_hostile_id_is_refused(run, hostile: str) -> None:
    refused = run("new", "hero", hostile)
    assert (refused.exit_code, "cannot be the id of a hero" in refused.stderr) == (64, True)


def test_a_number_that_was_ever_used_is_not_used_again(run, lab: Path, root: Path, store, rows) -> None:
    """The wrong turn: a new id was the count of live campaigns plus one."""
    store.write([rows.campaign(uid="x" * 16, name="pip/campaign-004")])
    (root / "campaigns/pip/campaign-006").mkdir(parents=True)
    (root / "campaigns/archive/pip/campaign-007-archived").mkdir(parents=True)
    assert run("new", "campaign", "pip").stdout.endswith("/pip/campaign-008.yaml\n")
    assert run("new", "campaign", "mu").stdout.endswith("/mu/campaign-002.yaml\n")


def test_a_campaign_of_an_unknown_hero_names_the_nearest(run) -> None:
    refused = run("new", "campaign", "pipp")
    assert refused.exit_code == 5
    assert 'there is no hero "pipp"; known: mu, pip; did you mean "pip"?' in refused.stderr


def test_validate_finds_every_mistake_in_the_work_tree_with_its_line(run, lab: Path) -> None:
    (lab / "specs/campaigns/pip/campaign-001.yaml").write_text("id: campaign-001\nskills_focus: [binn]\n")
    (lab / "specs/heroes/mu.yaml").write_text(
        (lab / "specs/heroes/mu.yaml").read_text().replace("2.0e-3", "2.0e+3")
    )
    result = run("validate")
    assert result.exit_code == 1
    assert result.stdout == (
        "specs/campaigns/pip/campaign-001.yaml:2:16\n"
        "    skills_focus: [binn]\n"
        '                   ^^^^  "binn" is not the id of a skill; known: bin; did you\n'
        '                         mean "bin"?\n'
        "specs/heroes/mu.yaml:5:18\n"
        "      learning_rate: 2.0e+3\n"
        "                     ^^^^^^  must be below 1 (got 2000.0)\n"
        "2 mistakes in 2 of 7 specs. Nothing was changed.\n"
    )


def test_validate_names_what_no_launch_can_honour_with_the_nearest_name_and_whom_it_stops(
    run, lab: Path
) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text("id: campaign-001\nconfig_overrides:\n  optimizer: adam\n  lr_scheduler: linear\n")
    found = run("validate")
    assert found.exit_code == 0
    assert found.stdout == (
        "specs/campaigns/pip/campaign-001.yaml:3\n"
        '  optimizer "adam" is not supported; known: adamw, muon; did you mean "adamw"?\n'
        "  pip/campaign-001 would not be launched\n"
        "specs/campaigns/pip/campaign-001.yaml:4\n"
        '  lr_scheduler "linear" needs schedule_updates: a campaign has no last update\n'
        "  towards which its rate could fall; pip/campaign-001 would not be launched\n"
        "7 specs, no mistakes; 2 lines to look at\n"
    )
    first, _ = json.loads(run("validate", "--json").stdout)["refusals"]
    assert (first["where"].rpartition(":")[2], first["campaigns"]) == ("3", ["pip/campaign-001"])


def test_validate_names_a_release_whose_campaign_has_a_rate_that_falls_by_itself(run, lab: Path) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text(
        "id: campaign-001\nreleases:\n  - {at: 2, updates: 2}\n"
        "config_overrides: {lr_scheduler: linear, schedule_updates: 500}\n"
    )
    assert run("validate").stdout == (
        "specs/campaigns/pip/campaign-001.yaml:3\n"
        "  the release at step 2 needs a rate that stays, and lr_scheduler is linear; set\n"
        "  lr_scheduler: wsd (specs/campaigns/pip/campaign-001.yaml:4), or remove the\n"
        "  release\n"
        "7 specs, no mistakes; 1 line to look at\n"
    )
    spec.write_text(spec.read_text().replace("linear, schedule_updates: 500", "wsd"))
    assert run("validate").stdout == "7 specs, no mistakes\n"


def test_validate_names_a_target_of_adapters_that_the_model_does_not_have(run, lab: Path) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    lines = "id: campaign-001\nconfig_overrides:\n  method: lora\n  lora:\n    target_modules: [q_prj, layers.0.self_attn.v_proj]\n"
    spec.write_text(lines)
    assert run("validate").stdout == (
        "specs/campaigns/pip/campaign-001.yaml:5\n"
        '  lora.target_modules "q_prj" is no linear layer of Qwen3ForCausalLM; known:\n'
        "  q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj; did you mean\n"
        '  "q_proj"? pip/campaign-001 would not be launched\n'
        "7 specs, no mistakes; 1 line to look at\n"
    )
    spec.write_text(lines.replace("q_prj", "q_proj"))
    assert run("validate").stdout == "7 specs, no mistakes\n"


def test_validate_names_what_has_no_effect_with_its_line(run, lab: Path) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text("id: campaign-001\nconfig_overrides:\n  method: full\n  lora: {rank: 8}\n")
    found = run("validate")
    assert (found.exit_code, found.stdout) == (
        0,
        "specs/campaigns/pip/campaign-001.yaml:4\n"
        "  lora has no effect: method is full; adapters go with method: lora or qlora\n"
        "7 specs, no mistakes; 1 line to look at\n",
    )


def test_validate_names_a_start_of_a_campaign_that_has_no_spec_with_the_nearest(run, lab: Path) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text("id: campaign-001\nstarting_checkpoint: muu/campaign-001@4\n")
    assert run("validate").stdout == (
        "specs/campaigns/pip/campaign-001.yaml:2\n"
        '  it is to begin with "muu/campaign-001@4", and no spec is of muu/campaign-001;\n'
        '  did you mean "mu/campaign-001"?\n'
        "7 specs, no mistakes; 1 line to look at\n"
    )


def test_validate_names_no_start_by_the_name_that_a_spec_says_its_campaign_was(run, lab: Path) -> None:
    (lab / "specs/campaigns/mu/campaign-001.yaml").write_text("id: campaign-001\nwas: mu/first\n")
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text("id: campaign-001\nstarting_checkpoint: mu/first@4\n")
    assert "no spec is of" not in run("validate").stdout
    spec.write_text("id: campaign-001\nstarting_checkpoint: mu/second@4\n")
    assert "no spec is of mu/second" in run("validate").stdout


def test_validate_never_suggests_a_campaign_as_its_own_start(run, lab: Path) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text("id: campaign-001\nstarting_checkpoint: pip/campaign-0001@4\n")
    told = " ".join(run("validate").stdout.split())
    assert "and no spec is of pip/campaign-0001" in told
    assert 'did you mean "pip/campaign-001"' not in told


def test_validate_says_nothing_of_launches_of_what_is_archived(run, lab: Path) -> None:
    (lab / "specs/realm.yaml").write_text("id: lab\n")
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text("id: campaign-001\nstate: archived\nconfig_overrides: {optimizer: sgd}\n")
    assert run("validate").stdout == "7 specs, no mistakes\n"


def test_validate_can_look_at_a_commit_instead(run, lab: Path) -> None:
    (lab / "specs/realm.yaml").write_text("id: [\n")
    assert run("validate").exit_code == 1
    assert run("validate", "--ref", "main").stdout == "7 specs, no mistakes\n"


def test_validate_works_before_the_first_commit(run, lab: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    subprocess.run(["git", "init", "-q", str(fresh)], check=True)
    (lab / "specs").rename(fresh / "specs")
    assert run("validate", "--repo", str(fresh)).stdout == "7 specs, no mistakes\n"


def test_validate_as_json_gives_places_and_known_names(run, lab: Path) -> None:
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: pip/campaign-002\n")
    found = json.loads(run("validate", "--json").stdout)
    assert found["mistakes"][0]["line"] == 2
    assert found["mistakes"][0]["known"] == ["mu/campaign-001", "pip/campaign-001"]
