"""`diff`: heroes, campaigns and checkpoints side by side."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from reconciler.app.comparing.diff import Comparison, Setting
from reconciler.cli.text_diff import diff_text
from state.canonical import sha256_of
from state.contract.manifest import Origin, QuestCursor
from state.contract.metrics import MetricsRecord
from state.ids import RunKey, campaign_uid
from state.store.rows import QuestDataRow

PIP = campaign_uid("0123456789abcdef", "pip/campaign-001")


def metrics(store, attempt: int, losses: dict[int, float]) -> None:
    """Write what a run of pip/campaign-001 measured."""
    file = store.layout.campaign("pip/campaign-001").run(RunKey("", 1, attempt)).metrics
    file.parent.mkdir(parents=True)
    lines = [MetricsRecord(kind="update", at="", step=step, loss=loss) for step, loss in losses.items()]
    file.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def test_campaigns_are_compared_by_settings_with_the_line_of_each(run) -> None:
    found = json.loads(run("diff", "pip/campaign-001", "mu/campaign-001", "--json").stdout)
    assert (found["kind"], found["a"], found["b"]) == ("campaign", "pip/campaign-001", "mu/campaign-001")
    assert found["config"] == [
        {
            "key": "learning_rate",
            "a": 0.0015,
            "a_origin": "specs/campaigns/pip/campaign-001.yaml:6",
            "b": 0.002,
            "b_origin": "specs/heroes/mu.yaml:5",
        }
    ]
    assert found["num_equal"] > 10


def test_the_table_has_the_names_as_they_are(run) -> None:
    lines = run("diff", "pip/campaign-001", "mu/campaign-001", "--wide").stdout.splitlines()
    assert lines[0].split() == ["CONFIG", "pip/campaign-001", "FROM", "mu/campaign-001", "FROM"]
    assert lines[1].split() == [
        "learning_rate",
        "0.0015",
        "specs/campaigns/pip/campaign-001.yaml:6",
        "0.002",
        "specs/heroes/mu.yaml:5",
    ]


def test_heroes_are_compared_by_their_specs_and_what_they_trained(run, store, rows, lab: Path, git) -> None:
    (lab / "specs/heroes/mu.yaml").write_text(
        (lab / "specs/heroes/mu.yaml").read_text().replace("16}", "24}")
    )
    git(lab, "commit", "-qam", "wider")
    store.write([rows.job()])
    found = json.loads(run("diff", "pip", "hero/mu", "--json").stdout)
    assert [(one["key"], one["a"], one["b"]) for one in found["config"]] == [
        ("model.config.hidden_size", 16, 24)
    ]
    assert found["data"] == [{"name": "q1", "a": "by campaign-001", "b": None}]


def test_the_same_thing_twice_does_not_differ(run) -> None:
    assert run("diff", "pip", "pip").stdout.startswith("The config does not differ: ")


def test_checkpoints_are_compared_by_the_config_of_the_run_that_saved_them(run, store, rows) -> None:
    store.write([
        rows.run(config_json='{"training": {"learning_rate": 0.1, "seed": 0}}'),
        rows.run(attempt=2, config_json='{"training": {"learning_rate": 0.2, "seed": 0}}'),
        rows.ledger(step=1, sequence=1, train_loss=2.0),
        rows.ledger(step=2, sequence=2, attempt=2, train_loss=1.0),
    ])  # fmt: skip
    name = "checkpoint/pip/campaign-001@"
    found = json.loads(run("diff", f"{name}1", f"{name}2", "--json").stdout)
    assert found["config"] == [
        {
            "key": "training.learning_rate",
            "a": 0.1,
            "a_origin": "run g1-a1",
            "b": 0.2,
            "b_origin": "run g1-a2",
        }
    ]
    losses = {pair["name"]: (pair["a"], pair["b"]) for pair in found["metrics"]}
    assert (losses["train_loss"], losses["step"]) == ((2.0, 1.0), (1, 2))


def test_a_config_that_is_not_recorded_is_not_told_as_different_and_one_hash_proves_that_it_is_the_same(
    run, store, rows
) -> None:
    store.write([
        rows.run(config_json='{"training": {"learning_rate": 0.1, "seed": 0}}'),
        rows.job(status="completed", final_step=1),
        rows.ledger(step=1, sequence=1),
        rows.ledger(step=2, sequence=2, attempt=0),
        rows.ledger(step=3, sequence=3, attempt=0, config_hash="unknown"),
    ])  # fmt: skip
    name = "pip/campaign-001@"
    found = json.loads(run("diff", f"{name}1", f"{name}2", "--json").stdout)
    assert (found["config"], found["num_equal"]) == ([], 0)
    assert (found["not_recorded"], found["is_equal_by_hash"]) == ([f"{name}2"], True)
    told = " ".join(run("diff", f"{name}1", f"{name}2").stdout.split())
    assert f"The config of {name}2 is not recorded here; the config hash is the same" in told

    found = json.loads(run("diff", f"{name}3", f"{name}1", "--json").stdout)
    assert (found["not_recorded"], found["is_equal_by_hash"]) == ([f"{name}3"], False)


def test_what_was_learnt_elsewhere_is_told_as_not_known(run, store, rows) -> None:
    mu = rows.campaign(name="mu/campaign-001", uid="b" * 16)
    store.write([
        mu,
        rows.job(status="completed", final_step=1),
        rows.ledger(step=1, sequence=1),
        rows.ledger(campaign_uid=mu.uid, step=2, sequence=2, attempt=0),
    ])  # fmt: skip
    found = json.loads(run("diff", "pip/campaign-001@1", "mu/campaign-001@2", "--json").stdout)
    assert found["data"] == [{"name": "q1", "a": "1 epoch, data 11111111", "b": "not known"}]


def test_the_same_epochs_of_other_data_are_told_apart_by_rows_and_digest(run, store, rows) -> None:
    mu = rows.campaign(name="mu/campaign-001", uid="b" * 16)
    other = {"campaign_uid": mu.uid, "hero_id": "mu", "digest": "sha256:" + "2" * 64}
    made = QuestDataRow(
        source_key="key", digest="sha256:" + "1" * 64, num_rows=6400, size_bytes=1, origin="o", created_at=""
    )
    store.write([
        mu,
        made,
        rows.job(epochs=2), rows.ledger(),
        rows.job(uid="job2", id="job2", epochs=2, **other), rows.ledger(campaign_uid=mu.uid, sequence=2),
    ])  # fmt: skip
    found = json.loads(run("diff", "pip/campaign-001", "mu/campaign-001", "--json").stdout)
    assert found["data"] == [
        {
            "name": "q1",
            "a": "2 epochs, data 11111111 (6,400 rows with those held out)",
            "b": "2 epochs, data 22222222",
        }
    ]


def test_the_config_of_a_checkpoint_that_was_taken_over_is_not_told_as_the_campaigns(
    run, store, rows
) -> None:
    mu = rows.campaign(name="mu/campaign-001", uid="b" * 16)
    store.write([mu, rows.ledger(), rows.ledger(campaign_uid=mu.uid, step=2, sequence=2, attempt=0)])
    found = json.loads(run("diff", "pip/campaign-001", "mu/campaign-001", "--json").stdout)
    measured = {pair["name"]: (pair["a"], pair["b"]) for pair in found["metrics"]}
    assert measured["config_hash"] == (sha256_of("config"), None)
    assert measured["step"] == (125, 2)


def test_a_setting_that_is_nothing_is_shown_as_everywhere_and_a_title_is_named_once() -> None:
    one = Setting(key="schedule_updates", a=395, a_origin="specs/a.yaml:1", b=None, b_origin="built in")
    found = Comparison(kind="campaign", a="pip/c", b="mu/c", config=(one,), num_equal=3, data=(), metrics=())
    assert diff_text(found, None).splitlines()[1].split() == [
        *("schedule_updates", "395", "specs/a.yaml:1", "–", "built", "in")
    ]
    assert "no room for from: see --wide or --json" in " ".join(diff_text(found, 36).split())


def test_the_curves_go_into_a_file_and_what_a_later_run_did_again_counts_once(
    run, store, rows, tmp_path: Path
) -> None:
    store.write([rows.run(), rows.run(attempt=2, resume_step=1)])
    metrics(store, 1, {1: 4.0, 2: 3.9, 3: 99.0})
    metrics(store, 2, {2: 3.0})
    drawn = tmp_path / "loss.svg"
    result = run("diff", "pip", "mu", "--svg", str(drawn))
    assert (result.exit_code, f"The curves are in {drawn}." in result.stderr) == (0, True)
    (line,) = ET.parse(drawn).iter("{http://www.w3.org/2000/svg}polyline")  # noqa: S314  # our own drawing
    assert len(line.attrib["points"].split()) == 2


@pytest.mark.parametrize(
    ("a", "b", "code", "said"),
    [
        ("pip", "mu/campaign-001", 64, "pip is a hero, mu/campaign-001 a campaign; expected two of one kind"),
        ("pipp", "mu", 5, 'there is no hero "pipp"; known: mu, pip; did you mean "pip"?'),
        ("pip/campaign-002", "mu/campaign-001", 5, 'there is no campaign "pip/campaign-002"'),
        (
            "pip/campaign-001@7",
            "pip",
            5,
            'there is no checkpoint "pip/campaign-001@7"; known: pip/campaign-001@125',
        ),
        ("pip/campaign-001@latest", "pip", 5, "campaign pip/campaign-001 has no complete checkpoint yet"),
        ("pip/campaign-001@best", "pip", 5, "has no complete checkpoint with a held-out loss yet"),
        ("pip/campaign-0O1", "pip", 5, 'did you mean "pip/campaign-001"?'),
        ("a b", "pip", 64, '"a b" names nothing that can be compared; expected <hero>'),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(
    run, store, rows, a: str, b: str, code: int, said: str
) -> None:
    store.write([rows.ledger()])
    result = run("diff", a, b)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr


def test_without_a_measurement_no_file_is_drawn(run, tmp_path: Path) -> None:
    result = run("diff", "pip", "mu", "--svg", str(tmp_path / "loss.svg"))
    assert (result.exit_code, "there is no curve to draw" in result.stderr) == (5, True)
    assert not (tmp_path / "loss.svg").exists()
    run("diff", "pip", "mu", "--svg", str(tmp_path / "nowhere/loss.svg"))


def test_a_file_that_cannot_be_written_is_named(run, store, rows, tmp_path: Path) -> None:
    store.write([rows.run()])
    metrics(store, 1, {1: 4.0})
    result = run("diff", "pip", "mu", "--svg", str(tmp_path / "nowhere/loss.svg"))
    assert (result.exit_code, "nowhere/loss.svg: No such file or directory" in result.stderr) == (1, True)


def test_a_campaign_tells_what_it_was_trained_with_before(run, store, rows) -> None:
    store.write([
        rows.run(config_json='{"training": {"learning_rate": 0.1, "seed": 0}}', final_step=125),
        rows.run(generation=2, resume_step=125, config_json='{"training": {"learning_rate": 0.2, "seed": 0}}'),
    ])  # fmt: skip
    found = json.loads(run("diff", "pip/campaign-001", "mu/campaign-001", "--json").stdout)
    assert found["a_earlier"] == [
        {"generation": 1, "from_step": 0, "to_step": 125, "settings": {"learning_rate": 0.1}}
    ]
    assert found["b_earlier"] == []
    shown = run("diff", "pip/campaign-001", "mu/campaign-001").stdout
    assert "Before, pip/campaign-001 g1, steps 0 to 125: learning_rate 0.1\n" in shown


def test_what_was_measured_of_a_campaign_stays_when_its_checkpoints_were_let_go(run, store, rows) -> None:
    store.write([rows.run(), rows.job(), rows.ledger(val_loss=0.3)])  # in the ledger, and not on the disk
    found = json.loads(run("diff", "pip/campaign-001", "mu/campaign-001", "--json").stdout)
    measured = {pair["name"]: pair["a"] for pair in found["metrics"]}
    assert (measured["step"], measured["train_loss"], measured["checkpoints"]) == (125, 0.41, 0)
    assert (measured["best_val_loss"], measured["best_checkpoint"]) == (0.3, "pip/campaign-001@125")
    assert found["data"] == [{"name": "q1", "a": "1 epoch, data 11111111", "b": None}]


def test_a_campaign_without_a_spec_is_compared_with_the_last_launch_of_the_other(
    run, store, rows, lab: Path, git
) -> None:
    """A run's settings have other keys than the specs: all of them would differ."""
    mu = rows.campaign(name="mu/campaign-001", uid="b" * 16)
    store.write([
        mu,
        rows.run(config_json='{"training": {"learning_rate": 0.1, "seed": 0}}'),
        rows.run(campaign_uid=mu.uid, config_json='{"training": {"learning_rate": 0.2, "seed": 0}}'),
    ])  # fmt: skip
    git(lab, "rm", "-q", "specs/campaigns/mu/campaign-001.yaml")
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "mu rests")
    found = json.loads(run("diff", "mu/campaign-001", "pip/campaign-001", "--json").stdout)
    assert [(one["key"], one["a"], one["b"], one["b_origin"]) for one in found["config"]] == [
        ("training.learning_rate", 0.2, 0.1, "run g1-a1")
    ]
    assert found["num_equal"] == 1


def _save(store, manifest) -> None:
    """Let a checkpoint lie in its campaign's folder."""
    folder = store.layout.campaign(manifest.campaign).checkpoints / f"checkpoint-{manifest.step}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def test_what_the_campaign_learnt_that_another_began_with_is_learnt_there_too(
    run, store, rows, manifest
) -> None:
    mu = rows.campaign(name="mu/campaign-001", uid="b" * 16)
    cursor = QuestCursor(
        quest_id="q1", digest="sha256:" + "1" * 64, epochs_done=1, rows_taken=0, complete=True, first_step=1, last_step=10,
        last_loss=None,
    )  # fmt: skip
    first = manifest(PIP, 10, cursor=(cursor,))
    of_mu = {"campaign": mu.name, "parent_step": 10, "parent_digest": first.digest}
    origin = Origin(campaign_uid=PIP, campaign="pip/campaign-001", segment=1, step=10, digest=first.digest)
    taken = manifest(mu.uid, 10, origin=origin, generation=0, attempt=0, **of_mu)
    own = msgspec.structs.replace(cursor, quest_id="q2", digest="sha256:" + "2" * 64)
    after = manifest(mu.uid, 20, cursor=(own,), **(of_mu | {"parent_digest": taken.digest}))
    for one in (first, taken, after):
        _save(store, one)
    store.write([
        mu,
        rows.ledger(step=10, digest=first.digest),
        rows.ledger(campaign_uid=mu.uid, step=10, sequence=2, digest=taken.digest, attempt=0, generation=0),
        rows.ledger(campaign_uid=mu.uid, step=20, sequence=3, digest=after.digest),
    ])  # fmt: skip
    q1, q2 = "1 epoch, data 11111111", "1 epoch, data 22222222"
    for step, more in ((10, []), (20, [{"name": "q2", "a": None, "b": q2}])):
        found = json.loads(run("diff", "pip/campaign-001@10", f"mu/campaign-001@{step}", "--json").stdout)
        assert found["data"] == [{"name": "q1", "a": q1, "b": q1}, *more]


def test_a_quest_in_several_parts_is_told_of_a_hero_once(run, store, rows) -> None:
    store.write([rows.job(), rows.job(uid="job2", id="job2", part=2)])
    found = json.loads(run("diff", "pip", "hero/mu", "--json").stdout)
    assert found["data"] == [{"name": "q1", "a": "by campaign-001", "b": None}]
