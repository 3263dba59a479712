"""What the curves of figures say, against the saved rows and the pictures."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from seqclf.report import figures, readings
from seqclf.report.page.sections import Section, sections_page
from seqclf.report.readings import Place, readable
from seqclf.report.svg import SVG
from seqclf.studies import saved
from seqclf.studies.inside.gradients_shown import scientific
from seqclf.studies.table import STUDIES
from seqclf.wording import with_interval

ANSWERS = Path(__file__).parent / "fixtures" / "0.1.0" / "models" / "reviews-studies"
WITH_CURVES = ("gradients", "memory", "size", "sensitivity", "convergence")


@functools.cache
def figure_of(study: str):
    """Returns a saved answer of 0.1.0, and its drawing."""
    answer = saved.read(ANSWERS / study)
    return answer, ElementTree.fromstring(STUDIES[study].figure(answer))


def panels_of(root) -> list[dict]:
    return json.loads(root.attrib["data-curves"])


def drawn_of(root, name: str) -> list[list[float]]:
    """Returns the x of the corners of each line that is drawn of a curve."""
    groups = [e for e in root.iter() if e.get("data-curve") == name]
    paths = [p for group in groups for p in group.findall(f"{{{SVG}}}path")]
    return [
        [float(x) for x in re.findall(r"[ML] ([\d.]+) ", f"{path.get('d')} ")]
        for path in paths
    ]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_place_is_where_it_is_drawn(scale):
    at = (1, 10, 40, 100)

    def draw(figure):
        left, right = figure.subplots(1, 2)
        for axes, name in ((left, "a"), (right, "b, c")):
            axes.set(xscale=scale, xlabel="tokens", ylabel="points")
            line = axes.plot(at, at)
            readable(axes, name, [Place(x, f"{x} t", f"{x} p") for x in at], line, "q")
        left.set_title("first")

    root = ElementTree.fromstring(figures.drawn(draw, "n", 6, 3))
    panels = panels_of(root)
    assert [(p["title"], p["x"], p["y"], p["brackets"]) for p in panels] == [
        ("first", "tokens", "points", "q"), ("", "tokens", "points", "q"),
    ]  # fmt: skip
    for panel, name in zip(panels, ("a", "b, c"), strict=True):
        left, top, right, bottom = panel["box"]
        assert 0 < left < right < 6 * 72
        assert 0 < top < bottom < 3 * 72
        [places] = panel["curves"].values()
        assert [place[1:] for place in places] == [[f"{x} t", f"{x} p"] for x in at]
        [line] = drawn_of(root, name)
        assert [place[0] for place in places] == pytest.approx(line, abs=0.02)


@pytest.mark.parametrize("study", WITH_CURVES)
def test_a_study_says_all_its_curves_and_can_hide_them(study):
    answer, root = figure_of(study)
    for panel in panels_of(root):
        left, _, right, _ = panel["box"]
        assert panel["x"]
        assert panel["y"]
        for name, places in panel["curves"].items():
            assert drawn_of(root, name), name
            x = [place[0] for place in places]
            assert x == sorted(x)
            assert left - 1 <= x[0], (study, name)
            assert right > left
    told = {name for panel in panels_of(root) for name in panel["curves"]}
    assert {name.split(",")[0] for name in told} <= set(figures.CELLS)


def test_what_is_said_is_what_is_saved():
    answer, root = figure_of("memory")
    panels = {panel["title"]: panel["curves"] for panel in panels_of(root)}
    for series in answer.findings.series.values():
        for cell, found in series.cells.items():
            assert [place[1:] for place in panels[series.title][cell]] == [
                [str(one.distance), with_interval(one.accuracy, one.low, one.high)]
                for one in found.accuracy
            ]
    answer, root = figure_of("gradients")
    [start] = [one for one in panels_of(root) if one["title"] == "at the start"]
    rows = [r for r in answer.rows if (r.stage, r.cell) == ("at the start", "gru")]
    places = start["curves"]["gru"]
    assert [int(where) for _, where, _ in places] == [row.distance for row in rows]
    assert [said for _, _, said in places] == [
        f"{scientific(r.median)} ({scientific(r.low)} to {scientific(r.high)})"
        for r in rows
    ]
    answer, root = figure_of("size")
    accuracy, gap = panels_of(root)
    one = answer.findings.curves[0]
    assert accuracy["curves"][one.cell][0][1:] == [
        f"{one.rows:,}",
        with_interval(one.accuracy.mean, one.accuracy.low, one.accuracy.high),
    ]
    said = with_interval(one.gap.mean, one.gap.low, one.gap.high)
    assert gap["curves"][one.cell][0][2] == said


def test_a_figure_without_curves_says_nothing():
    assert readings.readings_of(SimpleNamespace(axes=[SimpleNamespace()])) == ""
    _, root = figure_of("order")
    assert "data-curves" not in root.attrib


def test_names_and_values_are_data_in_the_page():
    evil = "\"><script>document.title = 'owned'</script>"

    def draw(figure):
        axes = figure.subplots()
        readable(axes, evil, [Place(1, evil, evil)], axes.plot([1, 2], [1, 2]))

    svg = figures.drawn(draw, "n", 4, 3)
    html = sections_page("A title", [Section(title="t", svg=svg, alt="an alternative")])
    assert html.count("<script") == 1
    [curves] = panels_of(ElementTree.fromstring(svg))
    assert curves["curves"] == {evil: [[curves["curves"][evil][0][0], evil, evil]]}
