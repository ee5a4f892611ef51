"""`reconcile prove --row`, and what a proof says of each row of today's file."""

from pathlib import Path

import pytest
from lab import rows
from proving import ONE, SUMS, Realm


@pytest.fixture(scope="module")
def one_realm(tmp_path_factory: pytest.TempPathFactory) -> Realm:
    """A realm that has learnt eight rows, for tests that only look."""
    realm = Realm(tmp_path_factory.mktemp("one"))
    realm.data(rows(range(8)))
    realm.apply()
    return realm


def numbers(spans: list[list[int]]) -> list[int]:
    return [row for first, last in spans for row in range(first, last + 1)]


def test_todays_file_says_which_rows_are_new_edited_or_gone(realm: Realm) -> None:
    realm.data(rows(range(12)))
    realm.apply(queue={"quests": [{**SUMS, "on_edit": "ignore"}]})
    lines = rows(range(12)).splitlines(keepends=True)
    lines[2] = rows([102])
    del lines[11]
    realm.data("".join(lines) + rows([0, 200]) + "not a row\n")
    found = realm.proof(ONE)
    assert found["files"][0]["problem"] is not None  # a file with a broken row is no quest's
    realm.data("".join(lines) + rows([0, 200]))

    (file,) = realm.proof(ONE)["files"]

    assert file["problem"] is None
    assert [(one["times"], numbers(one["rows"])) for one in file["times"]] == [(1, [1, 2, *range(4, 12), 12])]
    assert (file["edited"], file["new"], file["num_removed"]) == ([[3, 3]], [[13, 13]], 1)
    edited = realm.proof(ONE, "--row", "data/sums.jsonl:3")
    assert (edited["state"], edited["occasions"], edited["num_before_edit"]) == ("edited", [], 1)
    new = realm.proof(ONE, "--row", "sums:13")
    assert (new["state"], new["occasions"]) == ("new", [])
    assert "the row that stood there before was learnt once" in realm.prove(ONE, "--row", "sums:3").stdout
    assert "1 edited (row 3)" in realm.prove(ONE).stdout


def test_a_row_of_any_file_is_known_by_its_content(one_realm: Realm, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mine.jsonl"
    elsewhere.write_text(rows([77, 5]))
    assert one_realm.proof(ONE, "--row", f"{elsewhere}:1")["state"] == "new"
    found = one_realm.proof(ONE, "--row", f"{elsewhere}:2")
    assert (found["state"], [one["row"] for one in found["occasions"]]) == ("learnt", [6])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nothing",), 64, '"nothing" is no checkpoint; expected <hero>/<campaign>@<step>, @latest or @best'),
        (("one/campaign-009@1",), 5, 'there is no campaign "one/campaign-009"'),
        ((f"{ONE}@3",), 5, f'there is no checkpoint "{ONE}@3"; known: {ONE}@4'),
        ((ONE, "--row", "sums"), 64, '"sums" is no row; expected <file>:<number>, counted from 1'),
        ((ONE, "--row", "sums:9"), 64, "sums.jsonl has rows 1 to 8, not 9"),
        ((ONE, "--row", "sumz:1"), 5, 'there is no file or quest "sumz"; known: sums; did you mean "sums"?'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_no_checkpoint_or_row_is_refused_by_name(
    one_realm: Realm, words: tuple[str, ...], code: int, said: str
) -> None:
    done = one_realm.prove(*words)
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


def test_rows_of_a_quest_without_a_file_are_named_by_the_quest(realm: Realm) -> None:
    """What a skill made, or the inbox brought in, lies in the realm alone."""
    realm.data(rows(range(8)))
    realm.apply()
    realm.apply(queue={"quests": []})
    found = realm.proof(ONE, "--row", "sums:5")
    assert (found["state"], [one["row"] for one in found["occasions"]]) == ("learnt", [5])
    assert Path(found["path"]).parent == realm.layout.data


def test_proofs_write_nothing(one_realm: Realm) -> None:
    before = {path: path.stat().st_mtime_ns for path in one_realm.layout.root.rglob("*")}
    one_realm.prove(ONE)
    assert {path: path.stat().st_mtime_ns for path in one_realm.layout.root.rglob("*")} == before
