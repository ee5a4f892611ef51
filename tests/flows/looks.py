"""A realm's root at one moment, as plain JSON and SQL rows say: what the guardian looks at (see guardian.py)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from state.store.connection import open_reader

Row = dict[str, Any]


class Look(NamedTuple):
    """The realm at one moment."""

    ledger: dict[int, Row]
    trash: dict[int, Row]
    campaigns: dict[str, Row]
    jobs: dict[str, Row]
    places: dict[str, Path]
    """Digest of each checkpoint that lies in a campaign's folder → where."""
    elsewhere: dict[str, Path]
    """The same of those that lie where the rules want what is archived."""
    manifests: dict[str, Row]
    """Digest of each of both → its manifest."""
    records: dict[str, Row]
    """Uid → campaign.json."""
    runs: frozenset[tuple[str, str]]
    """Uid of the campaign, folder of the run."""

    def there(self, uid: str) -> list[Row]:
        """Return the ledger rows of a campaign whose checkpoints lie in their place, or were moved out of it."""
        mine = (row for row in self.ledger.values() if row["campaign_uid"] == uid)
        return [row for row in mine if row["digest"] in self.places or self.is_moved(row["sequence"])]

    def is_moved(self, sequence: int) -> bool:
        """Does a copy elsewhere stand for it?"""
        stone = self.trash.get(sequence, {"kind": None})
        return stone["kind"] == "moved" and stone["state"] != "restored"


NOTHING = Look({}, {}, {}, {}, {}, {}, {}, {}, frozenset())


def look_at(root: Path, elsewhere: Path | None = None) -> Look:
    """Return the realm as it is; `elsewhere`: where the rules want what is archived."""
    found = dict(_checkpoints(root, "campaigns/**/checkpoints/checkpoint-*"))
    archived = dict(_checkpoints(elsewhere, "**/checkpoint-*") if elsewhere else ())
    with open_reader(root / "realm.db") as connection:
        tables = ("ledger", "trash", "campaigns", "jobs")
        ledger, trash, campaigns, jobs = (_rows(connection, table) for table in tables)
    records = {record["uid"]: (path, record) for path, record in _records(root)}
    return Look(
        ledger={row["sequence"]: row for row in ledger},
        trash={row["sequence"]: row for row in trash},
        campaigns={row["uid"]: row for row in campaigns},
        jobs={row["uid"]: row for row in jobs},
        places={digest: path for digest, (path, _) in found.items()},
        elsewhere={digest: path for digest, (path, _) in archived.items()},
        manifests={digest: manifest for digest, (_, manifest) in {**found, **archived}.items()},
        records={uid: record for uid, (_, record) in records.items()},
        runs=frozenset(
            (uid, run.name) for uid, (path, _) in records.items() for run in path.parent.glob("runs/*")
        ),
    )


def _records(root: Path) -> Iterator[tuple[Path, Row]]:
    for pattern in ("campaigns/*/*/campaign.json", "campaigns/archive/*/*-archived/campaign.json"):
        for path in root.glob(pattern):
            yield path, json.loads(path.read_bytes())


def _checkpoints(top: Path, pattern: str) -> Iterator[tuple[str, tuple[Path, Row]]]:
    for folder in sorted(top.glob(pattern)):
        manifest = folder / "manifest.json"
        if manifest.exists():
            record = json.loads(manifest.read_bytes())
            yield record["digest"], (folder, record)


def _rows(connection: Any, table: str) -> list[Row]:
    cursor = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - a name of ours
    return [dict(zip((name for name, *_ in cursor.description), values, strict=True)) for values in cursor]
