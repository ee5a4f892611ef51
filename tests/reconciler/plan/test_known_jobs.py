"""What is looked through of jobs that are to be trained: their own rows, read as they are trained."""

from typing import Any

import pytest

from reconciler.app.data.known_jobs import with_untrainable_jobs
from state.contract.inspection import DataFinding, Inspection
from state.layout import Layout

NAME = "pip/campaign-001"
DIGEST = f"sha256:{0:064x}"
FILE = f"sha256:{'a' * 64}"
WHOLE = {"continued": [{"parts": [DIGEST], "starts": [0, 4096], "new": None}]}
NEW = {"digest": "sha256:bb", "size_bytes": 40, "num_rows": 5, "highest_draw": 0.9}
GREW = {"continued": [{"parts": [DIGEST], "starts": [0, 4096], "new": NEW}]}
FIELDS = '{"kind": "fields", "prompt": "prompt", "completion": "completion"}'


def case(job: Any, file: Any, quest: str = "") -> dict[str, Any]:
    campaign = {"checkpoints": [], "jobs": {"q1": job}}
    facts = {"active": NAME, "data": ["q1"], "quest_files": {"q1": file}, "campaigns": {NAME: campaign}}
    return {"specs": {"queue.yaml": f"quests:\n  - {{id: q1, file: sums.jsonl{quest}}}\n"}, "facts": facts}


def looked(world: Any, root: Any, *findings: DataFinding) -> tuple[list[Any], Any]:
    """Return what is asked, and what is known of jobs after each answer has these findings."""
    asked: list[Any] = []

    def look(questions: Any) -> list[Inspection]:
        asked.extend(questions)
        one = Inspection(depth="standard", contract="messages", digest="", num_rows=1, findings=findings)
        return [one for _ in questions]

    return asked, with_untrainable_jobs(world, Layout(root), look).facts.untrainable_jobs


def finding(check: Any, *, is_error: bool = True) -> DataFinding:
    return DataFinding(check=check, is_error=is_error, row=3, found="x", expected="y", advice="z")


@pytest.mark.parametrize(
    ("file", "job", "path", "digest"),
    [
        pytest.param(
            WHOLE, {}, "/data/q1", FILE, id="the file has what was taken in: as it was looked through"
        ),
        pytest.param(GREW, {}, None, DIGEST, id="the file grew"),
        pytest.param({}, {}, None, DIGEST, id="the file has other rows"),
        pytest.param(WHOLE, {"shape_json": FIELDS}, None, DIGEST, id="the file is read in another way"),
    ],
)
def test_the_rows_of_a_job_are_looked_through(world_of, tmp_path, file, job, path, digest) -> None:
    world = world_of(case(job, file))
    ((request, of),) = looked(world, tmp_path)[0]

    assert (request.path, of) == (path or str(Layout(tmp_path).snapshot(DIGEST)), digest)
    assert request.trained_as.max_length == 256
    shape = "fields" if job else "messages"
    assert shape in [one.shape.kind for one in request.contracts]


def test_rows_that_are_read_as_no_contract_says_any_more_are_looked_through_as_they_are_trained(
    world_of, tmp_path
) -> None:
    text = '{"kind": "text", "text": "body"}'
    ((request, _),) = looked(world_of(case({"shape_json": text}, WHOLE)), tmp_path)[0]
    assert [one.shape.kind for one in request.contracts] == ["text"]


@pytest.mark.parametrize(
    ("job", "quest", "number"),
    [
        pytest.param({"status": "queued"}, "", 1, id="queued"),
        pytest.param({"status": "processing"}, "", 1, id="processing"),
        pytest.param({"status": "completed"}, "", 0, id="completed"),
        pytest.param({"status": "completed"}, ", epochs: 2", 1, id="completed, and epochs were raised"),
        pytest.param({"status": "failed"}, "", 0, id="failed"),
    ],
)
def test_what_is_not_to_be_trained_is_not_looked_through(world_of, tmp_path, job, quest, number) -> None:
    asked, _ = looked(world_of(case(job, WHOLE, quest)), tmp_path)
    assert len(asked) == number


def test_only_what_a_run_would_refuse_counts(world_of, tmp_path) -> None:
    world = world_of(case({}, WHOLE))
    long, leak, doubt = finding("length"), finding("leakage"), finding("length", is_error=False)

    assert list(looked(world, tmp_path, leak, long, doubt)[1].values()) == [(long,)]
    assert looked(world, tmp_path, leak, doubt)[1] == {}
