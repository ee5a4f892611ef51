"""What a proof of one row says of rows that equal it."""

import msgspec
import pytest

from reconciler.app.proof.records import Ancestor, FileProof, Occasion, Proof, RowProof
from reconciler.cli.text_proof import proof_text, row_text

ONE = RowProof(
    checkpoint="pip/one@7",
    digest="sha256:1",
    row="sums:1",
    path="sums.jsonl",
    state="waiting",
    occasions=(),
    problems=(),
)


@pytest.mark.parametrize(("num_equal", "is_said"), [(1, False), (3, True)])
def test_rows_of_equal_content_are_said_to_count_together(num_equal: int, is_said: bool) -> None:
    said = row_text(msgspec.structs.replace(ONE, num_equal=num_equal), 80)
    assert ("3 rows of the file have this content; they count together." in said) == is_said


def test_a_row_that_was_learnt_very_often_lists_twenty_times_unless_wide() -> None:
    once = [Occasion(campaign="pip/one", epoch=1, step=step, after_step=0, run="g1-a1", checkpoint="pip/one@7", quest="q", part=1, row=1)
            for step in range(1, 31)]  # fmt: skip
    often = msgspec.structs.replace(ONE, state="learnt", occasions=tuple(once))
    assert row_text(often, 80).splitlines()[-1] == "and 10 more: see --wide or --json"
    assert len(row_text(often, 80).splitlines()) == 1 + 1 + 20 + 1
    assert len(row_text(often, None).splitlines()) == 1 + 1 + 30


def test_problems_and_notes_fit_80_columns_and_lose_no_word() -> None:
    problem = "pip/campaign-001@561 has a gap of the ledger before it that nobody can look into any more"
    told = row_text(msgspec.structs.replace(ONE, problems=(problem,)), 80)
    assert max(map(len, told.splitlines())) <= 80
    assert f"Not known: {problem}." in " ".join(told.split())
    assert f"Not known: {problem}." in row_text(msgspec.structs.replace(ONE, problems=(problem,)), None)

    proof = Proof(
        checkpoint="tiny-adamw/campaign-001@1121",
        digest="blake3:" + "a" * 64,
        is_proven=False,
        ancestors=(
            Ancestor(
                checkpoint="tiny-adamw/campaign-001@1121",
                digest="blake3:a",
                kept="folder",
                run=None,
                saved_at="2026-01-31T12:00:00Z",
                num_rows=9,
            ),
        ),
        quests=(),
        files=(),
        problems=(problem,),
        notes=(problem,),
    )
    lines = proof_text(proof, 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()).endswith(f"Note: {problem}. Not proven: {problem}.")


def of_file(*invalid: tuple[int, int]) -> Proof:
    link = Ancestor(
        checkpoint="pip/one@7",
        digest="b",
        kept="folder",
        run=None,
        saved_at="2026-01-31T12:00:00Z",
        num_rows=9,
    )
    file = FileProof(quest="q", file="q.jsonl", num_rows=50, invalid=invalid)
    return Proof(
        checkpoint="pip/one@7", digest="b", is_proven=True, ancestors=(link,), quests=(), files=(file,), problems=(), notes=()
    )  # fmt: skip


def test_rows_that_were_left_out_are_counted_and_named_with_where_all_of_them_stand() -> None:
    few = proof_text(of_file((3, 3), (7, 8)), 80)
    assert "3 invalid (rows 3, 7-8)" in few
    assert "Why rows are invalid: reconcile validate --data" in few
    assert "see --wide" not in few

    many = [(row, row) for row in range(1, 20, 2)]
    cut, whole = proof_text(of_file(*many), 80), proof_text(of_file(*many), None)
    assert "10 invalid (rows 1, 3, 5, 7 and 6 more)" in cut
    assert "All of these rows: see --wide or --json" in cut
    assert "10 invalid (rows 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)" in whole
    assert "see --wide" not in whole
