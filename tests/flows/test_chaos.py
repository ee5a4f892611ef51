"""`chaos`: every promise holds on this machine, and what would break one is seen."""

import random
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from reconciler.app.chaos import promises
from reconciler.app.chaos.blows import flipped_bit
from reconciler.app.chaos.promises import Witness, weights_of
from reconciler.app.chaos.realm import CAMPAIGN, ToyRealm, last_words
from reconciler.app.chaos.run import ChaosReport, PromiseKept, heal, run_chaos
from reconciler.cli.text_chaos import report_text

pytestmark = [pytest.mark.long, pytest.mark.train, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ChaosReport:
    """Return what came of half a minute of blows."""
    if find_spec("torch") is None:
        pytest.skip("needs the train extra: torch is not installed")
    parent = tmp_path_factory.mktemp("chaos")
    return run_chaos(seconds=30, seed=3, parent=parent, keep=True, tell=print)


def test_every_promise_holds_and_was_looked_at(report: ChaosReport) -> None:
    assert [one for one in report.promises if one.broken or not one.num_checks] == []
    assert sum(report.blows.values()) >= 3
    assert report.checkpoints >= 10


def hurt(report: ChaosReport, to: Path) -> ToyRealm:
    """Return the realm as it was left, to be spoilt."""
    shutil.copytree(Path(report.folder) / "hurt", to, symlinks=True)
    return ToyRealm(to, 0)


def test_a_flipped_bit_that_nobody_expects_is_seen(report: ChaosReport, tmp_path: Path) -> None:
    realm = hurt(report, tmp_path / "hurt")
    path = realm.layout.campaign(CAMPAIGN).checkpoint(realm.newest_step()) / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)

    witness = Witness(realm)
    witness.look_closely()

    assert len(witness.broken[promises.WHOLE]) == len(witness.broken[promises.REAL_NAME]) == 1


def test_an_emptied_trash_and_a_lost_folder_are_seen(report: ChaosReport, tmp_path: Path) -> None:
    realm = hurt(report, tmp_path / "hurt")
    for path in (*realm.layout.trash.glob("*/"), realm.layout.campaign(CAMPAIGN).checkpoints):
        shutil.rmtree(path)

    witness = Witness(realm)
    witness.look_closely()

    assert witness.broken[promises.GRACE]
    assert witness.broken[promises.WHOLE]


def test_other_weights_and_rows_learnt_once_too_often_are_seen(report: ChaosReport, tmp_path: Path) -> None:
    realm = hurt(report, tmp_path / "hurt")
    (realm.repository / "sums.jsonl").write_text('{"prompt": "1 + 1 = ", "completion": "3"}\n')

    witness = Witness(realm)
    witness.look_at_the_end("other weights")

    assert weights_of(realm) in witness.broken[promises.SAME_BITS][0]


def test_a_bit_that_flips_after_the_last_row_is_found_by_a_scrub_and_its_rows_are_learnt_again(
    tmp_path: Path,
) -> None:
    realm = ToyRealm(tmp_path, updates=120)
    assert realm.run("apply", "--until-converged").returncode == 0
    weights, witness = weights_of(realm), Witness(realm)
    witness.expect_damage(realm.newest_step())
    assert flipped_bit(realm, random.Random(1))

    heal(realm, witness, weights, print)

    assert [text for texts in witness.broken.values() for text in texts] == []
    assert witness.num_checks[promises.SAME_BITS] == witness.num_checks[promises.ONCE] == 1


def test_what_a_command_said_at_last_is_told_in_whole_lines() -> None:
    """No line is cut within a word, however long it is."""
    said = subprocess.CompletedProcess([], 1, "\n".join(f"line {n}" for n in range(9)), "x" * 500 + "\n\n")
    broken = PromiseKept(promise=promises.ONCE, num_checks=1, broken=(last_words(said),))
    report = ChaosReport(
        seed=7, folder="/x", seconds=1.0, blows={}, launches=1, checkpoints=4, promises=(broken,)
    )

    lines = [line.strip() for line in report_text(report, 80).splitlines()]

    assert lines.index("x" * 500) == lines.index("line 8") + 1 == lines.index("line 2") + 7
    assert "line 1" not in lines


@pytest.mark.parametrize("width", [80, 40])
def test_the_report_says_what_broke_and_where_to_look(width: int) -> None:
    broken = PromiseKept(promise=promises.WHOLE, num_checks=3, broken=("campaigns/toy/campaign-001: gone",))
    unseen = PromiseKept(promise=promises.ONCE, num_checks=0, broken=())
    report = ChaosReport(
        seed=7,
        folder="/somewhere",
        seconds=61.0,
        blows={"full disk": 2},
        launches=1,
        checkpoints=4,
        promises=(broken, unseen),
    )

    text = report_text(report, width)

    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    assert "2 blows in 61 s: 2 x full disk; 1 launch, 4 checkpoints saved" in words
    assert f"broken {promises.WHOLE} (3 checks) campaigns/toy/campaign-001: gone" in words
    assert "unseen" in words
    assert "Look at /somewhere; again: reconcile chaos --seed 7 --keep" in words
    assert not report.all_held
