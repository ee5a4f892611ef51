"""The folders of queue/ are made from the store; strangers in them are not touched."""

import json
from typing import Any

from reconciler.observed.queue_folders import observe_queue_folders
from reconciler.plan import actions as a


def names(realm: Any) -> list[str]:
    return sorted(str(path.relative_to(realm.layout.queue)) for path in realm.layout.queue.rglob("*.*"))


def test_the_folders_follow_a_job_from_its_place_in_the_queue_to_its_end(realm: Any, make: Any) -> None:
    (job,) = realm.view().jobs

    assert realm.done(a.WriteQueueFolders()) == ["2 entries written or removed"]
    assert names(realm) == [f"normal/{job.id}.meta.json", "normal/sums.jsonl"]
    assert (realm.layout.queue / "normal/sums.jsonl").read_bytes() == make.rows
    assert realm.json(realm.layout.queue / f"normal/{job.id}.meta.json")["status"] == "queued"

    realm.done(make.mark("completed", start_step=0, final_step=3), a.WriteQueueFolders())

    assert names(realm) == [
        f"recently_completed/{job.id}.meta.json", "recently_completed/sums_20260131_120000.jsonl",
    ]  # fmt: skip
    assert str((realm.layout.queue / names(realm)[1]).readlink()).startswith("../../data/")


def test_strangers_stay_and_nothing_is_written_twice(realm: Any) -> None:
    folder = realm.layout.queue / "normal"
    folder.mkdir(parents=True)
    (folder / "sums.jsonl").write_text("mine")
    (folder / "notes.txt").write_text("mine")
    (folder / "other.meta.json").write_text("{}")

    realm.done(a.WriteQueueFolders())

    assert realm.done(a.WriteQueueFolders()) == ["0 entries written or removed"]
    assert (folder / "sums.jsonl").read_text() == "mine"
    assert (folder / "sums-2.jsonl").is_symlink()
    assert {path.name for path in folder.iterdir()} >= {"notes.txt", "other.meta.json"}


def test_a_queue_folder_that_is_a_link_is_a_problem_and_nothing_is_written_through_it(
    realm: Any, tmp_path: Any
) -> None:
    realm.layout.queue.symlink_to(tmp_path)

    assert observe_queue_folders(realm.layout).problem == (
        f"{realm.layout.queue}: is a symbolic link, which is not followed"
    )
    assert realm.done(a.WriteQueueFolders()) == ["0 entries written or removed"]
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_record_is_written_anew(realm: Any) -> None:
    realm.done(a.WriteQueueFolders())
    (record,) = realm.layout.queue.glob("normal/*.meta.json")
    record.write_text("{torn")

    realm.done(a.WriteQueueFolders())

    assert json.loads(record.read_text())["priority"] == "normal"
