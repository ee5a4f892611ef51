"""A root as nobody wants it: read-only, on a network, with strange names, full of files, or with huge ones."""

import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab, found_realm, rows

COMMAND = (sys.executable, "-m", "reconciler.cli")
HUGE_BYTES = 64 << 30
MOST_MEMORY_KB = 8_000_000
"""Of addresses, not of pages: an interpreter with its libraries takes a part of that, a huge file eight times."""
LONG_AGO = (0, 1_700_000_000)


def in_a_namespace(lab: Lab, mount: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Type a command where something was mounted that nobody else sees."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare(1) to mount something in a namespace with")
    script = f'{mount} || exit 99; exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c", script, "sh", *COMMAND]
    done = subprocess.run(
        [*command, *arguments], cwd=lab.repository, env=lab.environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 99 or "unshare:" in done.stderr:
        pytest.skip(f"this machine lets nobody mount in a namespace of their own: {done.stderr.strip()}")
    return done


def found(lab: Lab) -> None:
    lab.write("data/a.jsonl", rows(range(9)))
    found_realm(lab, ["one"], None, [{"id": "a", "file": "data/a.jsonl", "for": ["one"]}])
    lab.converge()


def content(root: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


def test_apply_and_requests_on_a_read_only_root_say_so_and_change_nothing(the_lab: Lab) -> None:
    found(the_lab)
    the_lab.spec("campaigns/one/campaign-002", id="campaign-002")
    the_lab.commit()
    root = the_lab.layout.root
    before = content(root)

    applied = in_a_namespace(the_lab, f"mount --bind -o ro {root} {root}", "apply", "--once")
    asked = in_a_namespace(the_lab, f"mount --bind -o ro {root} {root}", "pause", "one/campaign-001")

    said = f"reconcile: the root {root} lies on a file system that is mounted read-only; mount it for writing"
    assert (applied.returncode, applied.stderr.startswith(said)) == (1, True), applied.stderr
    assert asked.returncode == 1
    assert "realm.db: Read-only file system; mount it for writing" in asked.stderr
    assert content(root) == before


def test_a_root_on_a_network_file_system_is_refused_and_no_store_is_made_there(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [])
    root, mounts = the_lab.layout.root, the_lab.folder / "mountinfo"
    root.mkdir()
    mounts.write_text(f"22 27 0:21 / / rw - ext4 /dev/vda rw\n24 22 0:23 / {root} rw - nfs4 server:/x rw\n")
    network = f"mount --bind {mounts} /proc/$$/mountinfo"

    applied = in_a_namespace(the_lab, network, "apply", "--once")
    planned = in_a_namespace(the_lab, network, "plan")

    why = f"the root {root} lies on a network file system (nfs4), where locks and renames promise less"
    assert applied.returncode == 1
    assert applied.stderr.startswith(f"reconcile: {why}; choose a place outside")
    assert why in " ".join(planned.stdout.split())
    assert list(root.iterdir()) == []


def test_a_request_to_a_root_on_a_network_file_system_is_refused_and_left_nowhere(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [])
    the_lab.converge()
    root, mounts = the_lab.layout.root, the_lab.folder / "mountinfo"
    mounts.write_text(f"22 27 0:21 / / rw - ext4 /dev/vda rw\n24 22 0:23 / {root} rw - nfs4 server:/x rw\n")
    network = f"mount --bind {mounts} /proc/$$/mountinfo"

    asked = in_a_namespace(the_lab, network, "pause", "one/campaign-001", "--why", "tea")

    assert asked.returncode == 1
    assert asked.stderr == (
        f"reconcile: the root {root} lies on a network file system (nfs4), where locks and renames promise less; "
        "nothing was left there: ask on the machine that has it on a disk of its own\n"
    )
    assert the_lab.store().requests == ()


def test_no_store_is_made_again_on_a_network_file_system(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [])
    the_lab.converge()
    root, mounts = the_lab.layout.root, the_lab.folder / "mountinfo"
    the_lab.layout.store.unlink()
    mounts.write_text(f"22 27 0:21 / / rw - ext4 /dev/vda rw\n24 22 0:23 / {root} rw - nfs4 server:/x rw\n")
    before = content(root)

    made = in_a_namespace(the_lab, f"mount --bind {mounts} /proc/$$/mountinfo", "doctor", "--rebuild")

    assert made.returncode == 3
    assert made.stderr == (
        f"reconcile: the root {root} lies on a network file system (nfs4), where locks and renames promise less; "
        "nothing was made there: run this on the machine that has it on a disk of its own\n"
    )
    assert content(root) == before


def test_names_with_line_ends_and_unicode_twins_stay_apart_and_never_reach_the_terminal(the_lab: Lab) -> None:
    """NFC and NFD of one word are two files; so are they here."""
    twins = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
    quests = [{"id": f"twin-{n}", "file": f"data/{name}.jsonl"} for n, name in enumerate(twins)]
    for number, name in enumerate(twins):
        the_lab.write(f"data/{name}.jsonl", rows(range(number * 10, number * 10 + 5 + number)))
    found_realm(the_lab, ["one"], "one/campaign-001", quests)
    the_lab.reconcile("apply", "--once")
    layout = the_lab.layout
    for number, name in enumerate((*twins, "x\ny", "\x1b[31mred", "a\u202eb")):
        path = layout.inbox / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text(rows(range(100 * number + 50, 100 * number + 53)))
        os.utime(path, LONG_AGO)
    strange = (
        layout.campaigns / "one" / "a\nb",
        layout.campaigns / "one" / "é",
        layout.campaign("one/campaign-001").checkpoints / "checkpoint\n-3",
        layout.campaign("one/campaign-001").runs / "g1\n-a1",
        layout.trash / "x\ny",
        layout.data / "x\ny",
    )
    for folder in strange:
        folder.mkdir(parents=True, exist_ok=True)

    said = [the_lab.reconcile(*verb) for verb in (("plan",), ("apply", "--once"), ("status",), ("doctor",))]

    text = "".join(done.stdout + done.stderr for done in said)
    assert not [one for one in text if one != "\n" and not one.isprintable()]
    assert "x\\ny.jsonl has a name that cannot be printed" in " ".join(text.split())
    digests = {row.quest_id: row.digest for row in the_lab.store().jobs}
    assert len(digests) == len(set(digests.values())) == 4
    assert {"twin-0", "twin-1"} < digests.keys()
    assert all(folder.is_dir() for folder in strange)
    assert sorted(path.name for path in layout.inbox.iterdir()) == [
        "\x1b[31mred.jsonl", "a\u202eb.jsonl", "x\ny.jsonl",
    ]  # fmt: skip


def test_a_quest_whose_path_has_a_line_end_is_a_mistake_with_its_place(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [{"id": "a", "file": "data/a\nb.jsonl"}])

    said = the_lab.reconcile("plan").stderr

    assert r'is "data/a\nb.jsonl"; expected a path that can be printed, without .. or ~' in " ".join(
        said.split()
    )


def limited(lab: Lab, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Type a command that may take no more addresses than a small part of a huge file."""
    script = f'ulimit -v {MOST_MEMORY_KB}; exec "$@"'
    return subprocess.run(
        ["sh", "-c", script, "sh", *COMMAND, *arguments], cwd=lab.repository, env=lab.environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def make_huge(path: Path) -> None:
    """Let a file have 64 GB that take no room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.chmod(0o600)
    with path.open("wb") as file:
        file.truncate(HUGE_BYTES)
    os.utime(path, LONG_AGO)


def test_files_of_64_gb_in_the_place_of_small_ones_are_named_under_a_memory_limit(the_lab: Lab) -> None:
    found(the_lab)
    layout, places = the_lab.layout, the_lab.layout.campaign("one/campaign-001")
    saved = places.checkpoint(7)
    huge = (
        places.record, places.saga, places.training_status, layout.inbox / "x.jsonl", layout.trash / "x.json",
        places.runs / "g1-a1" / "status.json", places.runs / "g1-a1" / "process.json",
        saved / "manifest.json", saved / "model.safetensors", the_lab.repository / "data" / "a.jsonl",
    )  # fmt: skip
    for path in huge:
        make_huge(path)

    said = {verb: limited(the_lab, *verb.split()) for verb in ("plan", "status", "doctor", "apply --once")}

    text = "".join(done.stdout + done.stderr for done in said.values())
    assert "Traceback" not in text
    assert "MemoryError" not in text
    assert {verb: done.returncode < 4 for verb, done in said.items()} == dict.fromkeys(said, True)
    named = "".join(said["plan"].stdout.split())
    for part in ("campaign.jsonofone/campaign-001islargerthan", "blockedinbox/x.jsonl"):
        assert part in named, said["plan"].stdout
    (aside,) = places.record.parent.glob(f"{places.record.name}.*")  # apply wrote another in its place
    ours = {places.record, places.training_status, places.saga}  # views of the store, and a log that goes on
    assert {path.stat().st_size for path in (aside, *huge) if path not in ours} == {HUGE_BYTES}
    assert places.saga.stat().st_size > HUGE_BYTES


PLACES: dict[str, Callable[[Lab], Path]] = {
    "inbox": lambda lab: lab.layout.inbox,
    "trash": lambda lab: lab.layout.trash,
    "data": lambda lab: lab.layout.data,
    "campaigns": lambda lab: lab.layout.campaigns,
    "checkpoints": lambda lab: lab.layout.campaign("one/campaign-001").checkpoints,
    "one-checkpoint": lambda lab: lab.layout.campaign("one/campaign-001").checkpoint(7),
    "runs": lambda lab: lab.layout.campaign("one/campaign-001").runs,
    "queue": lambda lab: lab.layout.queue / "normal",
}


MOST_NAMES = 60_000
"""Of one file: ext4 allows 65,000."""


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_files_in_one_folder_are_looked_at_under_a_memory_limit(the_lab: Lab) -> None:
    found(the_lab)
    for place in PLACES.values():
        folder = place(the_lab)
        folder.mkdir(parents=True, exist_ok=True)
        first: Path | None = None
        for number in range(100_000):
            path = folder / f"f{number}"
            if first is not None and number % MOST_NAMES:
                os.link(first, path)  # takes no room beside its name
            else:
                first = path
                first.touch()

    said = {verb: limited(the_lab, *verb.split()) for verb in ("plan", "status", "apply --once")}

    for done in said.values():
        assert done.returncode == 0, done.stderr[-2000:]
        assert len(done.stdout + done.stderr) < 20_000
    assert all(len(os.listdir(place(the_lab))) >= 100_000 for place in PLACES.values())  # noqa: PTH208
