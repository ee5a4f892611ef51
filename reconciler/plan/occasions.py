"""What must be so before a planner can have anything to say: quick questions, asked before it is imported.

A realm in which nothing happens needs a third of the planners, and most of the time of its plan was their
import. Each question may say yes too often and never no too often; a plan with changes asks none of them.
"""

from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.schedulers import FALLING
from reconciler.observed.data_records import InboxFacts
from reconciler.observed.facts import CampaignFacts
from reconciler.observed.records import CheckpointFacts
from reconciler.plan.world import World


def always(world: World) -> bool:
    """It looks at what every realm has."""
    del world
    return True


def the_realm_is_suspended(world: World) -> bool:
    """Does somebody want nothing done at all for now?"""
    return world.is_realm_suspended


def a_ballast_is_kept(world: World) -> bool:
    """Is room kept for a full disk, or wanted?"""
    return bool(world.facts.disk.ballast_bytes) or world.desired.realm.spec.disk.ballast is not None


def campaigns_are_renamed(world: World) -> bool:
    """Has a campaign's spec another name now?"""
    return bool(world.facts.renames)


def something_is_unexplained(world: World) -> bool:
    """Does a folder of no campaign lie there, or does anybody compute on a GPU?"""
    facts = world.facts
    return bool(facts.orphans or facts.among_checkpoints) or any(
        gpu.processes for gpu in world.facts.gpus.gpus
    )


def the_rate_falls(world: World) -> bool:
    """Does the rate of the active campaign fall by itself, so that it may have come down?"""
    name = world.active
    if name is None or name not in world.desired.campaigns:
        return False
    return resolve(layers_of(world.desired, name))["lr_scheduler"].value in FALLING


def a_run_is_open(world: World) -> bool:
    """Is a run not over yet, or does a trainer live that nobody knows?"""
    facts = world.facts
    open_runs = any(run.state != "ended" for run in facts.store.runs)
    return open_runs or any(run.alive for seen in facts.campaigns.values() for run in seen.runs)


def skills_are_examined(world: World) -> bool:
    """Does the active campaign name skills, and has it runs?"""
    source = world.desired.campaigns.get(world.active) if world.active is not None else None
    return source is not None and bool(source.spec.skills_focus) and bool(world.seen(source.name).runs)


def somebody_asks(world: World) -> bool:
    """Is a person's request open?"""
    return bool(world.facts.store.requests)


def checkpoints_are_known(world: World) -> bool:
    """Is a checkpoint recorded, or does anything lie where they belong?"""
    return bool(world.facts.store.ledger) or any(map(_holds_something, world.facts.campaigns.values()))


def _holds_something(seen: CampaignFacts) -> bool:
    return bool(seen.segments or seen.problems or seen.checkpoints != CheckpointFacts())


def copies_may_mend(world: World) -> bool:
    """Is there a copy of a checkpoint, here or in a campaign that began with it?"""
    store = world.facts.store
    return bool(store.copies) or any(row.starting_digest is not None for row in store.campaigns)


def something_was_dropped(world: World) -> bool:
    """Does a tombstone stand, or can the trash not be looked into?"""
    return bool(world.facts.store.trash) or world.facts.trash.problem is not None


def the_trash_holds_folders(world: World) -> bool:
    """Does anything lie there that a tombstone should name?"""
    return bool(world.facts.trash.folders)


def a_full_form_waits(world: World) -> bool:
    """Does the full form of a checkpoint lie in the trash that keeps its weights only?"""
    return any(stone.keeps is not None and stone.state == "trashed" for stone in world.facts.store.trash)


def drops_may_follow(world: World) -> bool:
    """Are there rules, or drops that a kill cut short?"""
    return world.retention is not None or something_was_dropped(world)


def checkpoints_were_lost(world: World) -> bool:
    """Is a checkpoint known to be damaged, or has a person acknowledged that one is lost?"""
    lost = any(one.damage is not None for one in world.facts.store.ledger)
    return lost or bool(world.acknowledged_losses)


def jobs_are_open(world: World) -> bool:
    """Is a job waiting or at work?"""
    return any(job.status in ("queued", "processing") for job in world.facts.store.jobs)


def the_queue_holds_something(world: World) -> bool:
    """Is there a quest or a job, or a reason why none of them moves?"""
    store, is_unseen = world.facts.store, world.facts.snapshots.problem is not None
    return bool(store.jobs or world.quests) or is_unseen or world.is_queue_suspended


def the_inbox_holds_something(world: World) -> bool:
    """Does anything lie in the inbox, or can it not be looked into?"""
    return world.facts.inbox != InboxFacts()


def histories_may_part(world: World) -> bool:
    """Was a segment begun, did a run fail, or does a spec ask for a rewind or a release?"""
    store, specs = world.facts.store, [source.spec for source in world.desired.campaigns.values()]
    failed = any(run.failure_class is not None for run in store.runs)
    return bool(store.segments) or failed or any(spec.rewind or spec.releases for spec in specs)


def campaigns_may_move(world: World) -> bool:
    """Is a campaign archived, wanted there, or cut short on its way?"""
    facts, specs = world.facts, [source.spec for source in world.desired.campaigns.values()]
    return (
        any(row.status == "archived" for row in facts.store.campaigns)
        or any(spec.state == "archived" for spec in specs)
        or any(seen.home != "home" for seen in facts.campaigns.values())
    )


def campaigns_begin_with_another(world: World) -> bool:
    """Does a campaign begin with a checkpoint, or did one?"""
    facts, specs = world.facts, [source.spec for source in world.desired.campaigns.values()]
    saved = (one for seen in facts.campaigns.values() for one in seen.checkpoints.complete)
    return (
        any(spec.starting_checkpoint is not None for spec in specs)
        or any(row.starting_from or row.starting_checkpoint for row in facts.store.campaigns)
        or any(one.origin is not None for one in saved)
    )


def campaigns_may_go(world: World) -> bool:
    """Does a spec want a campaign deleted or just its metrics kept, or was one deleted?"""
    specs = [source.spec for source in world.desired.campaigns.values()]
    gone = any(row.status == "deleted" for row in world.facts.store.campaigns)
    return gone or any(spec.state == "deleted" or spec.keep is not None for spec in specs)


def checkpoints_are_marked(world: World) -> bool:
    """Does a spec pin, tag, or name milestones, or did one name them?"""
    retention = world.retention
    specs = [source.spec for source in world.desired.campaigns.values()]
    is_marked = retention is not None and bool(retention.spec.pins or retention.spec.tags)
    named = (row for row in world.facts.store.campaigns if '"step"' in row.card_json)  # a milestone's
    return is_marked or any(spec.milestones is not None for spec in specs) or any(named)


def copies_are_wanted(world: World) -> bool:
    """Do the rules want second copies?"""
    retention = world.retention
    return retention is not None and retention.spec.copies is not None


def the_archive_is_elsewhere(world: World) -> bool:
    """Do the rules want archived campaigns elsewhere, or was something moved there?"""
    retention = world.retention
    return something_was_moved_out(world) or (retention is not None and retention.spec.archive is not None)


def something_was_moved_out(world: World) -> bool:
    """Does a copy elsewhere stand for a checkpoint?"""
    return bool(world.facts.store.trash) and bool(world.facts.moved_out)


def checkpoints_are_read_again(world: World) -> bool:
    """Do the rules, or a person, want checkpoints to be read again?"""
    retention = world.retention
    return somebody_asks(world) or (retention is not None and retention.spec.scrub is not None)


def there_are_datasets(world: World) -> bool:
    """Does a spec describe a dataset?"""
    return bool(world.desired.datasets)


def a_sidecar_is_no_evidence(world: World) -> bool:
    """Lies a sidecar beside a quest's file that cannot be read, or is about other rows?"""
    return any(seen.lineage_problem is not None for seen in world.facts.quest_files.values())


def something_stands_in_the_way(world: World) -> bool:
    """Does anything stand where a file or a folder of the realm belongs?"""
    return bool(world.facts.obstacles)


def the_store_is_an_older_copy(world: World) -> bool:
    """Did somebody put an older copy of the store back?"""
    return world.facts.store.older_copy is not None


def a_place_was_not_seen(world: World) -> bool:
    """May copies lie where nobody could look when the store was made again?"""
    return bool(world.facts.store.unseen_places)


def the_source_is_in_trouble(world: World) -> bool:
    """Can the branch that is followed not be followed?"""
    return world.facts.source is not None


def files_may_differ(world: World) -> bool:
    """Is a campaign's status file not known to be right?"""
    return any(row.name not in world.right for row in world.facts.store.campaigns)
