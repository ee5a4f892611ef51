"""The inbox: what is settled is checked, what is not is named, and nothing outside it is ever looked at."""

import gzip
import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.observed import inbox
from reconciler.observed.data_records import InboxFacts, InboxFile
from reconciler.observed.inbox import observe_inbox
from reconciler.observed.taken_in import TakenIn
from state.contract.contents import KnownPart
from state.contract.row_contracts import BUILT_IN
from state.layout import Layout

NOW = "2026-01-31T12:00:00Z"
NOW_SECONDS = 1769860800
ROW = b'{"messages": [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}]}\n'
Drop = Callable[..., Path]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "root")
    made.inbox.mkdir(parents=True)
    return made


@pytest.fixture
def drop(layout: Layout) -> Drop:
    """Return a function that drops a file, changed so many seconds before now."""

    def make(name: str, content: bytes = ROW * 2, age_seconds: float = 60) -> Path:
        path = layout.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (0, NOW_SECONDS - age_seconds))
        return path

    return make


def look(layout: Layout) -> InboxFacts:
    return observe_inbox(layout, BUILT_IN, NOW)


def only(layout: Layout) -> InboxFile:
    (file,) = look(layout).files
    return file


def test_no_inbox_is_an_empty_one(tmp_path: Path) -> None:
    assert look(Layout(tmp_path)) == InboxFacts()


def test_a_settled_file_in_any_folder_is_checked_with_its_path_below_the_inbox(
    layout: Layout, drop: Drop
) -> None:
    drop("maths/one/sums.jsonl")

    file = only(layout)

    assert (file.name, file.state, file.findings) == ("maths/one/sums.jsonl", "settled", ())
    assert file.content is not None
    assert (file.content.num_rows, file.content.contract.name) == (2, "messages")
    assert file.sha256 == file.content.digest


def test_a_file_that_changed_less_than_ten_seconds_ago_is_not_read(layout: Layout, drop: Drop) -> None:
    drop("sums.jsonl", b"not even json", age_seconds=9)

    file = only(layout)

    assert (file.state, file.content, file.findings) == ("changing", None, ())
    assert (file.size_bytes, file.changed_at) == (13, "2026-01-31T11:59:51Z")


def test_a_file_that_a_program_has_open_for_writing_is_not_settled(layout: Layout, drop: Drop) -> None:
    path = drop("sums.jsonl")
    with path.open("ab"):
        assert only(layout).state == "open"
    assert only(layout).state == "settled"


def test_a_file_whose_last_line_is_torn_is_not_settled(layout: Layout, drop: Drop) -> None:
    drop("sums.jsonl", ROW + ROW[:20])
    assert only(layout).state == "torn"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (gzip.compress(ROW), "the file is compressed (gzip)"),
        ((ROW + ROW).decode().encode("utf-16"), "the file is UTF-16, not UTF-8"),
        ((ROW + ROW).replace(b"\n", b"\r"), "the rows end with a carriage return alone"),
    ],
    ids=["gzip", "utf-16", "carriage returns"],
)
def test_what_is_no_json_lines_at_all_is_refused_by_its_name_not_as_torn(
    layout: Layout, drop: Drop, content: bytes, found: str
) -> None:
    drop("sums.jsonl", content)
    file = only(layout)
    assert (file.state, len(file.findings)) == ("settled", 1)
    assert found in str(file.findings[0])


def test_a_last_line_without_a_line_end_that_is_whole_as_json_counts(layout: Layout, drop: Drop) -> None:
    drop("sums.jsonl", ROW + ROW.removesuffix(b"\n"))
    file = only(layout)
    assert file.state == "settled"
    assert file.content is not None
    assert file.content.num_rows == 2


def test_a_time_of_change_in_the_future_is_not_believed_when_the_file_is_older(
    layout: Layout, drop: Drop
) -> None:
    drop("sums.jsonl", age_seconds=-3600)
    later = (
        "2999-01-01T00:00:00Z"  # of the real change of the file, which the kernel notes, this is long after
    )
    os.utime(layout.inbox / "sums.jsonl", (0, 40_000_000_000))

    (file,) = observe_inbox(layout, BUILT_IN, later).files

    assert file.state == "settled"


def test_a_file_changed_in_the_future_by_every_clock_is_named(layout: Layout, drop: Drop) -> None:
    drop("sums.jsonl", age_seconds=-3600)

    (file,) = observe_inbox(layout, BUILT_IN, "2026-01-31T12:00:00Z").files

    assert (file.state, file.changed_at) == ("future", "2026-01-31T13:00:00Z")


@pytest.mark.parametrize(
    ("ahead_seconds", "state"), [(0.0, "changing"), (0.999, "changing"), (1.0, "future")]
)
def test_a_file_that_is_changed_at_this_very_second_is_new_and_not_of_the_future(
    layout: Layout, drop: Drop, ahead_seconds: float, state: str
) -> None:
    drop("sums.jsonl")
    changed = datetime.fromisoformat("2026-01-31T12:00:00Z").timestamp() + ahead_seconds
    os.utime(layout.inbox / "sums.jsonl", (changed, changed))

    (file,) = observe_inbox(layout, BUILT_IN, "2026-01-31T12:00:00Z").files

    assert file.state == state


@pytest.mark.parametrize(("late_seconds", "state"), [(3, "changing"), (60, "future")])
def test_a_file_that_grew_while_others_were_looked_at_is_new_and_not_of_the_future(
    layout: Layout, drop: Drop, late_seconds: int, state: str
) -> None:
    drop("sums.jsonl")
    place = layout.inbox / "sums.jsonl"
    os.utime(place)
    looked_at = datetime.fromtimestamp(int(place.stat().st_ctime) - late_seconds, UTC)

    (file,) = observe_inbox(layout, BUILT_IN, looked_at.strftime("%Y-%m-%dT%H:%M:%SZ")).files

    assert file.state == state


def test_bad_rows_are_findings_by_their_number(layout: Layout, drop: Drop) -> None:
    drop("sums.jsonl", ROW + b'{"messages": []}\n')

    file = only(layout)

    assert file.content is None
    (finding,) = file.findings
    assert (finding.row, finding.found) == (2, '"messages" is an empty list')


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("notes.txt", "is no *.jsonl file"),
        (".sums.jsonl", "is hidden"),
        ("sums.jsonl.part", "is a partial copy by its name"),
        ("sums.jsonl.tmp", "is a partial copy by its name"),
        ("sums.jsonl~", "is a partial copy by its name"),
        ("su\x1bms.jsonl", "has a name that cannot be printed"),
    ],
)
def test_other_names_are_left_alone_and_named(layout: Layout, drop: Drop, name: str, why: str) -> None:
    drop(name)

    seen = look(layout)

    assert seen.files == ()
    assert [one.reason for one in seen.ignored] == [why]
    assert seen.ignored[0].name.isprintable()


def test_no_link_is_followed(layout: Layout, drop: Drop, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.jsonl").write_bytes(ROW)
    (layout.inbox / "a.jsonl").symlink_to(outside / "mine.jsonl")
    (layout.inbox / "folder").symlink_to(outside)

    seen = look(layout)

    assert seen.files == ()
    assert [(one.name, one.reason) for one in seen.ignored] == [
        ("a.jsonl", "is a link, which is not followed"),
        ("folder", "is a link, which is not followed"),
    ]


def test_a_pipe_does_not_hang_the_look(layout: Layout) -> None:
    os.mkfifo(layout.inbox / "pipe.jsonl")
    assert [one.reason for one in look(layout).ignored] == ["is no plain file"]


def test_what_is_beyond_the_limit_is_counted(
    layout: Layout, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        drop(f"{number}.jsonl")
    monkeypatch.setattr(inbox, "MAX_ENTRIES", 3)

    seen = look(layout)

    assert [file.name for file in seen.files] == ["0.jsonl", "1.jsonl", "2.jsonl"]
    assert seen.num_unseen == 2


def test_an_inbox_that_is_a_link_is_a_problem_and_not_empty(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "root")
    layout.root.mkdir()
    layout.inbox.symlink_to(tmp_path)
    assert look(layout).problem == f"{layout.inbox}: is a symbolic link, which is not followed"


def test_of_a_file_that_begins_with_what_was_taken_in_only_the_rest_counts(
    layout: Layout, drop: Drop
) -> None:
    other = ROW.replace(b"1+1", b"1+2")
    drop("sums.jsonl", ROW * 2 + other * 3)
    known = KnownPart("sha256:" + hashlib.sha256(ROW * 2).hexdigest(), len(ROW * 2))

    (file,) = observe_inbox(layout, BUILT_IN, NOW, taken=TakenIn([known])).files

    assert file.content is not None
    assert (file.start_byte, file.content.num_rows) == (len(ROW * 2), 3)
    assert file.content.digest == "sha256:" + hashlib.sha256(other * 3).hexdigest()
    assert file.sha256 == "sha256:" + hashlib.sha256(ROW * 2 + other * 3).hexdigest()


def arrive_after(before: Path | None, path: Path) -> None:
    """Let the kernel note a later time of a file than of the one before it; its clock moves every few ms."""
    status = path.stat()
    while before is not None and path.stat().st_ctime_ns <= before.stat().st_ctime_ns:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_files_stand_as_they_arrived_whatever_times_they_brought_along(layout: Layout, drop: Drop) -> None:
    before = None
    for name, age_seconds in (
        ("zz", 60),
        ("future", -3600),
        ("B", 60),
        ("last year", 31_536_000),
        ("aa", 57),
    ):
        path = drop(f"{name}.jsonl", age_seconds=age_seconds)
        arrive_after(before, path)
        before = path

    names = [file.name.removesuffix(".jsonl") for file in look(layout).files]
    assert names == ["zz", "future", "B", "last year", "aa"]


def test_a_file_that_is_moved_in_arrives_then_and_not_when_it_was_written(layout: Layout, drop: Drop) -> None:
    first, elsewhere = drop("first.jsonl"), layout.root / "written-before.jsonl"
    second = drop("second.jsonl")
    arrive_after(first, second)
    for _ in range(100_000):
        first.rename(elsewhere)
        elsewhere.rename(first)
        if first.stat().st_ctime_ns > second.stat().st_ctime_ns:
            break  # the kernel's clock moves every few ms

    assert [file.name for file in look(layout).files] == ["second.jsonl", "first.jsonl"]
