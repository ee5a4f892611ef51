"""What a person gets wrong, as the command line tells it: where, what was found, what to do."""

import re
from pathlib import Path

import pytest
from lab import Lab, found_realm, realm, rows
from small_disk import on_a_small_disk

ONE, DIO = "one/campaign-001", "dio-qwen3-0.6b/campaign-001"
VERBS = [("plan",), ("apply", "--once"), ("validate",)]


@pytest.fixture
def nowhere(tmp_path: Path) -> Lab:
    """Return a laboratory whose repository is none yet."""
    return Lab(tmp_path)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_without_a_repository_each_verb_says_where_it_looked_and_how_to_make_one(
    nowhere: Lab, verb: tuple[str, ...]
) -> None:
    done = nowhere.reconcile(*verb)

    assert done.returncode == 1
    assert done.stderr == (
        f"reconcile: {nowhere.repository}: no git repository here; "
        "run this in a specs repository, or make one: reconcile init DIR\n"
    )
    assert not nowhere.layout.root.exists()


@pytest.mark.parametrize("verb", VERBS[:2], ids=lambda verb: verb[0])
def test_without_a_commit_each_verb_says_what_to_type(the_lab: Lab, verb: tuple[str, ...]) -> None:
    the_lab.spec("realm", **realm(None))
    done = the_lab.reconcile(*verb)

    assert done.returncode == 1
    assert done.stderr == (
        f"reconcile: {the_lab.repository}: no commit yet on main; commit the specs first: "
        'git add specs && git commit -m "..."\n'
    )
    assert not the_lab.layout.root.exists()


def test_uncommitted_edits_are_named_and_not_applied(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [])
    the_lab.spec("realm", **realm(ONE))
    the_lab.spec("campaigns/one/campaign-002", id="campaign-002")

    said = the_lab.reconcile("plan").stdout
    applied = the_lab.converge()

    named = "Not committed, so not applied: specs/campaigns/one/campaign-002.yaml, specs/realm.yaml"
    assert named in " ".join(said.split())
    assert "specs/campaigns/one/campaign-002.yaml" in applied.stdout + applied.stderr
    assert "not applied" in applied.stdout + applied.stderr
    assert [row.name for row in the_lab.store().campaigns] == [ONE]
    assert the_lab.store().active_uid is None


def test_a_root_inside_a_work_tree_is_refused_and_nothing_is_made_there(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [])
    inside = the_lab.repository / "data" / "root"
    for word in (("--root", str(inside)), ("--root", "data/root")):
        done = the_lab.reconcile("apply", "--once", *word)
        assert done.returncode == 1
        assert done.stderr == (
            f"reconcile: the root {inside} lies inside the git work tree {the_lab.repository}; "
            "choose a place outside: --root, REALM_ROOT or realm.yaml: root\n"
        )
    assert not inside.exists()


def test_a_spec_full_of_mistakes_names_all_of_them_and_the_running_realm_goes_on(the_lab: Lab) -> None:
    good = found_realm(the_lab, ["one"], None, [])
    the_lab.converge()
    the_lab.write(
        "specs/queue.yaml",
        "quests:\n  - id: ../x\n    skil: bin\n  - id: a\n    file: a.jsonl\n    epochs: .inf\n",
    )
    the_lab.write("specs/realm.yaml", "id: flow\nactive: one/campaign-01\nactive: two\n")
    the_lab.commit()

    done = the_lab.reconcile("plan")

    assert done.returncode == 1
    for found in (
        r"specs/queue\.yaml:2",
        r"specs/queue\.yaml:3",
        'did you mean "skill"',
        r"queue\.yaml:6",
        r"realm\.yaml:3",
    ):
        assert re.search(found, done.stderr), (found, done.stderr)
    assert the_lab.store().applied_commit == good


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(rows(range(3)).encode() + b'{"messages": [{"role', "row 4: ", id="torn-at-the-end"),
        pytest.param(b'{"messages": \n' + rows(range(2)).encode(), "row 1: ", id="torn-in-the-middle"),
        pytest.param(rows(range(1)).encode() + b'"\xff\xfe"\n', "row 2: ", id="not-utf-8"),
        pytest.param(rows(range(1)).encode() + b'{"question": "1+1"}\n', "row 2: ", id="unknown-shape"),
        pytest.param(None, "there is no file", id="missing"),
    ],
)  # fmt: skip
def test_a_quest_that_cannot_be_read_is_named_with_its_row_and_everything_else_converges(
    the_lab: Lab, content: bytes | None, said: str
) -> None:
    if content is not None:
        (the_lab.write("data/bad.jsonl", "")).write_bytes(content)
    found_realm(the_lab, ["one"], ONE, [{"id": "bad", "file": "data/bad.jsonl"}])
    the_lab.converge()

    plan = the_lab.plan()

    assert plan["changes"] == []
    (blocked,) = plan["blocked"]
    assert (blocked["subject"], blocked["code"]) == ("quest/bad", "quest-file")
    assert "data/bad.jsonl" in blocked["message"]
    assert said in blocked["message"]
    assert blocked["cause"].startswith("specs/queue.yaml:")
    assert said.strip() in " ".join(the_lab.reconcile("explain", "quest/bad").stdout.split())


@pytest.mark.train
@pytest.mark.timeout(900)
def test_the_real_hero_without_weights_is_a_named_blocker_and_everything_else_converges(
    the_lab: Lab, cases: Path
) -> None:
    the_lab.write("data/a.jsonl", rows(range(40)))
    hero = (cases / "real-specs" / "heroes" / "dio-qwen3-0.6b.yaml").read_text()
    the_lab.write("specs/heroes/dio-qwen3-0.6b.yaml", hero)
    the_lab.spec(f"campaigns/{DIO}", id="campaign-001")
    quests = [
        {"id": "a", "file": "data/a.jsonl", "for": [ONE]},
        {"id": "b", "file": "data/a.jsonl", "for": [DIO]},
    ]
    found_realm(the_lab, ["one"], ONE, quests)

    the_lab.converge()
    assert the_lab.status_of(ONE, "a") == "completed"
    _check_named(the_lab)

    the_lab.spec("realm", **realm(DIO))
    the_lab.commit("switch to the hero without weights")
    the_lab.converge()
    assert the_lab.layout.active_link.readlink() == Path(DIO)
    assert the_lab.status_of(DIO, "b") == "queued"
    _check_named(the_lab)
    explained = " ".join(the_lab.reconcile("explain", f"campaign/{DIO}").stdout.split())
    assert "In the way: ! hero/dio-qwen3-0.6b: model models/Qwen3-0.6B is not on this machine" in explained
    assert "model-missing, specs/heroes/dio-qwen3-0.6b.yaml" in explained
    assert len(the_lab.runs()) == 1


def _check_named(lab: Lab) -> None:
    hero = "hero/dio-qwen3-0.6b"
    plan = lab.plan()
    assert plan["changes"] == []
    (found,) = (item for item in plan["blocked"] if item["subject"] == hero)
    assert found["code"] == "model-missing"
    assert "models/Qwen3-0.6B is not on this machine" in found["message"]
    assert re.fullmatch(r"specs/heroes/dio-qwen3-0\.6b\.yaml:\d+", found["cause"])
    assert "reconcile downloads nothing" in found["hint"]
    explained = lab.reconcile("explain", hero).stdout
    assert "models/Qwen3-0.6B is not on this machine" in " ".join(explained.split())


@pytest.mark.train
@pytest.mark.timeout(900)
@pytest.mark.parametrize("left_kib", ["64", "0"], ids=["with room for words", "to the last byte"])
def test_a_full_disk_costs_no_checkpoint_and_training_goes_on_when_there_is_room(
    tmp_path: Path, left_kib: str
) -> None:
    found = on_a_small_disk("full_disk.py", tmp_path, "0MB", left_kib)

    assert found["kept_while_full"] == found["kept_before"]
    assert found["kept_before"]
    assert re.search(
        r"no room for checkpoint-\d+: it needs .*; training goes on once there is", found["message"]
    )
    assert found["blocked"] == f"its trainer waits, nothing that was learnt is lost: {found['message']}"
    assert (found["status"], found["launches"]) == ("completed", 1)
    assert set(found["kept_before"].items()) <= set(found["kept_after"].items())
    assert found["updates"] == (found["examples"] + 1) // 2  # none was made twice
    assert found["recorded"] == list(range(1, found["updates"] + 1))  # and each is told of


@pytest.mark.long
@pytest.mark.train
@pytest.mark.timeout(900)
def test_a_disk_that_stays_full_costs_nothing_where_a_ballast_held_room(tmp_path: Path) -> None:
    found = on_a_small_disk("full_disk.py", tmp_path, "8MB", "64")

    by_a_tick, by_the_save = "let go     ballast  8 MB", "is full: the ballast of 8 MB was let go"
    assert by_a_tick in found["said"] or by_the_save in found["said"]  # whoever met the full disk first
    assert (found["status"], found["is_there"], found["recorded"]) == ("completed", False, True)
    assert found["kept"] > 1
