"""A plan with nothing to do over 1,000 campaigns with 5,000 checkpoints, once parsed; beside a small realm.

Also what the loop's look costs when nothing changed: the same, in a process that is there already.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
from machine import Cost, time_call, time_command
from realms import RECONCILE, Realm

from reconciler.app.planning.gather import Observer, new_realm_uid
from reconciler.app.planning.look import load_commit
from reconciler.app.surroundings.environment import current_environment
from reconciler.app.surroundings.place import Options, head_of
from state.campaign_file import campaign_record
from state.canonical import canonical_json
from state.cards import CampaignCard, encode_card
from state.contract.manifest import FileEntry, Manifest, Measures, with_digest
from state.contract.request import CodeVersion
from state.formats import canonical_name, encode_record
from state.ids import campaign_uid
from state.layout import Layout
from state.status_files import training_status
from state.store.connection import open_writer
from state.store.rows import CampaignRow, LedgerRow
from state.store.tables import put, put_meta
from state.store.writer import Writer

NUM_HEROES, CAMPAIGNS_PER_HERO, CHECKPOINTS_PER_CAMPAIGN = 20, 50, 5
SAVED_AT = "2026-01-01T00:00:00Z"
CODE = CodeVersion(source="git", commit="c" * 40)
CARD = CampaignCard(name="Life", description="", skills_focus=(), config_overrides={})


def measure(folder: Path) -> Iterator[str]:
    realm = Realm(folder)
    realm.commit("queue.yaml", r"quests:(.|\n)*", "quests: []\n")
    realm.run("apply", "--until-converged")
    small, small_look = _time_plan(realm), _time_look(realm)
    names = _write_specs(realm)
    _write_world(realm, names)
    realm.run("apply", "--until-converged")  # takes the commit up: what is measured is a realm at rest
    large, large_look = _time_plan(realm), _time_look(realm)
    first = _time_first_parse(realm)
    num_checkpoints = len(names) * CHECKPOINTS_PER_CAMPAIGN
    yield f"small realm                        {small}"
    yield f"{len(names):,} campaigns, {num_checkpoints:,} checkpoints {large} (goal: 500 ms)"
    yield f"its specs parsed for the first time {first} (goal: 2 s)"
    ratio = large.seconds / large.bare_seconds / (small.seconds / small.bare_seconds)
    for what, look in (("small realm", small_look), (f"{len(names):,} campaigns", large_look)):
        pace = f"{look.bare_cpu_seconds * 1000:.1f} ms, a bare start"
        yield f"in the loop, {what:<21} {look.cpu_seconds * 1000:7.1f} ms of processor time   ({pace})"
    yield f"in bare starts                     {ratio:7.1f} x the small realm"


def _time_plan(realm: Realm) -> Cost:
    command = [RECONCILE, "plan", "--detailed-exitcode"]
    subprocess.run(command, cwd=realm.specs, env=realm.environment, stdout=subprocess.DEVNULL, check=True)
    return time_command(command, cwd=realm.specs, env=realm.environment)


def _time_first_parse(realm: Realm) -> Cost:
    """Return what the same plan takes when no file of its specs was parsed before."""
    command = [RECONCILE, "plan", "--detailed-exitcode"]
    kept = Path(realm.environment["HOME"]) / ".cache" / "realm"

    def forget() -> None:
        for folder in kept.glob("specs-*"):
            shutil.rmtree(folder)

    return time_command(command, repeat=3, before=forget, cwd=realm.specs, env=realm.environment)


def _time_look(realm: Realm) -> Cost:
    """Return what a look of the loop takes that finds nothing to do."""
    environment = msgspec.structs.replace(
        current_environment(), cwd=realm.specs, home=realm.specs.parent, variables=realm.environment
    )
    commit = head_of(environment, Options())
    desired, observer = (
        load_commit(environment, commit),
        Observer(environment, Layout(realm.root), realm.specs),
    )

    def look() -> None:
        facts, now = observer.facts(desired), environment.now()
        plan = observer.right.plan(desired, facts, specs_commit=commit.id, now=now)
        assert not plan.changes

    look()
    return time_call(look)


def _write_specs(realm: Realm) -> list[str]:
    """Write copies of the tiny hero with their campaigns; return the campaigns' names."""
    specs = realm.specs / "specs"
    hero = (specs / "heroes" / "tiny-adamw.yaml").read_text()
    names = []
    for hero_number in range(NUM_HEROES):
        hero_id = f"hero-{hero_number:02}"
        (specs / "heroes" / f"{hero_id}.yaml").write_text(hero.replace("id: tiny-adamw", f"id: {hero_id}", 1))
        (specs / "campaigns" / hero_id).mkdir()
        for number in range(1, CAMPAIGNS_PER_HERO + 1):
            campaign = f"campaign-{number:03}"
            text = f"id: {campaign}\nname: Life  # of {hero_id}, so that no two files are alike\n"
            (specs / "campaigns" / hero_id / f"{campaign}.yaml").write_text(text)
            names.append(f"{hero_id}/{campaign}")
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    subprocess.run(["git", "add", "."], cwd=realm.specs, check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "many"], cwd=realm.specs, check=True)
    return names


def _write_world(realm: Realm, names: list[str]) -> None:
    """Write what a realm that trained all of them would hold: rows, records and checkpoints."""
    layout = Layout(realm.root)
    writer_connection = open_writer(layout.store)
    writer = Writer(writer_connection)
    realm_uid = new_realm_uid("home-lab", layout)
    with writer.transaction() as store:
        row = store.execute("SELECT value FROM meta WHERE key = 'realm_uid'").fetchone()
        realm_uid = row[0] if row else realm_uid
        for number, name in enumerate(names):
            campaign = CampaignRow(
                uid=campaign_uid(realm_uid, name),
                name=name,
                status="paused",
                created_at=SAVED_AT,
                card_json=encode_card(CARD),
            )
            ledger = [
                _write_checkpoint(layout, campaign, step * 100, number * CHECKPOINTS_PER_CAMPAIGN + step)
                for step in range(1, CHECKPOINTS_PER_CAMPAIGN + 1)
            ]
            put(store, [campaign, *ledger])
            record = encode_record(campaign_record(CARD, campaign, ledger, {}))
            layout.campaign(name).record.write_bytes(record)
            status = encode_record(training_status(campaign, (), ledger, {}))
            layout.campaign(name).training_status.write_bytes(status)
        put_meta(store, "realm_uid", realm_uid)
    writer.close()


def _write_checkpoint(layout: Layout, campaign: CampaignRow, step: int, sequence: int) -> LedgerRow:
    places = layout.campaign(campaign.name)
    for folder in (places.checkpoints, places.status, places.logs, places.runs):
        folder.mkdir(parents=True, exist_ok=True)
    folder = places.checkpoint(step)
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"x" * 64)
    manifest = _manifest(campaign, step)
    (folder / "manifest.json").write_bytes(canonical_json(msgspec.to_builtins(manifest)))
    folder.chmod(0o500)
    return LedgerRow(
        campaign_uid=campaign.uid,
        segment=1,
        step=step,
        sequence=1_000_000 + sequence,
        timestamp=SAVED_AT,
        path=str(folder.relative_to(layout.root)),
        canonical_name=canonical_name(step, SAVED_AT),
        train_loss=1.0 / step,
        val_loss=2.0 / step,
        learning_rate=1e-3,
        training_file="bin-l1",
        total_examples_trained=step * 32,
        size_bytes=64,
        has_optimizer=True,
        healthy=True,
        digest=manifest.digest,
        parent_step=None,
        generation=1,
        attempt=1,
        config_hash=manifest.config_hash,
        code_version=str(CODE),
        specs_commit="c" * 40,
    )


def _manifest(campaign: CampaignRow, step: int) -> Manifest:
    return with_digest(
        Manifest(
            campaign_uid=campaign.uid,
            campaign=campaign.name,
            segment=1,
            step=step,
            parent_step=None,
            parent_digest=None,
            created_at=SAVED_AT,
            generation=1,
            attempt=1,
            config_hash="sha256:" + "0" * 64,
            code_version=CODE,
            specs_commit="c" * 40,
            optimizer="adamw",
            healthy=True,
            quest_id="bin-l1",
            cursor=(),
            learnt=(),
            measures=Measures(
                train_loss=1.0 / step,
                val_loss=2.0 / step,
                learning_rate=1e-3,
                examples_seen=step * 32,
                tokens_seen=step * 999,
            ),
            files=(FileEntry(path="model.safetensors", size_bytes=64, blake3="blake3:" + "0" * 64),),
            digest="",
        )
    )
