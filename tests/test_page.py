"""The page holds the numbers, and texts in it are data."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pages
import pytest

from seqclf.report import cost_figure, figures, svg
from seqclf.report.page import page, sections_page, word_order_said
from seqclf.report.table import Table

FIGURES = {
    "accuracies", "differences", "costs", "curves", "by_length", "word_order",
    "confusions", "calibrations",
}  # fmt: skip


class Elements(HTMLParser):
    """Collects the elements of a page and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def written():
    return page(pages.comparison(), pages.details())


@pytest.fixture(scope="module")
def elements(written):
    return Elements(written)


def test_texts_and_labels_become_no_elements(elements):
    assert len(elements.named("script")) == 1
    assert elements.named("img") == []
    assert elements.named("b") == []
    handlers = [
        a for _, attributes in elements.found for a in attributes if a[:2] == "on"
    ]
    assert handlers == []
    words = "".join(elements.words)
    assert pages.SCRIPT in words  # shown, as it was written
    assert pages.IMAGE in words


def test_the_policy_allows_what_stands_in_the_page_and_no_more(written, elements):
    (policy,) = (m["content"] for m in elements.named("meta")
                 if m.get("http-equiv") == "Content-Security-Policy")  # fmt: skip
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", written, re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    # Attributes that such a policy would refuse.
    assert [name for name, a in elements.found if "style" in a] == []


def test_nothing_is_loaded_from_elsewhere(elements):
    for tag, attributes in elements.found:
        for name in ("src", "href", "xlink:href", "action", "data", "poster"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:image/png;base64,")), (tag, value)


def test_every_figure_is_drawn_and_has_a_text_alternative(elements):
    drawn = [a for a in elements.named("div") if "data-figure" in a]
    assert {a["data-figure"] for a in drawn} == FIGURES
    assert all(a["role"] == "img" and len(a["aria-label"]) > 20 for a in drawn)
    assert len(elements.named("svg")) == len(FIGURES)
    ids = [a["id"] for _, a in elements.found if "id" in a]
    assert len(ids) == len(set(ids))
    referred = {a["xlink:href"][1:] for a in elements.named("use")}
    assert referred <= set(ids)


def test_the_page_holds_verdict_numbers_and_the_way_to_do_it_again(elements):
    words = " ".join(" ".join(elements.words).split())
    for expected in (
        "LSTM is best.", "85.0", "83.0–87.0", "1.0", "−2.0 to 4.0", "x-rnn-2",
        "70.0 % of the test texts", "costs SimpleRNN 20.0 points (10.0 to 30.0)",
        "seqclf compare --data", "keras 3", "beef", "from 2 trials", "80.0 (70.0–90.0)",
    ):  # fmt: skip
        assert expected in words, expected


def test_without_details_the_page_tells_what_there_is():
    words = page(replace(pages.comparison(), tuning=None))
    assert "Where they differ" not in words
    assert "Cost" in words
    assert words.count("<svg") == 3


@pytest.mark.slow
def test_a_large_comparison_stays_below_two_megabytes():
    result, found = pages.comparison(), pages.details()
    examples = [replace(one, text="x" * 1200) for one in found.examples[:8] * 4]
    curves = {c: s * 5 for c, s in found.curves.items()}
    found = replace(found, curves=curves, examples=tuple(examples))
    assert len(page(result, found).encode()) < 2_000_000


@pytest.mark.parametrize(
    ("high", "little"), [(0.009, True), (0.011, False)]
)  # fmt: skip
def test_little_is_said_where_the_order_tells_little(high, little):
    one = replace(pages.details().word_order["gru"], lost=0.004, low=-0.001, high=high)
    rows = [pages.twin(cell, 0.8, 1.0) for cell in ("none", "gru")]
    said = word_order_said(rows, {"none": replace(one, high=0.5), "gru": one})
    assert said.startswith("Shuffling the words of a test text costs GRU 0.4 points")
    assert ("order tells little here" in said) == little


def test_guessing_does_not_squeeze_the_others_together():
    means = {"gru": 0.88, "lstm": 0.89}
    twins = [pages.twin(cell, mean, 1.0) for cell, mean in means.items()]
    rows = [pages.baseline("majority", 0.19), *twins]
    words = "".join(ElementTree.fromstring(figures.accuracies(rows)).itertext())
    assert "◂ 19.0" in words
    assert "20" not in words  # the axis has only where the others lie
    assert "is left of the scale" in figures.majority_said(rows)
    # It reaches to 85, the others from 86 to 91: there is no need.
    near = [pages.baseline("majority", 0.83), *twins]
    assert "◂" not in figures.accuracies(near)
    assert figures.majority_said(near) == ""
    assert figures.majority_said(rows[:1]) == ""


def test_the_page_explains_an_interval_that_decides_nothing_and_its_terms():
    result = pages.comparison()
    open_ = replace(result.pairs[1], p=0.12, low=0.001, adjusted_for=3)
    result = replace(result, pairs=(result.pairs[0], open_))
    words = " ".join(" ".join(Elements(page(result, pages.details())).words).split())
    assert "0.1 to 8.0*" in words
    assert "but not after allowing for the 3 pairs compared, as p does." in words
    assert "Of 1,000 texts LSTM has 50 more right than SimpleRNN" in words
    for term in ("macro F1", "log loss", "95 % interval", "kernel", "seed"):
        assert words.count(term) >= 1, term
    assert "on the same 1,500 texts" in words


def test_the_pareto_front_is_worked_out_by_hand():
    points = [(1, 0.5), (2, 0.4), (3, 0.8), (3, 0.7), (5, 0.9), (4, 0.9)]
    assert cost_figure.pareto_front(points) == [(1, 0.5), (3, 0.8), (4, 0.9)]
    assert cost_figure.pareto_front([]) == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.02, "0.02"), (500, "500"), (20_000, "20k"), (1_500_000, "1.5M")],
)
def test_ticks_are_short(value, shown):
    assert figures.short(value) == shown


def test_a_drawing_loses_its_styles_and_takes_the_page_s_colour():
    drawing = (
        f'<svg xmlns="{svg.SVG}" xmlns:xlink="{svg.XLINK}" width="72pt" height="36pt"'
        f' viewBox="0 0 72 36"><metadata>x</metadata><defs><style>*{{}}</style></defs>'
        f'<g id="unused"/>'
        f'<path id="p" style="fill: {svg.INK}; stroke: #aabbcc; stroke-width: 2"/>'
        f'<use xlink:href="#p" clip-path="url(#c)"/>'
        f"<text style=\"font: 12px 'Any Font'; text-anchor: middle\">&lt;b&gt;</text>"
        f"</svg>"
    )
    root = ElementTree.fromstring(svg.fit_for_page(drawing, "n"))
    path, use, text = (
        root.find(f".//{{{svg.SVG}}}{tag}") for tag in ("path", "use", "text")
    )
    assert path.attrib == {
        "id": "n-p", "fill": "currentColor", "stroke": "#aabbcc", "stroke-width": "2"
    }  # fmt: skip
    assert use.attrib == {svg.HREF: "#n-p", "clip-path": "url(#n-c)"}
    assert text.attrib == {"font-size": "12px", "text-anchor": "middle"}
    assert text.text == "<b>"
    assert root.find(f"{{{svg.SVG}}}g").attrib == {}
    assert root.find(f".//{{{svg.SVG}}}metadata") is None
    assert root.attrib["width"] == "90"
    assert "height" not in root.attrib


def test_characters_that_no_drawing_may_hold_are_replaced():
    drawn = figures.confusions({"gru": [[1, 2], [3, 4]]}, ["a\x01\x1b[31m", "\x0b"])
    words = "".join(ElementTree.fromstring(drawn).itertext())
    assert "a\ufffd\ufffd[31m" in words


def test_labels_in_figures_are_shown_as_they_are():
    drawn = figures.confusions({"gru": [[1, 2], [3, 4]]}, ["$x^2$", "好评"])
    words = "".join(ElementTree.fromstring(drawn).itertext())
    assert "$x^2$" in words
    assert "好评" in words


def as_page_of_studies(sections):
    return sections_page(f"Claims {pages.SCRIPT}", sections, f"3 seeds {pages.IMAGE}")


def as_page_of_comparison(sections):
    return page(pages.comparison(), pages.details(), sections)


@pytest.mark.parametrize("written_by", [as_page_of_studies, as_page_of_comparison])
def test_sections_of_studies_are_data_under_the_same_policy(written_by):
    # Twice the same drawing, under the same title.
    written = written_by([pages.study(), pages.study()])
    elements = Elements(written)
    assert len(elements.named("script")) == 1
    assert elements.named("img") == []
    assert not [a for _, own in elements.found for a in own if a[:2] == "on"]
    test_the_policy_allows_what_stands_in_the_page_and_no_more(written, elements)
    test_nothing_is_loaded_from_elsewhere(elements)
    ids = [a["id"] for _, a in elements.found if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["xlink:href"][1:] for a in elements.named("use")} <= set(ids)
    clips = re.findall(r'clip-path="url\(#([^)]+)\)"', written)
    assert set(clips) <= set(ids)
    assert any(clip.startswith("study-2-") for clip in clips)
    links = [a["href"] for a in elements.named("a")]
    assert links[-2:] == ["#study-1", "#study-2"]
    drawn = [a for a in elements.named("div") if "data-figure" in a][-2:]
    assert all(a["aria-label"].startswith("Accuracy of each cell") for a in drawn)
    words = " ".join(" ".join(elements.words).split())
    for expected in ("The claim: LSTM remembers longer.", "It does, by 3.0 points.",
                     "83.1", "python benchmarks/memory.py", pages.SCRIPT,
                     pages.IMAGE):  # fmt: skip
        assert words.count(expected) >= 2, expected


def test_sections_stand_behind_the_comparison_s_own():
    elements = Elements(as_page_of_comparison([pages.study("Memory")]))
    ids = [a["id"] for a in elements.named("section")]
    assert ids[-2:] == ["again", "study-1"]


def test_what_a_section_lacks_is_left_out_but_no_text_alternative():
    bare = pages.study(
        claim="", svg="", alt="", command="", table=Table(header=(), rows=())
    )
    written = sections_page("Claims", [bare])
    assert "The claim" not in written
    assert all(f"<{tag}" not in written for tag in ("figure", "table", "pre"))
    with pytest.raises(ValueError, match="'How far back' has no text alternative"):
        sections_page("Claims", [pages.study(alt="")])


def test_columns_of_words_are_set_as_words():
    cells = Elements(sections_page("Claims", [pages.study()])).named("td")
    assert [cell.get("class") for cell in cells] == [None, "text", None, "text"]


def test_long_names_that_differ_at_their_end_differ_in_figures():
    names = [f"gru (imdb-experiment-units-64-pooling-{how})" for how in ("max", "mean")]
    short = [figures.clipped(name) for name in names]
    assert [len(name) for name in short] == [32, 32]
    assert short[0] == "gru (imdb-experi…64-pooling-max)"
    assert len({*short}) == 2
    assert figures.clipped("gru", 3) == "gru"
