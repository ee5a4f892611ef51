"""Following a log: every line once, also those that come, also those of the next run."""

from pathlib import Path

from reconciler.app.looking.logs import follow, read_lines


def test_lines_that_come_are_yielded_whole_and_the_next_run_is_followed(tmp_path: Path) -> None:
    for run in ("g1-a1", "g1-a2"):
        (tmp_path / run).mkdir()
    first, second = (tmp_path / run / "training.log" for run in ("g1-a1", "g1-a2"))
    first.write_bytes(b"one\ntwo\nthr")
    link = tmp_path / "training.log"
    link.symlink_to(first)
    seen: list[str] = []
    steps = iter(range(100))

    def is_over() -> bool:
        match next(steps):
            case 0:
                with first.open("ab") as file:
                    file.write(b"ee\n")
            case 1:
                second.write_bytes(b"again\n")
                link.unlink()
                link.symlink_to(second)
        return len(seen) >= 5

    for line in follow(link, is_over=is_over):
        seen.append(line)  # noqa: PERF402 - is_over looks at it meanwhile
    assert seen == ["one", "two", "three", "--- g1-a2 ---", "again"]


def test_the_last_lines_are_those_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "training.log"
    log.write_bytes(b"one\r\ntwo\nthree")
    assert read_lines(log) == ["one", "two", "three"]
    assert read_lines(log, 2) == ["two", "three"]
    assert read_lines(log, 9) == ["one", "two", "three"]
    assert read_lines(log, 0) == []
