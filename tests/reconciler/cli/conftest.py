"""Builders: a small specs repository, a root with a real store, and the real command."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import msgspec
import pytest
from blake3 import blake3
from click.testing import CliRunner, Result

from reconciler.app.surroundings import environment
from reconciler.cli.group import reconcile
from state.canonical import sha256_of
from state.contract.manifest import FileEntry, Manifest, Measures, with_digest
from state.contract.request import CodeVersion
from state.ids import campaign_uid
from state.layout import Layout
from state.moments import BootMoment
from state.store.connection import open_writer
from state.store.rows import CampaignRow, JobRow, LedgerRow, RunRow, TrashRow
from state.store.tables import put, put_meta

sys.path.insert(0, str(Path(__file__).parent))  # import cleanup_words, moved_out

SPECS = {
    "specs/realm.yaml": "id: lab\nactive: pip/campaign-001\n",
    "specs/queue.yaml": (
        "quests:\n"
        "  - {id: q1, skill: bin, level: 1, count: 10, for: [pip]}\n"
        "  - {id: q2, skill: bin, level: 2, count: 20, for: [mu/campaign-001]}\n"
    ),
    "specs/campaigns/pip/campaign-001.yaml": (
        "id: campaign-001\nname: First light\nskills_focus: [bin]\ngoal: {updates: 2000}\n"
        "config_overrides:\n  learning_rate: 1.5e-3\n"
    ),
    "specs/campaigns/mu/campaign-001.yaml": "id: campaign-001\n",
    "specs/skills/bin.yaml": "id: bin\nmax_level: 30\nsource: {command: [python, -m, trainer, generate, bin]}\n",
}
REALM_UID = "0123456789abcdef"
PIP = campaign_uid(REALM_UID, "pip/campaign-001")
COMMIT = "c" * 40
Reconcile = Callable[..., Result]


@pytest.fixture
def lab(repository_of: Callable[..., Path], hero_text: str) -> Path:
    """A specs repository with one commit on main."""
    heroes = {
        "specs/heroes/pip.yaml": hero_text,
        "specs/heroes/mu.yaml": hero_text.replace("id: pip", "id: mu"),
    }
    return repository_of({**SPECS, **heroes})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the realm's root would be; nothing is there."""
    return tmp_path / "root"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the home, the caches or the realm of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(("REALM_", "XDG_", "GIT_", "NO_COLOR")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()


class Clocks:
    """What every command that `run` runs sees: the clock on the wall, and the machine's boot clock."""

    def __init__(self) -> None:
        self.wall_ahead = self.boot_ahead = 0.0
        self.boot: BootMoment | None = BootMoment(boot_id="first", seconds=5_000.0)

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds go by on both."""
        self.wall_ahead += seconds
        self.boot_ahead += seconds

    def restart(self) -> None:
        """Start the machine anew."""
        self.boot = BootMoment(boot_id="second", seconds=-monotonic() - self.boot_ahead)

    def now(self) -> str:
        return (datetime.now(UTC) + timedelta(seconds=self.wall_ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def boot_moment(self) -> BootMoment | None:
        ahead = monotonic() + self.boot_ahead
        return self.boot and BootMoment(boot_id=self.boot.boot_id, seconds=self.boot.seconds + ahead)


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """The clocks of every command that `run` runs."""
    made = Clocks()
    monkeypatch.setattr(environment, "utc_now", made.now)
    monkeypatch.setattr(environment, "boot_moment", made.boot_moment)
    return made


@pytest.fixture
def pass_time(clocks: Clocks) -> Callable[[float], None]:
    """Let so many seconds go by for every command that `run` runs."""
    return clocks.pass_time


@pytest.fixture
def run(lab: Path, root: Path) -> Reconcile:
    """Run the command in this process, in the repository and with the root; return what it printed."""

    def call(*arguments: str, anywhere: bool = False) -> Result:
        where = {} if anywhere else {"REALM_REPO": str(lab), "REALM_ROOT": str(root)}
        return CliRunner().invoke(reconcile, arguments, env=where, prog_name="reconcile")

    return call


class RealmStore:
    """A root whose store holds what a test wants it to remember."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        (root / "control").mkdir(parents=True)
        self.write([campaign_row()])
        with closing(open_writer(self.layout.store)) as store:
            put_meta(store, "realm_uid", REALM_UID)
            put_meta(store, "realm_id", "lab")
            put_meta(store, "active_uid", PIP)
            put_meta(store, "activated_at", "2026-01-31T12:00:00Z")

    def write(self, rows: Iterable[msgspec.Struct]) -> None:
        with closing(open_writer(self.layout.store)) as store:
            put(store, rows)


@pytest.fixture
def store(root: Path) -> RealmStore:
    """A realm that knows campaign pip/campaign-001 and has it active."""
    return RealmStore(root)


def campaign_row(**changes: object) -> CampaignRow:
    row = CampaignRow(
        uid=PIP,
        name="pip/campaign-001",
        status="active",
        created_at="2026-01-31T12:00:00Z",
        specs_commit=COMMIT,
    )
    return msgspec.structs.replace(row, **changes)


def run_row(**changes: object) -> RunRow:
    row = RunRow(
        campaign_uid=PIP,
        generation=1,
        attempt=1,
        state="ended",
        cookie="cookie",
        config_hash=sha256_of("config"),
        config_json="{}",
        code_version="a1b2c3d" + "0" * 33 + "+dirty.0123456789abcdef",
        specs_commit="4f1c2d9" + "0" * 33,
        device="cpu",
        resume_step=None,
        launched_at="2026-01-31T12:00:00Z",
        ended_at="2026-01-31T12:10:00Z",
        end="finished",
        message="all quests are done",
        final_step=125,
    )
    return msgspec.structs.replace(row, **changes)


def job_row(**changes: object) -> JobRow:
    row = JobRow(
        uid="job1",
        id="2026-01-31T12:00:00_q1",
        quest_id="q1",
        campaign_uid=PIP,
        hero_id="pip",
        campaign_id="campaign-001",
        source_key="key",
        dataset_path="bin_L1.jsonl",
        digest="sha256:" + "1" * 64,
        num_examples=10,
        shape_json="{}",
        priority="normal",
        epochs=1,
        status="completed",
        created_at="2026-01-31T12:00:00Z",
        start_step=1,
        final_step=125,
        final_loss=0.4118,
    )
    return msgspec.structs.replace(row, **changes)


def ledger_row(**changes: object) -> LedgerRow:
    row = LedgerRow(
        campaign_uid=PIP,
        segment=1,
        step=125,
        sequence=1,
        timestamp="2026-01-31T12:10:00Z",
        path="campaigns/pip/campaign-001/checkpoints/checkpoint-125",
        canonical_name="checkpoint-125-20260131-1210",
        train_loss=0.41,
        val_loss=None,
        learning_rate=0.001,
        training_file="q1",
        total_examples_trained=10,
        size_bytes=1000,
        has_optimizer=True,
        healthy=True,
        digest="blake3:" + "2" * 64,
        parent_step=None,
        generation=1,
        attempt=1,
        config_hash=sha256_of("config"),
        code_version="a1b2c3d" + "0" * 33,
        specs_commit=COMMIT,
    )
    return msgspec.structs.replace(row, **changes)


def trash_row(**changes: object) -> TrashRow:
    row = TrashRow(
        sequence=1,
        campaign_uid=PIP,
        campaign="pip/campaign-001",
        step=500,
        digest="blake3:" + "3" * 64,
        origin="campaigns/pip/campaign-001/checkpoints/checkpoint-500",
        path="trash/checkpoint-500",
        size_bytes=1000,
        kind="rolled",
        reason="rolled out of the last 2",
        trashed_at="2026-01-31T12:10:00Z",
        trashed_at_seconds=0.0,
        grace_seconds=3600.0,
        clean_ticks=0,
        state="trashed",
    )
    return msgspec.structs.replace(row, **changes)


@pytest.fixture
def rows() -> type:
    """Makers of rows: rows.run(...), rows.job(...), rows.campaign(...), rows.ledger(...), rows.trash(...)."""

    class Rows:
        campaign = staticmethod(campaign_row)
        run = staticmethod(run_row)
        job = staticmethod(job_row)
        ledger = staticmethod(ledger_row)
        trash = staticmethod(trash_row)

    return Rows


@pytest.fixture
def publish() -> Callable[..., None]:
    """Publish checkpoints of pip/campaign-001 into its folder of them, as a trainer does: (folder, *steps)."""

    def make(folder: Path, *steps: int) -> None:
        uid = json.loads((folder.parent / "campaign.json").read_text())["uid"]
        for step in steps:
            place = folder / f"checkpoint-{step}"
            place.mkdir()
            (place / "model.safetensors").write_bytes(b"weights")
            (place / "manifest.json").write_bytes(msgspec.json.encode(with_digest(manifest_of(uid, step))))

    return make


def manifest_of(uid: str, step: int) -> Manifest:
    """Return the manifest of a checkpoint whose weights are seven bytes."""
    weights = FileEntry(path="model.safetensors", size_bytes=7, blake3=blake3(b"weights").hexdigest())
    return Manifest(
        campaign_uid=uid, campaign="pip/campaign-001", segment=1, step=step, parent_step=None, parent_digest=None,
        created_at="2026-01-31T12:00:00Z", generation=1, attempt=1, config_hash="h", specs_commit="c",
        code_version=CodeVersion(source="git", commit="c"), optimizer="adamw", healthy=True, quest_id=None,
        cursor=(), learnt=(), files=(weights,), digest="",
        measures=Measures(train_loss=1.0, val_loss=None, learning_rate=0.1, examples_seen=1, tokens_seen=1),
    )  # fmt: skip


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    """Make a manifest with its digest: (campaign's uid, step, what else is to be otherwise)."""

    def make(uid: str, step: int, **changes: object) -> Manifest:
        return with_digest(msgspec.structs.replace(manifest_of(uid, step), **changes))

    return make


@pytest.fixture
def resting(
    run: Reconcile, lab: Path, git: Callable[..., str], root: Path, publish: Callable[..., None]
) -> Callable[..., Path]:
    """Commit specs with nothing to learn, and let apply record some checkpoints; return their folder."""

    def make(specs: Mapping[str, str], steps: Iterable[int]) -> Path:
        for path, text in {"specs/queue.yaml": "quests: []\n", **specs}.items():
            (lab / path).write_text(text)
        git(lab, "add", ".")
        git(lab, "commit", "-qm", "nothing to learn")
        assert run("apply", "--until-converged").exit_code == 0
        folder = root / "campaigns/pip/campaign-001/checkpoints"
        publish(folder, *steps)
        assert run("apply", "--once").exit_code == 0
        return folder

    return make


@pytest.fixture
def renamed(lab: Path, git: Callable[..., str]) -> Callable[..., None]:
    """Move the spec of pip/campaign-001 with git, and change its id and the line that makes it active."""

    def move(more: str = "", new: str = "first-light", old: str = "campaign-001") -> None:
        folder = lab / "specs/campaigns/pip"
        git(lab, "mv", str(folder / f"{old}.yaml"), str(folder / f"{new}.yaml"))
        text = (folder / f"{new}.yaml").read_text()
        (folder / f"{new}.yaml").write_text(text.replace(f"id: {old}", f"id: {new}{more}"))
        (lab / "specs/realm.yaml").write_text(f"id: lab\nactive: pip/{new}\n")
        git(lab, "commit", "-qam", f"{old} is {new} now")

    return move


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    folder = tmp_path / "nas"
    folder.mkdir()
    return folder


@pytest.fixture
def moved(
    resting: Callable[..., Path],
    run: Callable[..., Result],
    root: Path,
    lab: Path,
    git: Callable[..., str],
    nas: Path,
    pass_time: Callable[[float], None],
) -> Path:
    """A root whose archived campaign has one checkpoint in the trash, dropped, and one moved out to the nas."""
    from moved_out import RULES, SPEC, states  # its place is on the path once this module is read

    rules = {"specs/realm.yaml": "id: lab\n", "specs/retention.yaml": f"{RULES}archive: {{to: {nas}}}\n"}
    resting(rules, (100, 200))
    (lab / SPEC).write_text("id: campaign-001\nstate: archived\n")
    git(lab, "commit", "-qam", "it rests")
    for _ in range(2):
        pass_time(1)
        assert run("apply", "--until-converged").exit_code == 0
    assert states(run) == {100: "trashed", 200: "elsewhere"}
    return root
