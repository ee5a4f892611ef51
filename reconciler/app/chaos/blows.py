"""What is done to the toy realm: each blow is something that happens to real machines.

A blow returns what it did, in words; nothing, where there was nothing to hit yet.
"""

import random
import time
from collections.abc import Callable

from reconciler.app.chaos.realm import CAMPAIGN, ToyRealm, last_words, wait_until

_MOST_FAILPOINTS = 60
_DAY_SECONDS = 86_400
_FAULT_SECONDS = 10.0
"""So long a reconciler that is to die at a failpoint may live before it is killed from outside."""


class Broken(Exception):
    """A promise was broken while it was looked at."""


def kill_reconciler(realm: ToyRealm, chance: random.Random) -> str:
    """SIGKILL, at any moment."""
    del chance
    return "the reconciler was killed" if realm.kill_loop() else ""


def kill_trainer(realm: ToyRealm, chance: random.Random) -> str:
    """SIGKILL, at any moment."""
    del chance
    return "the trainer was killed" if realm.kill_trainers() else ""


def kill_both(realm: ToyRealm, chance: random.Random) -> str:
    """A power cut, as far as processes go."""
    del chance
    realm.kill_loop()
    realm.kill_trainers()
    return "everything was killed"


def kill_inside_an_effect(realm: ToyRealm, chance: random.Random) -> str:
    """The reconciler dies between two system calls of an effect."""
    return _strike(realm, chance, "kill")


def full_disk(realm: ToyRealm, chance: random.Random) -> str:
    """One write of the reconciler finds the disk full."""
    return _strike(realm, chance, "ENOSPC")


def failing_disk(realm: ToyRealm, chance: random.Random) -> str:
    """One write or sync of the reconciler fails."""
    return _strike(realm, chance, "EIO")


def _strike(realm: ToyRealm, chance: random.Random, fault: str) -> str:
    realm.kill_loop()
    at = chance.randint(1, _MOST_FAILPOINTS)
    realm.start_loop(REALM_CHAOS_FAILPOINT=f"{at}:{fault}")
    time.sleep(chance.uniform(0.5, 3.0))
    realm.kill_loop()
    return f"{fault} at failpoint {at} of the reconciler"


def fault_in_the_trainer(realm: ToyRealm, chance: random.Random) -> str:
    """The next trainer dies, or finds the disk full, at some point of its life."""
    realm.kill_loop()
    realm.kill_trainers()
    fault, at = chance.choice(("kill", "ENOSPC", "EIO")), chance.randint(1, _MOST_FAILPOINTS)
    realm.start_loop(REALM_FAILPOINT=f"{at}:{fault}")
    time.sleep(chance.uniform(3.0, 6.0))
    realm.kill_loop()
    realm.kill_trainers()
    return f"{fault} at failpoint {at} of the trainer"


def torn_files(realm: ToyRealm, chance: random.Random) -> str:
    """Half of a file is gone, as after a power cut on a file system that promises less."""
    realm.kill_loop()
    realm.kill_trainers()
    campaign = realm.layout.campaign(CAMPAIGN)
    found = [campaign.record, campaign.training_status, realm.layout.active_pointer, campaign.saga]
    found += campaign.runs.glob("*/*.json") if campaign.runs.is_dir() else ()
    torn = [path for path in found if path.is_file() and path.name != "request.json"]
    hit = chance.sample(torn, min(2, len(torn)))
    for path in hit:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return f"half of {' and '.join(path.name for path in hit)} is gone" if hit else ""


def flipped_bit(realm: ToyRealm, chance: random.Random) -> str:
    """A bit of the newest checkpoint's weights changes; that save is lost, and nothing may go on from it."""
    realm.kill_loop()
    realm.kill_trainers()
    step = realm.newest_step()
    weights = realm.layout.campaign(CAMPAIGN).checkpoint(step) / "model.safetensors"
    if not weights.is_file():
        return ""
    content = bytearray(weights.read_bytes())
    content[chance.randrange(len(content) // 2, len(content))] ^= 1 << chance.randrange(8)
    weights.chmod(0o600)
    weights.write_bytes(content)
    weights.chmod(0o400)
    return f"a bit of checkpoint {step} was flipped"


def second_reconciler(realm: ToyRealm, chance: random.Random) -> str:
    """Somebody starts `apply` twice.

    Raises:
        Broken: the second one began.
    """
    del chance
    realm.start_loop()
    wait_until(realm.layout.lock.exists, "the first reconciler is at work", _FAULT_SECONDS)
    time.sleep(1.0)
    said = realm.run("apply", "--once")
    if realm.loop_lives() and "another reconciler holds" not in said.stderr:
        raise Broken(f"a second reconciler began: {last_words(said)}")
    return "a second reconciler was refused"


def lost_store(realm: ToyRealm, chance: random.Random) -> str:
    """The store is gone; `doctor --rebuild` makes it again.

    Raises:
        Broken: it does not.
    """
    del chance
    realm.kill_loop()
    if not realm.layout.store.exists() or realm.layout.store.stat().st_size == 0:
        return ""
    realm.layout.store.unlink()
    said = realm.run("doctor", "--rebuild")
    if said.returncode != 0:
        raise Broken(f"doctor --rebuild: {last_words(said)}")
    return "the store was lost and made again"


def clock_jump(realm: ToyRealm, chance: random.Random) -> str:
    """The clock is some months off for a while."""
    realm.kill_loop()
    days = chance.choice((-400, -40, 40, 400))
    realm.start_loop(REALM_CHAOS_CLOCK=str(days * _DAY_SECONDS))
    time.sleep(chance.uniform(1.0, 3.0))
    realm.kill_loop()
    return f"the clock was {days:+} days off"


Blow = Callable[[ToyRealm, random.Random], str]
BLOWS: dict[str, Blow] = {
    "reconciler killed": kill_reconciler,
    "trainer killed": kill_trainer,
    "both killed": kill_both,
    "killed inside an effect": kill_inside_an_effect,
    "full disk": full_disk,
    "failing disk": failing_disk,
    "fault in the trainer": fault_in_the_trainer,
    "torn files": torn_files,
    "flipped bit": flipped_bit,
    "second reconciler": second_reconciler,
    "lost store": lost_store,
    "clock jump": clock_jump,
}
