"""`reconcile prove`: what a checkpoint has learnt, against a log of every row that the trainers took.

Trainers are instant ones: real orders, cursors and manifests, without weights. The log is written while they
take rows; nothing of the proof is used to make it.
"""

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import instant
import msgspec
import pytest
from click.testing import CliRunner, Result
from lab import realm, rows, tiny_hero
from worlds import World

from reconciler.cli.group import reconcile
from state.contract import quest_rows
from state.contract.files import read
from state.contract.manifest import MANIFEST_NAME, LearntRange, Manifest, with_digest
from state.contract.orders import RowShape
from state.contract.request import RunRequest
from state.contract.row_order import training_rows
from state.store.connection import open_writer

ONE, TWO = "one/campaign-001", "two/campaign-001"
SUMS: dict[str, Any] = {"id": "sums", "file": "data/sums.jsonl", "for": [ONE]}
RowLog = list[tuple[str, int]]
"""Content and row (from 0) in the order in which they were learnt."""


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> RowLog:
    """What the trainers really took, row by row."""
    taken: RowLog = []
    real = instant.next_update

    def logging(**asked: Any) -> Any:
        found = real(**asked)
        assert found is not None
        taken.extend((asked["quest_digest"], row) for row in found.rows)
        return found

    monkeypatch.setattr(instant, "next_update", logging)
    return taken


class Realm:
    """A world, the command, and what its specs say."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.specs = {"realm": realm(ONE), "queue": {"quests": [SUMS]}}
        self.specs["realm"]["defaults"]["evaluation"]["held_out"] = 0
        self.specs["realm"]["defaults"]["checkpoint"]["every_updates"] = 7
        for hero in ("one", "two"):
            self.specs[f"heroes/{hero}"] = tiny_hero(hero)
            self.specs[f"campaigns/{hero}/campaign-001"] = {"id": "campaign-001"}

    def data(self, text: str, name: str = "sums") -> None:
        self.world.lab.write(f"data/{name}.jsonl", text)

    def apply(self, **changes: Any) -> None:
        """Commit what the specs say now, and apply until nothing is left."""
        self.specs |= changes
        self.world.commit(self.specs)
        self.world.apply()

    def prove(self, checkpoint: str, *more: str) -> Result:
        return self.run("prove", checkpoint, *more, "--wide")

    def run(self, *arguments: str) -> Result:
        """Call the command for this realm."""
        lab = self.world.lab
        given = ["--repo", str(lab.repository), "--root", str(lab.layout.root), *arguments]
        return CliRunner().invoke(reconcile, given, env={"HOME": str(lab.home)})

    def proof(self, checkpoint: str, *more: str) -> dict[str, Any]:
        done = self.prove(checkpoint, "--json", *more)
        assert done.exit_code in (0, 1), done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def lab(tmp_path: Path) -> Realm:
    return Realm(tmp_path)


@pytest.fixture(scope="module")
def one_lab(tmp_path_factory: pytest.TempPathFactory) -> Realm:
    """A realm that has learnt eight rows, for tests that only look."""
    lab = Realm(tmp_path_factory.mktemp("one"))
    lab.data(rows(range(8)))
    lab.apply()
    return lab


def times_of(quest: dict[str, Any]) -> dict[int, int]:
    """Return row (from 0) → how often it was learnt, as a proof says."""
    return {
        row - 1: one["times"]
        for one in quest["times"]
        for first, last in one["rows"]
        for row in range(first, last + 1)
    }


def numbers(spans: list[list[int]]) -> list[int]:
    return [row for first, last in spans for row in range(first, last + 1)]


def test_a_file_that_grew_from_200_to_220_rows_is_learnt_with_none_repeated_and_none_skipped(
    lab: Realm, log: RowLog
) -> None:
    """Kills: a grown file resumed with 53 rows repeated and 53 never seen."""
    lab.data(rows(range(200)))
    lab.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001", "goal": {"updates": 61}}})
    begun = lab.proof(f"{ONE}@61")
    assert begun["is_proven"], begun["problems"]
    assert times_of(begun["quests"][0]) == Counter(row for _, row in log)

    lab.data(rows(range(220)))
    lab.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001"}})
    found = lab.proof(f"{ONE}@latest")

    assert found["is_proven"], found["problems"]
    assert [(q["quest"], q["part"], q["num_rows"]) for q in found["quests"]] == [
        ("sums", 1, 200),
        ("sums", 2, 20),
    ]
    for quest in found["quests"]:
        assert (quest["num_repeated"], quest["num_skipped"]) == (0, 0)
        assert times_of(quest) == Counter(row for content, row in log if content == quest["content"])
    (file,) = found["files"]
    assert file["times"] == [{"times": 1, "num_rows": 220, "rows": [[1, 220]]}]
    said = lab.prove(ONE)
    assert said.exit_code == 0
    assert "none repeated, none skipped." in said.stdout
    assert "220 rows once" in said.stdout


def test_each_row_says_the_very_updates_that_learnt_it(lab: Realm, log: RowLog) -> None:
    lab.data(rows(range(11)))
    lab.data(rows(range(50, 59)), "more")
    more = {"id": "more", "file": "data/more.jsonl", "priority": "low", "for": [ONE]}
    lab.apply(queue={"quests": [{**SUMS, "epochs": 3}, more]})

    updates: dict[tuple[str, int], list[int]] = {}
    step, left = 0, 0
    for index, taken in enumerate(log):
        is_other = index > 0 and log[index - 1][0] != taken[0]
        if left == 0 or is_other:  # an update has two rows; the last one of a quest may have one
            step, left = step + 1, 2
        left -= 1
        updates.setdefault(taken, []).append(step)
    quests = {quest["content"]: quest for quest in lab.proof(ONE)["quests"]}
    for (content, row), steps in updates.items():
        name = quests[content]["quest"]
        found = lab.proof(ONE, "--row", f"{name}:{row + 1}")
        assert [one["step"] for one in found["occasions"]] == steps
        assert [one["epoch"] for one in found["occasions"]] == list(range(1, len(steps) + 1))
        for one in found["occasions"]:
            saved = int(one["checkpoint"].partition("@")[2])
            assert one["after_step"] < one["step"] <= saved
    said = lab.prove(ONE, "--row", "sums:1").stdout
    assert "sums:1 was learnt 3 times." in said
    assert "EPOCH" in said


def tampered(lab: Realm, step: int, change: Callable[[LearntRange], LearntRange]) -> None:
    """Write the manifest of a checkpoint anew, with another first range, as a wrong trainer would have."""
    folder = lab.world.lab.layout.campaign(ONE).checkpoint(step)
    manifest = read(folder / MANIFEST_NAME, Manifest)
    first, *others = manifest.learnt
    changed = with_digest(msgspec.structs.replace(manifest, learnt=(change(first), *others)))
    folder.chmod(0o700)
    (folder / MANIFEST_NAME).chmod(0o600)
    (folder / MANIFEST_NAME).write_bytes(msgspec.json.encode(changed))


@pytest.mark.parametrize(
    ("shift", "said"), [(-3, "3 rows repeated, 0 skipped"), (3, "0 rows repeated, 3 skipped")], ids=str
)
def test_a_resume_that_repeats_or_skips_rows_is_not_proven(lab: Realm, shift: int, said: str) -> None:
    """Negative control: a trainer that goes on from the wrong row of the epoch."""
    lab.data(rows(range(40)))
    lab.apply()
    tampered(lab, 20, lambda one: msgspec.structs.replace(one, start=one.start + shift))

    found = lab.proof(f"{ONE}@20")

    assert not found["is_proven"]
    assert found["problems"][0] == f"quest sums of {ONE}: {said}"
    assert "20 says that 40 rows were taken of it, its ancestors have learnt" in found["problems"][1]
    done = lab.prove(f"{ONE}@20")
    assert done.exit_code == 1
    assert f"Not proven: quest sums of {ONE}: {said}." in done.stdout


def test_what_a_starting_checkpoint_had_learnt_counts(lab: Realm) -> None:
    lab.data(rows(range(30)))
    lab.data(rows(range(20, 40)), "more")
    more = {"id": "more", "file": "data/more.jsonl", "for": [TWO]}
    lab.apply(queue={"quests": [{**SUMS, "epochs": 2}, more]})
    start = {"id": "campaign-001", "starting_checkpoint": f"{ONE}@latest"}
    lab.apply(**{"campaigns/two/campaign-001": start, "realm": {**lab.specs["realm"], "active": TWO}})

    found = lab.proof(TWO)

    assert found["is_proven"], found["problems"]
    learnt = [(q["campaign"], q["quest"], times_of(q)) for q in found["quests"]]
    assert learnt == [(ONE, "sums", dict.fromkeys(range(30), 2)), (TWO, "more", dict.fromkeys(range(20), 1))]
    files = {one["quest"]: one["times"] for one in found["files"]}
    assert files["more"] == [
        {"times": 3, "num_rows": 10, "rows": [[1, 10]]},
        {"times": 1, "num_rows": 10, "rows": [[11, 20]]},
    ]
    (taken_over,) = [one for one in found["ancestors"] if one["run"] is None]
    assert taken_over["checkpoint"] == f"{TWO}@30"
    runs = {one["campaign"] for one in lab.proof(TWO, "--row", "more:5")["occasions"]}
    assert runs == {ONE, TWO}


def pruned(lab: Realm) -> None:
    """Let retention drop all that it may, and the trash be emptied."""
    lab.apply(retention={"campaigns": {"active": {"keep_checkpoints": 1}}, "minimum_age": "1s"})
    for _ in range(4):
        lab.world.pass_time(hours=2)
        lab.world.apply()
    assert {stone.state for stone in lab.world.lab.store().trash} == {"purged"}


def test_deleted_ancestors_still_prove(lab: Realm, log: RowLog) -> None:
    lab.data(rows(range(60)))
    lab.apply()
    before = lab.proof(ONE)
    pruned(lab)
    there = lab.world.lab.manifests(ONE)
    assert sorted(there) == [28, 30]  # the best one stays

    found = lab.proof(ONE)

    assert found["is_proven"], found["problems"]
    assert found["quests"] == before["quests"]
    assert times_of(found["quests"][0]) == Counter(row for _, row in log)
    kept = {one["checkpoint"]: one["kept"] for one in found["ancestors"]}
    assert kept == {f"{ONE}@{step}": "folder" if step in there else "store" for step in (30, 28, 21, 14, 7)}
    assert "5 checkpoints, 3 of them dropped since" in lab.prove(ONE).stdout
    gone = lab.proof(f"{ONE}@14")
    assert gone["is_proven"], gone["problems"]
    assert len(times_of(gone["quests"][0])) == 28


def test_an_ancestor_of_which_nothing_is_known_breaks_the_chain_by_name(lab: Realm) -> None:
    lab.data(rows(range(60)))
    lab.apply()
    pruned(lab)
    in_the_store(lab, "DELETE FROM manifests")

    found = lab.proof(ONE)

    assert not found["is_proven"]
    assert f"{ONE}@28 goes on from {ONE}@21 (blake3:" in found["problems"][0]
    assert "of which there is no record here" in found["problems"][0]
    assert sum(one["num_rows"] for one in found["ancestors"]) == 2 * 9
    done = lab.prove(f"{ONE}@14")
    assert done.exit_code == 5
    assert f"nothing is known of what {ONE}@14 had learnt: it is purged" in done.stderr


def test_todays_file_says_which_rows_are_new_edited_or_gone(lab: Realm) -> None:
    lab.data(rows(range(12)))
    lab.apply(queue={"quests": [{**SUMS, "on_edit": "ignore"}]})
    lines = rows(range(12)).splitlines(keepends=True)
    lines[2] = rows([102])
    del lines[11]
    lab.data("".join(lines) + rows([0, 200]) + "not a row\n")
    found = lab.proof(ONE)
    assert found["files"][0]["problem"] is not None  # a file with a broken row is no quest's
    lab.data("".join(lines) + rows([0, 200]))

    (file,) = lab.proof(ONE)["files"]

    assert file["problem"] is None
    assert [(one["times"], numbers(one["rows"])) for one in file["times"]] == [(1, [1, 2, *range(4, 12), 12])]
    assert (file["edited"], file["new"], file["num_removed"]) == ([[3, 3]], [[13, 13]], 1)
    edited = lab.proof(ONE, "--row", "data/sums.jsonl:3")
    assert (edited["state"], edited["occasions"], edited["num_before_edit"]) == ("edited", [], 1)
    new = lab.proof(ONE, "--row", "sums:13")
    assert (new["state"], new["occasions"]) == ("new", [])
    assert "the row that stood there before was learnt once" in lab.prove(ONE, "--row", "sums:3").stdout
    assert "1 edited (row 3)" in lab.prove(ONE).stdout


def test_a_row_of_any_file_is_known_by_its_content(one_lab: Realm, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mine.jsonl"
    elsewhere.write_text(rows([77, 5]))
    assert one_lab.proof(ONE, "--row", f"{elsewhere}:1")["state"] == "new"
    found = one_lab.proof(ONE, "--row", f"{elsewhere}:2")
    assert (found["state"], [one["row"] for one in found["occasions"]]) == ("learnt", [6])


def test_a_snapshot_that_is_gone_or_damaged_proves_nothing(lab: Realm) -> None:
    lab.data(rows(range(8)))
    lab.apply()
    (snapshot,) = lab.world.lab.layout.data.glob("*.jsonl")
    snapshot.chmod(0o600)
    snapshot.write_text(rows(range(1, 9)))
    (problem,) = lab.proof(ONE)["problems"]
    assert f"{snapshot} is damaged: its content has sha256:" in problem
    snapshot.unlink()
    found = lab.proof(ONE)
    assert "there is no such file" in found["problems"][0]
    assert found["quests"][0]["times"] == []


def test_a_checkpoint_whose_weights_were_changed_is_not_proven(lab: Realm) -> None:
    lab.data(rows(range(8)))
    lab.apply()
    weights = lab.world.lab.layout.campaign(ONE).checkpoint(4) / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[0] ^= 1
    weights.parent.chmod(0o700)
    weights.chmod(0o600)
    weights.write_bytes(bytes(content))
    (problem,) = lab.proof(ONE)["problems"]
    assert f"{ONE}@4 is damaged: model.safetensors has BLAKE3" in problem


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nothing",), 64, '"nothing" is no checkpoint; expected <hero>/<campaign>@<step>, @latest or @best'),
        (("one/campaign-009@1",), 5, 'there is no campaign "one/campaign-009"'),
        ((f"{ONE}@3",), 5, f'there is no checkpoint "{ONE}@3"; known: {ONE}@4'),
        ((ONE, "--row", "sums"), 64, '"sums" is no row; expected <file>:<number>, counted from 1'),
        ((ONE, "--row", "sums:9"), 64, "sums.jsonl has rows 1 to 8, not 9"),
        ((ONE, "--row", "sumz:1"), 5, 'there is no file or quest "sumz"; known: sums; did you mean "sums"?'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_no_checkpoint_or_row_is_refused_by_name(
    one_lab: Realm, words: tuple[str, ...], code: int, said: str
) -> None:
    done = one_lab.prove(*words)
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


def test_rows_of_a_quest_without_a_file_are_named_by_the_quest(lab: Realm) -> None:
    """What a skill made, or the inbox brought in, lies in the realm alone."""
    lab.data(rows(range(8)))
    lab.apply()
    lab.apply(queue={"quests": []})
    found = lab.proof(ONE, "--row", "sums:5")
    assert (found["state"], [one["row"] for one in found["occasions"]]) == ("learnt", [5])
    assert Path(found["path"]).parent == lab.world.lab.layout.data


def test_an_ancestor_whose_folder_was_lost_still_proves(lab: Realm) -> None:
    lab.data(rows(range(40)))
    lab.apply()
    before = lab.proof(ONE)["quests"]
    lost = lab.world.lab.layout.campaign(ONE).checkpoint(7)
    lost.chmod(0o700)
    shutil.rmtree(lost)
    found = lab.proof(ONE)
    assert found["is_proven"], found["problems"]
    assert found["quests"] == before
    assert {one["checkpoint"]: one["kept"] for one in found["ancestors"]}[f"{ONE}@7"] == "store"


def in_the_store(lab: Realm, statement: str) -> None:
    with closing(open_writer(lab.world.lab.layout.store)) as store:
        store.execute(statement)


def test_rows_taken_by_another_seed_in_mid_epoch_are_repeated_and_skipped_by_name(lab: Realm) -> None:
    """Negative control: the plan refuses such a change; here a run is given one that it did not have."""
    lab.data(rows(range(40)))
    lab.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001", "goal": {"updates": 10}}})
    lab.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001"}})
    assert lab.proof(ONE)["is_proven"]
    in_the_store(
        lab,
        "UPDATE runs SET config_json = replace(config_json, '\"seed\":0', '\"seed\":5') WHERE attempt = 2",
    )
    (problem,) = lab.proof(ONE)["problems"]
    assert re.search(r"(\d+) rows repeated, \1 skipped; run g1-a2 has seed 5, the one before had 0", problem)


def test_a_run_that_the_store_does_not_know_is_named(lab: Realm) -> None:
    lab.data(rows(range(8)))
    lab.apply()
    in_the_store(lab, "DELETE FROM runs")
    found = lab.proof(ONE)
    assert f"{ONE}@4: the store does not know run g1-a1" in found["problems"][0]
    assert found["quests"][0]["times"] == []


def test_a_share_that_changed_between_two_epochs_keeps_the_proof(
    lab: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.data(rows(range(12)))
    content = quest_rows.rows(rows(range(12)).encode(), "sums.jsonl", RowShape())
    learnt, real = (
        training_rows((quest_rows.row_digest(row.messages) for row in content), 0.5),
        instant.next_update,
    )
    assert 0 < len(learnt) < 12
    lab.apply()
    monkeypatch.setattr(instant, "next_update", lambda **asked: real(**asked | {"num_rows": len(learnt)}))
    lab.specs["realm"]["defaults"]["evaluation"]["held_out"] = 0.5
    lab.apply(queue={"quests": [SUMS | {"epochs": 2}]})

    proof = lab.proof(ONE)
    assert proof["is_proven"], proof["problems"]
    assert times_of(proof["quests"][0]) == {row: 1 + (row in learnt) for row in range(12)}
    assert "its held-out loss is too low" in proof["notes"][0]


def test_rows_of_a_held_out_file_are_never_learnt_and_its_content_is_needed_to_prove_it(
    lab: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = instant.next_update  # the trainer leaves these three rows out; instant ones count all of a quest
    monkeypatch.setattr(instant, "next_update", lambda **asked: real(**asked | {"num_rows": 9}))
    lab.data(rows(range(12)))
    lab.data(rows([3, 4, 5, 99]), "measure")
    overrides = {"evaluation": {"held_out": {"file": "data/measure.jsonl"}}}
    lab.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001", "config_overrides": overrides}})

    proof = lab.proof(ONE)
    assert proof["is_proven"], proof["problems"]
    assert times_of(proof["quests"][0]) == dict.fromkeys([0, 1, 2, *range(6, 12)], 1)
    assert (proof["quests"][0]["num_held_out"], proof["files"][0]["held_out"]) == (3, [[4, 6]])
    said = lab.prove(ONE, "--row", "sums:4").stdout
    assert "sums:4 was never learnt: it is held out, to measure with." in said

    lab.data(rows([4, 5, 99]), "measure")
    assert lab.prove(ONE).exit_code == 0  # its content lies in the realm

    measured = lab.world.lab.repository / "data/measure.jsonl"
    kept = next(
        lab.world.lab.layout.data.glob(f"{hashlib.sha256(rows([3, 4, 5, 99]).encode()).hexdigest()}*")
    )
    kept.unlink()
    measured.unlink()
    done = lab.prove(ONE)
    assert done.exit_code == 1
    assert f"run g1-a1 held out the rows of {kept}, whose content then" in done.stdout


def test_a_held_out_file_of_learnt_rows_is_told_by_plan_and_validate_before_it_is_held_out(
    lab: Realm,
) -> None:
    lab.data(rows(range(12)))
    lab.apply()
    lab.data(rows([3, 4, 99]), "measure")
    overrides = {"evaluation": {"held_out": {"file": "data/measure.jsonl"}}}
    lab.specs["campaigns/one/campaign-001"] = {"id": "campaign-001", "config_overrides": overrides}
    lab.world.commit(lab.specs)

    told = "2 of the 3 rows of data/measure.jsonl: the campaign had learnt them before"
    assert told in " ".join(lab.run("plan").stdout.split())
    validated = lab.run("validate", "--data", "--depth", "quick", "--json")
    (note,) = json.loads(validated.stdout)["notes"]
    assert note.startswith(f"{ONE} has learnt 2 of the 3 rows of the held-out file data/measure.jsonl")


def test_a_held_out_file_that_is_edited_changes_no_run_and_one_that_vanishes_goes_on_measuring(
    lab: Realm,
) -> None:
    lab.data(rows(range(8)))
    lab.data(rows([90, 91, 92]), "measure")
    overrides = {"evaluation": {"held_out": {"file": "data/measure.jsonl"}}}
    lab.apply(**{"campaigns/one/campaign-001": {"id": "campaign-001", "config_overrides": overrides}})
    held_out = read(next(lab.world.lab.layout.root.rglob("request.json")), RunRequest).held_out
    assert held_out is not None
    assert Path(held_out.path) == lab.world.lab.layout.snapshot(held_out.digest)

    (lab.world.lab.repository / "data/measure.jsonl").unlink()
    lab.data(rows(range(12)))
    lab.apply()

    requests = sorted(lab.world.lab.layout.root.rglob("request.json"))
    assert [read(file, RunRequest).held_out for file in requests] == [held_out, held_out]
    told = " ".join(lab.run("plan").stdout.split())
    assert "there is no file data/measure.jsonl any more; measured with its 3 rows as taken in" in told


def test_proofs_write_nothing(one_lab: Realm) -> None:
    before = {path: path.stat().st_mtime_ns for path in one_lab.world.lab.layout.root.rglob("*")}
    one_lab.prove(ONE)
    assert {path: path.stat().st_mtime_ns for path in one_lab.world.lab.layout.root.rglob("*")} == before
