"""`validate --data` as text: what many rows share is said once."""

from reconciler.app.checking.validate_data import DataValidation, QuestData
from reconciler.cli.text_data import data_text
from state.contract.inspection import Check, DataFinding, Inspection, TokenCounts

ADVICE = "The rows are generated: another level, seed or count gives others."


def finding(row: int, found: str, check: Check = "duplicate", *, is_error: bool = False) -> DataFinding:
    return DataFinding(
        check=check, is_error=is_error, row=row, found=found, expected="other rows", advice=ADVICE
    )


def told(*findings: DataFinding, depth="standard", **counts: int) -> list[str]:
    seen = Inspection(
        depth=depth, contract="messages", digest="d", num_rows=900, counts=counts, findings=findings
    )
    quest = QuestData(quest="q1", campaign=None, where="specs/queue.yaml:2", path=None, inspection=seen)
    return data_text(DataValidation(source="s", depth=depth, quests=(quest,))).splitlines()


def test_warnings_that_many_rows_share_are_one_paragraph_with_the_rows_and_the_number_of_the_others() -> None:
    lines = told(*(finding(row, f"the same as row {row - 9}") for row in range(10, 20)), duplicate=803)
    assert "  ".join(" ".join(lines).split()) == "  ".join(
        (
            "quest/q1 specs/queue.yaml:2 900 rows, messages "
            "warning: duplicate: row 10: the same as row 1; expected other rows. " + ADVICE + " "
            "also rows 11, 12, 13, 14, 15, 16, 17, 18, 19 and 793 more "
            "1 quest, 900 rows, 0 errors, 803 warnings at depth standard: rows and tokens; near duplicates: "
            "--depth deep"
        ).split()
    )
    assert max(map(len, lines)) <= 80


def test_each_error_has_its_own_line_and_warnings_of_other_checks_theirs() -> None:
    lines = told(
        finding(1, "300 tokens", "length", is_error=True),
        finding(2, "301 tokens", "length", is_error=True),
        finding(3, "a strange sign", "encoding"),
        finding(4, "the same as row 3"),
    )
    text = " ".join(" ".join(lines).split())
    assert text.count("error: length: row ") == 2
    assert "warning: encoding: row 3: a strange sign; expected other rows." in text
    assert "warning: duplicate: row 4: the same as row 3; expected other rows." in text
    assert "also" not in text


def test_errors_that_say_the_very_same_of_several_rows_are_one_paragraph() -> None:
    lines = told(
        *(finding(row, "there is no field", "shape", is_error=True) for row in (4, 5, 9)),
        finding(7, "an empty line", "shape", is_error=True),
        shape=25,
    )
    text = " ".join(" ".join(lines).split())
    assert (
        f"error: shape: row 4: there is no field; expected other rows. {ADVICE} also rows 5, 9 error:" in text
    )
    assert "error: shape: row 7: an empty line;" in text
    assert "shape: 21 more" in text
    assert "25 errors" in text


def test_of_a_check_that_one_row_is_shown_of_the_others_are_counted() -> None:
    assert "also 20 more" in " ".join(told(finding(4, "the same as row 3"), duplicate=21))


def test_the_room_of_batches_is_said_in_words() -> None:
    counts = TokenCounts(
        num_tokens=100, num_trained=50, longest=9, median=5, max_length=128, updates=7, fill=0.09
    )
    seen = Inspection(depth="deep", contract="messages", digest="d", num_rows=9, tokens=counts)
    quest = QuestData(quest="q1", campaign=None, where="w", path=None, inspection=seen)
    text = " ".join(data_text(DataValidation(source="s", depth="deep", quests=(quest,))).split())
    assert "7 updates an epoch, batches 9% full" in text
    assert text.endswith("0 warnings at depth deep: rows, tokens and near duplicates")
