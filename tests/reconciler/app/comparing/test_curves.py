"""Loss curves: read from what runs wrote, drawn as an SVG that no name can break."""

from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.app.comparing.curves import Curve, losses_of, records
from reconciler.app.comparing.curves_svg import HEIGHT, MAX_POINTS, WIDTH, drawing
from reconciler.app.surroundings.errors import NotFound
from state.contract.metrics import MetricsRecord
from state.store.rows import RunRow

SVG = "{http://www.w3.org/2000/svg}"


def curve(points: list[tuple[int, float]], name: str = "pip/campaign-001", held_out: bool = False) -> Curve:
    return Curve(name=name, is_held_out=held_out, points=tuple(points))


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  # our own drawing


def places(text: str) -> list[list[tuple[float, float]]]:
    """Return the points of each line of a drawing."""
    lines = parsed(text).iter(f"{SVG}polyline")
    return [[tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()] for line in lines]


def test_a_drawing_is_xml_whatever_the_names_hold() -> None:
    text = drawing("<script>&\"'", [curve([(1, 2.0)], name="<b>&amp;")])
    assert "<script>" not in text
    assert [one.text for one in parsed(text).iter(f"{SVG}title")] == ["<script>&\"'"]


finite = st.floats(min_value=0, max_value=1e6)


@given(st.lists(st.tuples(st.integers(0, 10**7), finite), min_size=1, max_size=50))
def test_every_point_lies_inside_the_drawing(points: list[tuple[int, float]]) -> None:
    for line in places(drawing("x", [curve(sorted(points))])):
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in line)


def test_a_higher_loss_is_drawn_higher_and_a_later_step_further_right() -> None:
    ((first, second),) = places(drawing("x", [curve([(1, 3.0), (2, 1.0)])]))
    assert first[0] < second[0]
    assert first[1] < second[1]


def test_a_long_curve_is_thinned_and_ends_where_it_ended() -> None:
    points = [(step, float(step)) for step in range(10_000)]
    line, _ = places(drawing("x", [curve(points), curve([(0, 0.0)])]))
    assert len(line) <= MAX_POINTS
    assert line[-1][0] == max(x for x, _ in line)


def test_each_campaign_has_its_colour_and_held_out_loss_is_dashed() -> None:
    text = drawing("x", [curve([(1, 1.0)]), curve([(1, 1.0)], held_out=True), curve([(1, 1.0)], name="mu/a")])
    lines = list(parsed(text).iter(f"{SVG}polyline"))
    assert lines[0].attrib["stroke"] == lines[1].attrib["stroke"] != lines[2].attrib["stroke"]
    assert ["stroke-dasharray" in line.attrib for line in lines] == [False, True, False]
    assert "pip/campaign-001 (dashed: held-out)" in text


def test_without_any_point_nothing_is_drawn() -> None:
    with pytest.raises(NotFound, match="no loss has been measured yet, so there is no curve to draw"):
        drawing("x", [])


def test_a_line_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    whole = msgspec.json.encode(MetricsRecord(kind="update", at="", step=1, loss=2.0))
    (tmp_path / "metrics.jsonl").write_bytes(whole + b"\n" + whole[:20])
    assert [record.step for record in records(tmp_path / "metrics.jsonl")] == [1]
    assert list(records(tmp_path / "absent.jsonl")) == []


def run(attempt: int, segment: int, resume_step: int | None, last: int) -> tuple[RunRow, list[MetricsRecord]]:
    """Return a run and what it measured: at each step a loss that names the attempt."""
    row = RunRow(
        campaign_uid="c", generation=1, attempt=attempt, state="ended", cookie="", config_hash="", config_json="",
        code_version="", specs_commit="", device="cpu", resume_step=resume_step, launched_at="", segment=segment,
    )  # fmt: skip
    steps = range((resume_step or 0) + 1, last + 1)
    return row, [MetricsRecord(kind="update", at="", step=step, loss=float(attempt)) for step in steps]


def along(bounds: dict[int, int | None], *runs: tuple[RunRow, list[MetricsRecord]]) -> dict[int, float]:
    told = {row.attempt: measured for row, measured in runs}
    return losses_of([row for row, _ in runs], bounds, lambda row: told[row.attempt])[0]


LEFT = (run(1, 1, None, 4), run(2, 2, 2, 3))


def test_what_a_rollback_left_is_hidden_and_shown_again_where_it_is_asked_for() -> None:
    assert along({2: None, 1: 2}, *LEFT) == {1: 1.0, 2: 1.0, 3: 2.0}
    assert along({1: None}, *LEFT) == {1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0}


def test_a_branch_is_no_part_of_the_campaigns_curve_and_has_its_own() -> None:
    runs = (run(1, 1, None, 4), run(2, 2, 2, 4), run(3, 1, 4, 5))
    assert along({1: None}, *runs) == {1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0, 5: 3.0}
    assert along({2: None, 1: 2}, *runs) == {1: 1.0, 2: 1.0, 3: 2.0, 4: 2.0}
