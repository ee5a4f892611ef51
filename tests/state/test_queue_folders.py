"""The folders of queue/ show the jobs and nothing else; what is not ours is never named for a change."""

import pytest

from state import queue_folders
from state.formats import encode_record, job_record
from state.queue_folders import Changes, Found, queue_changes
from state.store.rows import JobRow

HEX = "a" * 64
CONTENT = f"../../data/{HEX}.jsonl"


def job(number: int = 1, **fields: object) -> JobRow:
    given = {
        "uid": f"uid{number}", "id": f"2026-01-31T12:00:0{number}_sums.jsonl", "quest_id": f"q{number}",
        "campaign_uid": "c", "hero_id": "pip", "campaign_id": "campaign-001", "source_key": "k",
        "dataset_path": "/data/sums.jsonl", "digest": f"sha256:{HEX}", "num_examples": 3, "shape_json": "{}",
        "priority": "normal", "epochs": 1, "status": "queued", "created_at": f"2026-01-31T12:00:0{number}Z",
    }  # fmt: skip
    return JobRow(**(given | fields))


def changes(jobs: list[JobRow], found: Found = Found()) -> Changes:  # noqa: B008 - frozen
    return queue_changes(jobs, found, lambda: {one.id for one in jobs})


def found_as(made: Changes) -> Found:
    """Return the folders after the changes were made to empty ones."""
    return Found(
        links=made.links, records={path: encode_record(record) for path, record in made.records.items()}
    )


@pytest.mark.parametrize(
    ("fields", "folder"),
    [
        ({"priority": "high"}, "high"),
        ({}, "normal"),
        ({"priority": "low"}, "low"),
        ({"priority": "high", "demoted": True}, "low"),
        ({"status": "processing"}, "processing"),
        ({"status": "failed", "finished_at": "2026-01-31T13:00:00Z"}, "failed"),
    ],
)
def test_each_job_lies_in_the_folder_of_its_state_as_a_link_and_a_record(
    fields: dict[str, object], folder: str
) -> None:
    one = job(**fields)

    made = changes([one])

    assert made.links == {f"{folder}/sums.jsonl": CONTENT}
    assert made.records == {f"{folder}/{one.id}.meta.json": job_record(one)}
    assert made.removed == ()


def test_a_completed_job_has_the_time_in_its_files_name() -> None:
    made = changes([job(status="completed", finished_at="2026-01-31T13:14:15Z")])
    assert list(made.links) == ["recently_completed/sums_20260131_131415.jsonl"]


def test_a_skipped_job_is_not_shown() -> None:
    assert changes([job(status="skipped")]) == Changes()


def test_what_is_right_is_no_change() -> None:
    jobs = [job(1), job(2), job(3, status="processing")]
    assert changes(jobs, found_as(changes(jobs))) == Changes()


def test_jobs_with_files_of_the_same_name_get_numbers_and_parts_say_which() -> None:
    made = changes([job(1), job(2), job(3, part=2, quest_id="q1")])
    assert sorted(made.links) == ["normal/sums+2.jsonl", "normal/sums-2.jsonl", "normal/sums.jsonl"]


def test_a_job_that_moved_on_leaves_nothing_behind_and_takes_unknown_keys_with_it() -> None:
    before = found_as(changes([job()]))
    path = f"normal/{job().id}.meta.json"
    mine = encode_record(job_record(job()) | {"mine": 1})
    moved = job(status="processing")

    made = changes([moved], Found(links=before.links, records={path: mine}))

    assert made.links == {"processing/sums.jsonl": CONTENT}
    assert made.records == {f"processing/{moved.id}.meta.json": job_record(moved) | {"mine": 1}}
    assert made.removed == (path, "normal/sums.jsonl")


def test_what_was_changed_by_hand_is_put_right() -> None:
    right = found_as(changes([job()]))
    path = f"normal/{job().id}.meta.json"
    other = "b" * 64

    made = changes(
        [job()], Found(links={"normal/sums.jsonl": f"../../data/{other}.jsonl"}, records={path: b"x"})
    )

    assert made.links == right.links
    assert list(made.records) == [path]


def test_strangers_are_never_written_over_or_removed() -> None:
    strangers = Found(
        links={"normal/sums.jsonl": "/home/kim/sums.jsonl", "failed/x.jsonl": "../elsewhere"},
        records={"failed/notes.meta.json": b"{}"},
        others=("normal/readme.txt", "normal/sums-2.jsonl"),
    )

    made = changes([job()], strangers)

    assert list(made.links) == ["normal/sums-3.jsonl"]
    assert made.removed == ()


def test_only_so_many_are_shown_those_that_wait_longest_and_those_that_ended_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue_folders, "MAX_WAITING", 2)
    monkeypatch.setattr(queue_folders, "MAX_DONE", 1)
    waiting = [job(number) for number in (3, 1, 2)]
    done = [
        job(number, status="completed", finished_at=f"2026-01-31T13:00:0{number}Z") for number in (4, 6, 5)
    ]

    made = changes([*waiting, *done])

    shown = sorted(path.partition("/")[2] for path in made.records)
    assert shown == [f"{one.id}.meta.json" for one in (job(1), job(2), job(6))]


@pytest.mark.parametrize("path", ["", "/", "/data/su\nms.jsonl", f"/data/{'x' * 250}.jsonl", "/data/.jsonl"])
def test_a_file_name_that_cannot_be_shown_is_that_of_the_quest(path: str) -> None:
    assert list(changes([job(dataset_path=path)]).links) == ["normal/q1.jsonl"]
