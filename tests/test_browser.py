"""The pages in a real browser: nothing fails, is fetched, or runs that was injected."""

from __future__ import annotations

import json
import re
import time

import pages
import pytest
from made_up_twins import microscope, small

from seqclf.report.page import page, sections_page

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(browser, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(page(pages.comparison(), pages.details()), "utf-8")
    browser.get_log("performance")
    browser.get(file.as_uri())
    return browser


def asked_for(browser):
    """Returns the addresses of all requests since the log was read last."""
    sent = [
        json.loads(line["message"])["message"]
        for line in browser.get_log("performance")
    ]
    return [
        message["params"]["request"]["url"]
        for message in sent
        if message["method"] == "Network.requestWillBeSent"
    ]


def shown(browser, selector):
    script = (
        "return [...document.querySelectorAll(arguments[0])].filter(e => !e.hidden)"
    )
    return browser.execute_script(f"{script}.length", selector)


def test_no_error_no_request_and_nothing_injected(opened):
    assert opened.get_log("browser") == []
    urls = asked_for(opened)
    assert [url for url in urls if not url.startswith(("file:", "data:"))] == []
    assert sum(url.startswith("file:") for url in urls) == 1
    assert opened.title != "owned"
    assert opened.execute_script("return document.images.length") == 0


def test_a_page_of_studies_is_as_strict_and_as_narrow(browser, tmp_path):
    file = tmp_path / "study.html"
    studies = [pages.study(), pages.study()]
    file.write_text(sections_page("Claims", studies, pages.SCRIPT), "utf-8")
    browser.get_log("browser")
    browser.get_log("performance")
    size = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(file.as_uri())
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= 360
    assert browser.title == "Claims – seqclf"
    assert browser.get_log("browser") == []
    assert len(asked_for(browser)) == 1
    # Each figure shows marks of its own, although the two have one name.
    shown_marks = browser.execute_script(
        "return [...document.querySelectorAll('[data-figure] svg')].map(svg =>"
        "  [...svg.querySelectorAll('use')].filter(u =>"
        "    u.getBoundingClientRect().width > 0).length)"
    )
    assert len(shown_marks) == 2
    assert min(shown_marks) > 4


def test_the_policy_stops_what_is_put_into_the_page_later(opened):
    opened.execute_script(
        "document.body.insertAdjacentHTML('beforeend',"
        " '<div onclick=\"document.title=1\" id=late>x</div>');"
        "document.getElementById('late').click()"
    )
    assert opened.title != "1"
    assert any(
        "Content Security Policy" in e["message"] for e in opened.get_log("browser")
    )


def test_every_figure_has_a_size_and_marks(opened):
    sizes = opened.execute_script(
        "return [...document.querySelectorAll('[data-figure] svg')].map(svg => {"
        "  const box = svg.getBoundingClientRect();"
        "  const paths = [...svg.querySelectorAll('path, use, image')];"
        "  return [box.width, box.height, paths.filter(p => {"
        "    const b = p.getBoundingClientRect(); return b.width + b.height > 0;"
        "  }).length] })"
    )
    assert len(sizes) == 8
    assert all(width > 200 and height > 60 and n > 10 for width, height, n in sizes)


def test_a_click_on_a_header_sorts_by_number(opened):
    def column():
        return opened.execute_script(
            "return [...document.querySelectorAll('#quality tbody tr')]"
            ".map(row => row.cells[1].textContent)"
        )

    before = column()
    button = "document.querySelectorAll('#quality thead button')[1].click()"
    opened.execute_script(button)
    assert column() == sorted(before, key=float)
    opened.execute_script(button)
    assert column() == sorted(before, key=float, reverse=True)
    sorts = opened.execute_script(
        "return document.querySelectorAll('#quality th')[1].getAttribute('aria-sort')"
    )
    assert sorts == "descending"


def test_filters_narrow_the_texts_and_the_parts(opened):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    assert shown(opened, "#examples > li") == 12
    right, label = opened.find_elements(By.CSS_SELECTOR, ".filters select")
    Select(right).select_by_visible_text("GRU")
    assert shown(opened, "#examples > li") == 3
    Select(label).select_by_index(1)  # the first label: texts 0, 3, 6, 9
    assert shown(opened, "#examples > li") == 1
    Select(label).select_by_index(0)
    Select(right).select_by_index(0)
    opened.find_element(By.CSS_SELECTOR, ".filters input").send_keys("WORD11")
    assert shown(opened, "#examples > li") == 1
    told = opened.find_element(By.ID, "shown").text
    assert told == "1 of 12 shown"
    Select(opened.find_element(By.ID, "which")).select_by_visible_text("label")
    assert shown(opened, "#groups tbody tr") == 3


@pytest.mark.parametrize("width", [360, 1100])
def test_the_page_is_no_wider_than_the_screen(opened, width):
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    wide = opened.execute_script("return document.documentElement.scrollWidth")
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= width


def prefer(browser, scheme):
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )


def test_dark_and_light_have_colours_of_their_own(opened):
    seen = set()
    for scheme in ("light", "dark"):
        prefer(opened, scheme)
        seen.add(
            opened.execute_script(
                "const s = getComputedStyle(document.body);"
                "const t = getComputedStyle(document.querySelector('figure svg text'));"
                "return s.color + s.backgroundColor + t.fill"
            )
        )
    assert len(seen) == 2


# The microscope.

EVIL = "</script><img src=x onerror=document.title='owned'>"
LISTENER = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.violations.push(event.violatedDirective));
"""


@pytest.fixture
def watched(browser, tmp_path):
    """The microscope of all cells, the LSTM one-way, with evil words and labels."""
    models = [small(cell=cell) for cell in ("none", "rnn", "gru")]
    models += [small(cell="lstm", bidirectional=False, layers=2, pooling="last")]
    words, labels = ("a", "good", "film", ".", EVIL), (EVIL, "good", "so so")
    file = tmp_path / "microscope.html"
    file.write_text(microscope(models, words=words, labels=labels), "utf-8")
    browser.get_log("browser")
    browser.get_log("performance")
    added = browser.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": LISTENER}
    )
    browser.get(file.as_uri())
    yield browser
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def type_in(browser, text):
    field = browser.find_element("id", "typed")
    field.clear()
    field.send_keys(text)
    return field


def told(browser):
    return browser.find_element("id", "said").text


def measured(browser):
    """Waits until all is measured."""
    for _ in range(100):
        if not browser.find_element("id", "busy").text:
            return
        time.sleep(0.1)
    raise AssertionError("still measuring")


def unfolded(panel):
    """Returns the rows of a panel's table, which is filled after it has opened."""
    for _ in range(100):
        if rows := panel.find_elements("css selector", "tbody tr"):
            return rows
        time.sleep(0.1)
    raise AssertionError("no rows")


def test_the_microscope_asks_for_nothing_and_runs_nothing_injected(watched):
    type_in(watched, f"a good {EVIL} film")
    watched.find_element("id", "back").click()
    measured(watched)
    for details in watched.find_elements("tag name", "summary"):
        details.click()
    assert watched.execute_script("return window.violations") == []
    assert watched.get_log("browser") == []
    assert len(asked_for(watched)) == 1  # itself
    assert watched.title.startswith("The twins of made up")
    assert watched.execute_script("return document.images.length") == 0
    options = watched.find_elements("css selector", "#label option")
    assert options[0].text == EVIL


def test_arrow_keys_step_through_the_text(watched):
    from selenium.webdriver.common.keys import Keys

    type_in(watched, "a good film .")
    body = watched.find_element("tag name", "body")
    assert watched.find_element("id", "token").text == "Token 4 of 4: ."
    seen = [told(watched)]
    watched.find_element("id", "back").click()
    for _ in range(2):
        seen.append(told(watched))
        body.send_keys(Keys.ARROW_LEFT)
    seen.append(told(watched))
    assert len({*seen}) == 4
    numbers = [re.findall(r"([\d.]+) %", one) for one in seen]
    assert all(len(row) == 4 for row in numbers)  # a number of each twin
    assert len({row[3] for row in numbers}) == 4
    place = watched.find_element("id", "place")
    assert place.get_attribute("aria-valuetext") == "1 of 4: a"
    place.send_keys(Keys.END)
    assert told(watched) == seen[0]
    body.send_keys(Keys.HOME)
    assert told(watched) == seen[-1]
    # In the field the keys move the caret.
    watched.find_element("id", "typed").send_keys(Keys.ARROW_LEFT)
    assert told(watched) == seen[-1]


def test_a_text_cut_behind_a_token_gets_the_answer_of_that_text(watched):
    type_in(watched, "a good film")
    whole = told(watched)
    type_in(watched, "a good film . a film good")
    measured(watched)
    for _ in range(4):
        watched.find_element("id", "back").click()
    assert told(watched) == whole


def test_what_is_drawn_can_be_read_in_numbers(watched):
    type_in(watched, "a good film .")
    measured(watched)
    panels = watched.find_elements("css selector", ".panel")
    assert [one.get_attribute("aria-label") for one in panels] == [
        "No recurrence", "SimpleRNN", "GRU", "LSTM",
    ]  # fmt: skip
    maps = [len(one.find_elements("tag name", "canvas")) for one in panels]
    assert maps == [1, 2, 2 * 4, 6]
    for canvas in panels[2].find_elements("tag name", "canvas"):
        said = canvas.get_attribute("aria-label")
        assert re.search(r"5 units over 4 tokens; their mean at this token", said)
    assert "Half-life by the update gate, backward" in panels[2].text
    panels[3].find_element("tag name", "summary").click()
    rows = unfolded(panels[3])
    assert [row.find_element("tag name", "th").text for row in rows] == [
        "a", "good", "film", ".",
    ]  # fmt: skip
    cells = [row.find_elements("tag name", "td") for row in rows]
    assert all(len(row) == 1 + 6 for row in cells)
    assert any(float(row[0].text.replace("−", "-")) for row in cells)


def test_the_layer_that_is_chosen_is_drawn(watched):
    from selenium.webdriver.support.ui import Select

    drawn = "return document.querySelectorAll('.panel')[3].querySelector('canvas')"
    type_in(watched, "a good film .")
    upper = watched.execute_script(f"{drawn}.toDataURL()")
    Select(watched.find_element("id", "layer")).select_by_visible_text("1")
    assert watched.execute_script(f"{drawn}.toDataURL()") != upper


@pytest.mark.parametrize("width", [360, 1100])
def test_the_microscope_is_no_wider_than_the_screen(watched, width):
    watched.execute_script("choose(0); take('a good film . '.repeat(30))")
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    watched.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wide = watched.execute_script("return document.documentElement.scrollWidth")
    watched.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= width


def test_the_microscope_is_drawn_anew_for_another_scheme(watched):
    pictures = set()
    type_in(watched, "a good film .")
    for scheme in ("light", "dark"):
        prefer(watched, scheme)
        time.sleep(0.2)
        pictures.add(
            watched.execute_script(
                "const all = [...document.querySelectorAll('.panel canvas')];"
                "return getComputedStyle(document.body).backgroundColor + "
                "all.map(c => c.toDataURL()).join()"
            )
        )
    assert len(pictures) == 2


def test_nothing_typed_is_read_as_one_unknown_token(watched):
    type_in(watched, "x")
    unknown = told(watched)
    type_in(watched, "x\b")
    assert "No token" in watched.find_element("id", "counted").text
    assert told(watched).split(":")[1] == unknown.split(":")[1]


# The curves of studies.


def curves_page() -> str:
    from seqclf.report import figures
    from seqclf.report.page.sections import Section
    from seqclf.report.readings import Place, readable

    def draw(figure):
        for axes, title in zip(figure.subplots(1, 2), ("near", "far"), strict=True):
            axes.set(title=title, xlabel="tokens", ylabel="left")
            for name, factor in (("gru", 1), (EVIL, 2)):
                at = (1, 2, 3)
                line = axes.plot(at, [factor * x for x in at])
                said = [Place(x, str(x), f"{factor * x} (0 to 9)") for x in at]
                readable(axes, name, said, line, "95 % interval")

    svg = figures.drawn(draw, "n", 9, 3)
    return sections_page("Curves", [Section(title="t", svg=svg, alt="some curves")])


def test_curves_are_read_by_keyboard_and_pointer_and_hidden(browser, tmp_path):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    file = tmp_path / "curves.html"
    file.write_text(curves_page(), "utf-8")
    browser.get_log("browser")
    browser.get(file.as_uri())
    slider = browser.find_element("css selector", ".reading input[type=range]")
    output = browser.find_element("css selector", ".reading output")
    assert output.get_attribute("aria-live") == "polite"
    slider.send_keys(Keys.END)
    assert output.text == (
        f"far; tokens: 3. left: gru 3 (0 to 9); {EVIL} 6 (0 to 9). "
        "In brackets: 95 % interval."
    )
    slider.send_keys(Keys.HOME, Keys.ARROW_RIGHT)
    assert output.text.startswith("near; tokens: 2. left: gru 2 (0 to 9)")
    assert slider.get_attribute("aria-valuetext") == "near tokens: 2"
    # The middle of the right panel: its second place.
    svg = browser.find_element("css selector", "svg[data-curves]")
    right = json.loads(svg.get_attribute("data-curves"))[1]["box"]
    middle = (right[0] + right[2]) / 2 / (9 * 72) - 0.5
    across = round(middle * svg.size["width"])
    ActionChains(browser).move_to_element_with_offset(svg, across, 0).perform()
    assert output.text.startswith("far; tokens: 2. left: gru 2 (0 to 9)")
    lines = browser.find_elements("css selector", "[data-curve=gru]")
    assert [line.is_displayed() for line in lines] == [True, True]
    browser.find_element("css selector", ".reading input[type=checkbox]").click()
    assert [line.is_displayed() for line in lines] == [False, False]
    assert output.text.startswith(f"far; tokens: 2. left: {EVIL} 4 (0 to 9)")
    assert browser.get_log("browser") == []
    assert browser.title == "Curves – seqclf"
