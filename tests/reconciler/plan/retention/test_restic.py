"""restic, where it is installed, and our rules keep the same of random histories under random rules.

What differs, and is kept out of the histories here:
- restic has no losses, steps, milestones and health: those rules have no counterpart.
- restic orders by time, we by the ledger's sequence with times that never run backwards. So times grow here.
- restic counts days in the machine's zone, we in UTC. So its zone is UTC here.
- Before 0.16 restic keeps no oldest one while a count is not used up, as it does since and as we do: with such a
  restic that reason of ours is left out. Nor has it a word for "no limit", so no count here is ALL.
- What we protect beside the rules (the newest, pins, the minimum age) restic has not: rules are compared alone.
"""

import json
import os
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reconciler.plan.retention.history import history_of
from reconciler.plan.retention.keep_rules import reasons_by_rule
from reconciler.plan.retention.records import Record
from reconciler.plan.retention.rules import Rules

NUM_HISTORIES, NUM_SAVES, NUM_RULES = 5, 13, 60
TAGS = ("release", "draft")
STEPS = (timedelta(minutes=7), timedelta(hours=1), timedelta(hours=13), timedelta(days=3), timedelta(days=40))
COUNTED = ("last", "hourly", "daily", "weekly", "monthly", "yearly")


class Save(NamedTuple):
    """A snapshot of restic, and a checkpoint of ours."""

    at: datetime
    tags: tuple[str, ...]


def a_history(chance: random.Random) -> list[Save]:
    """Return saves, some minutes to some months apart, over year ends and weeks that belong to two years."""
    at, found = datetime(2019, 11, chance.randint(1, 28), 12, 3, 5, tzinfo=UTC), []
    for _ in range(NUM_SAVES):
        at += chance.choice(STEPS) * chance.randint(1, 5)
        found.append(Save(at, (chance.choice(TAGS),) if chance.random() < 0.2 else ()))
    return found


def some_rules(chance: random.Random) -> Rules:
    """Return random rules, at least one of which keeps something."""
    while True:
        counts = {name: chance.randint(1, 6) for name in COUNTED if chance.random() < 0.35}
        days = chance.choice([None, None, 1, 30, 200])
        rules = Rules(
            **counts,
            within_seconds=None if days is None else days * 86_400.0,
            tags=chance.choice([(), (), TAGS[:1], TAGS]),
        )
        if rules.keeps_by_rule:
            return rules


class Restic:
    """A repository with each history under a host of its own."""

    def __init__(self, folder: Path) -> None:
        self._environment = {
            **os.environ,
            "RESTIC_REPOSITORY": str(folder / "repository"), "RESTIC_PASSWORD": "x", "TZ": "UTC",
            "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"),
        }  # fmt: skip
        self.say("init")
        version = self.say("version").split()[1]
        self.keeps_oldest = tuple(int(part) for part in version.split(".")[:2]) >= (0, 16)

    def say(self, *arguments: str) -> str:
        """Return what it prints."""
        done = subprocess.run(
            ["restic", "--quiet", *arguments], env=self._environment, input="content",
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def save(self, host: str, save: Save) -> None:
        tags = [word for tag in save.tags for word in ("--tag", tag)]
        at = save.at.strftime("%Y-%m-%d %H:%M:%S")
        self.say("backup", "--stdin", "--host", host, "--time", at, *tags)

    def kept(self, rules: Rules) -> dict[str, set[datetime]]:
        """Return what it would keep of each history."""
        words = [f"--keep-{name}={getattr(rules, name)}" for name in COUNTED if getattr(rules, name)]
        words += [f"--keep-tag={tag}" for tag in rules.tags]
        if rules.within_seconds is not None:
            words.append(f"--keep-within={rules.within_seconds / 86_400:.0f}d")
        said = self.say("forget", "--dry-run", "--json", "--group-by", "host", *words)
        groups: list[dict[str, Any]] = json.loads(said)
        return {one["host"]: {moment(kept["time"]) for kept in one["keep"] or ()} for one in groups}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def ours(saves: list[Save], rules: Rules, *, keeps_oldest: bool) -> set[datetime]:
    records = [
        Record(
            id=one.at.isoformat(), sequence=number, segment=1, step=number, saved_at=one.at.isoformat(),
            recorded_at_seconds=0.0, healthy=True, tags=one.tags,
        )
        for number, one in enumerate(saves)
    ]  # fmt: skip
    reasons = reasons_by_rule(history_of(records), rules)
    return {saves[at].at for at, why in reasons if keeps_oldest or not why.startswith("oldest ")}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_restic_keeps_the_same_of_random_histories(tmp_path: Path) -> None:
    if shutil.which("restic") is None:
        pytest.skip("needs restic")
    chance = random.Random(5)
    restic = Restic(tmp_path)
    histories = {f"host-{number}": a_history(chance) for number in range(NUM_HISTORIES)}
    for host, saves in histories.items():
        for save in saves:
            restic.save(host, save)

    num_dropped = 0
    for _ in range(NUM_RULES):
        rules = some_rules(chance)
        theirs = restic.kept(rules)
        for host, saves in histories.items():
            assert ours(saves, rules, keeps_oldest=restic.keeps_oldest) == theirs[host], f"{host}: {rules}"
            num_dropped += len(saves) - len(theirs[host])
    assert num_dropped > NUM_RULES
