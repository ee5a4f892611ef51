"""--set and --host as a person uses them: the last layers of the config, seen in plan and explain."""

import json
from pathlib import Path

import pytest

from reconciler.cli.commands.apply import _command

PIP = "pip/campaign-001"


@pytest.fixture
def lab_with_hosts(lab: Path, git) -> Path:
    text = "hosts:\n  box:\n    training: {batch_size: 2}\n  4090: {training: {max_length: 9999}}\n"
    (lab / "specs/hosts.yaml").write_text(text)
    git(lab, "add", ".")
    git(lab, "commit", "-q", "-m", "hosts")
    return lab


def origin_of(result, key: str) -> dict:
    assert result.exit_code == 0, result.output
    return next(one for one in json.loads(result.stdout)["settings"] if one["key"] == key)


def test_explain_says_that_a_value_came_from_the_command_line(run) -> None:
    said = run("explain", PIP, "--origin", "--set", "learning_rate=1e-4", "--wide").stdout
    line = next(line for line in said.splitlines() if line.startswith("learning_rate"))
    assert line.split(maxsplit=2)[1:] == [
        "0.0001",
        "--set learning_rate=1e-4  (campaign says 0.0015, hero says 0.002)",
    ]


def test_a_setting_is_remembered_nowhere(run) -> None:
    run("plan", "--set", "learning_rate=1e-4")
    assert origin_of(run("explain", PIP, "--origin", "--json"), "learning_rate")["layer"] == "campaign"


def test_the_host_is_chosen_by_flag_then_by_variable(run, lab_with_hosts: Path, monkeypatch) -> None:
    found = origin_of(run("explain", PIP, "--origin", "--json", "--host", "box"), "batch_size")
    assert (found["value"], found["origin"]) == (2, "specs/hosts.yaml:3")
    monkeypatch.setenv("REALM_HOST", "box")
    assert origin_of(run("explain", PIP, "--origin", "--json"), "batch_size")["layer"] == "host"
    found = origin_of(run("explain", PIP, "--origin", "--json", "--host", "4090"), "batch_size")
    assert found["layer"] == "built in"


def test_an_unknown_host_is_refused_with_those_that_there_are(run, lab_with_hosts: Path) -> None:
    result = run("plan", "--host", "bocks")
    assert result.exit_code == 5
    assert 'there is no host "bocks"; known: 4090, box' in result.stderr


def test_a_host_where_no_file_lists_any_is_refused(run) -> None:
    result = run("plan", "--host", "box")
    assert result.exit_code == 5
    assert 'there is no host "box"; there is none yet' in result.stderr


def test_every_wrong_setting_is_named_at_once(run) -> None:
    result = run("apply", "--once", "--set", "vocab_size=3", "--set", "lerning_rate=1")
    assert result.exit_code == 64
    assert '--set vocab_size=3: "vocab_size" is locked: it comes from the hero' in result.stderr
    assert '--set lerning_rate=1: misspelt key "lerning_rate"; did you mean "learning_rate"?' in result.stderr


@pytest.mark.parametrize(
    ("arguments", "value", "cause"),
    [
        (("--set", "max_length=300"), 300, "--set max_length=300"),
        (("--host", "4090"), 9999, "specs/hosts.yaml:4"),
    ],
)
def test_no_layer_grows_the_longest_document(
    run, lab_with_hosts: Path, arguments, value: int, cause: str
) -> None:
    blocked = json.loads(run("plan", "--json", *arguments).stdout)["blocked"]
    (found,) = (one for one in blocked if one["code"] == "locked")
    assert found["message"] == (
        f"max_length is {value}; it may shrink and never grow: the hero has 256 (specs/heroes/pip.yaml:6)"
    )
    assert (found["subject"], found["cause"]) == (f"campaign/{PIP}", cause)


def test_whoever_asks_who_applies_reads_its_settings() -> None:
    words = _command("box", ("--set", "clip=1", "--set", "seed=2"), "once")
    assert words == "reconcile apply --host box --set clip=1 --set seed=2 --once"


def test_history_tells_the_config_that_a_run_took_up_beside_that_of_its_launch(run, store, rows) -> None:
    told = {"told_generation": 2, "told_config_hash": f"sha256:{'a1b2c3d4' * 8}", "told_config_json": "{}"}
    store.write([rows.run(**told)])
    (launch,) = json.loads(run("history", "--json").stdout)["launches"]
    assert launch["told_config_hash"] == told["told_config_hash"]
    assert f"{launch['config_hash'][7:15]} → a1b2c3d4" in run("history").stdout


def test_a_model_is_looked_up_in_the_folder_of_this_machine_first(
    run, lab: Path, git, tmp_path: Path
) -> None:
    hero = (lab / "specs/heroes/mu.yaml").read_text()
    hero = hero.replace("init: scratch, tokenizer: bytes,", "hf_name: small/model,")
    hero = hero.replace(", config: {hidden_size: 16}", "")
    (lab / "specs/heroes/mu.yaml").write_text(hero)
    (lab / "specs/hosts.yaml").write_text("hosts: {box: {models_dir: ~/models}}\n")
    git(lab, "add", ".")
    git(lab, "commit", "-q", "-m", "a model of this machine")
    (tmp_path / "home/models/small/model").mkdir(parents=True)
    missing = [
        next(one["message"] for one in json.loads(run("plan", "--json", *host).stdout)["blocked"]
             if one["subject"] == "hero/mu")
        for host in ((), ("--host", "box"))
    ]  # fmt: skip
    assert "home/models/small/model" not in missing[0]
    assert "home/models/small/model" in missing[1]
