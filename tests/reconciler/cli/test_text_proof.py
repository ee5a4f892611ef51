"""What a proof of one row says of rows that equal it."""

import msgspec
import pytest

from reconciler.app.proof.records import RowProof
from reconciler.cli.text_proof import row_text

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
