"""The page of dials in a real browser."""

from __future__ import annotations

import pytest
from asked import Silent
from test_browser import LISTENER, asked_for, prefer, told

from seqclf.steps import Target
from seqclf.studies.inside.dials import dials_page
from seqclf.studies.lab import Lab

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dials_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dials")
    file = folder / "flow.html"
    lab = Lab(folder, Target(folder, folder), Silent(), jobs=1)
    file.write_text(dials_page(lab), "utf-8")
    return file


@pytest.fixture
def bench(browser, dials_file):
    """The page of dials, where Keras leaves them."""
    browser.get_log("browser")
    browser.get_log("performance")
    added = browser.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": LISTENER}
    )
    browser.get("about:blank")  # a change of the hash alone would load nothing
    browser.get(dials_file.as_uri())
    yield browser
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def painted(browser):
    """Waits until the picture of the latest move is there."""
    browser.execute_async_script(
        "const done = arguments[0];"
        "requestAnimationFrame(() => requestAnimationFrame(() => done()))"
    )


def cells_of(browser):
    """Returns the table: by cell what is left, the ends, the own way, the verdict."""
    rows = browser.find_elements("css selector", "#answers tbody tr")
    return {
        row.find_element("tag name", "th").text: [
            one.text for one in row.find_elements("tag name", "td")
        ]
        for row in rows
    }


def test_the_dials_ask_for_nothing_and_move_the_curves(bench):
    from selenium.webdriver.common.keys import Keys

    assert told(bench) == (
        "After 100 tokens, of the gradient is left: SimpleRNN 0.63 (steady), GRU 4e-20 "
        "(vanishing), LSTM 7e-8 (vanishing)."
    )
    paths = "return [...document.querySelectorAll('path.twin')].map(p => p.outerHTML)"
    before = bench.execute_script(paths)
    bench.find_element("id", "gru").send_keys(Keys.END)
    painted(bench)
    after = bench.execute_script(paths)
    assert len(before) == len(after) == 9 + 6  # with those beside names
    assert cells_of(bench)["GRU"][-1] == "steady"
    assert "8.0, keeps 1.000" in bench.find_element("id", "gru-said").text
    bench.find_element("css selector", "[data-preset^=As]").click()
    painted(bench)
    assert cells_of(bench)["SimpleRNN"][-1] == "vanishing"
    bench.find_element("id", "reset").click()
    painted(bench)
    assert bench.execute_script(paths) == before
    assert bench.execute_script("return window.violations") == []
    assert bench.get_log("browser") == []
    assert len(asked_for(bench)) == 1  # itself


def test_cells_are_chosen_and_places_read_by_keyboard(bench):
    from selenium.webdriver.common.keys import Keys

    bench.find_element("id", "shows-gru").send_keys(Keys.SPACE)
    painted(bench)
    assert list(cells_of(bench)) == ["SimpleRNN", "LSTM"]
    place = bench.find_element("id", "place")
    place.send_keys(Keys.HOME)
    assert place.get_attribute("aria-valuetext") == "0 tokens before the end"
    assert cells_of(bench)["LSTM"][:3] == ["1", "1 to 1", "1"]
    assert told(bench).startswith("After 0 tokens")
    bench.find_element("id", "on").click()
    assert bench.find_element("id", "token").text == "1 token before the end"


def test_the_address_brings_back_what_was_shown(bench, dials_file):
    bench.find_element("css selector", "[data-preset^=Gates]").click()
    bench.find_element("id", "shows-rnn").click()
    painted(bench)
    seen, address = told(bench), bench.current_url
    assert "inputs=0.02&matrix=1&gru=5&lstm=5&length=100&kind=keras" in address
    bench.get("about:blank")
    bench.get(address)
    assert told(bench) == seen
    assert cells_of(bench).keys() == {"GRU", "LSTM"}
    # What no dial reaches stays as usual.
    bench.get("about:blank")
    bench.get(
        f"{dials_file.as_uri()}#inputs=1e9&matrix=x&kind=y&length=-3&gru=2&at=1e9"
    )
    assert bench.find_element("id", "inputs-said").text == "±0.02"
    assert bench.find_element("id", "matrix-said").text == "1.00"
    assert bench.find_element("id", "gru-said").text.startswith("2.0")
    assert bench.find_element("id", "token").text == "100 tokens before the end"
    assert bench.get_log("browser") == []


@pytest.mark.parametrize("width", [360, 1100])
def test_the_dials_are_no_wider_than_the_screen(bench, width):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    bench.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    painted(bench)
    wide = bench.execute_script("return document.documentElement.scrollWidth")
    bench.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= width


def test_the_dials_have_colours_for_light_and_dark(bench):
    seen = set()
    for scheme in ("light", "dark"):
        prefer(bench, scheme)
        seen.add(
            bench.execute_script(
                "const at = (q) => getComputedStyle(document.querySelector(q));"
                "return at('body').backgroundColor + at('#curve text').fill +"
                "  at('#curve path.twin:not(.spread)').stroke"
            )
        )
    assert len(seen) == 2


def test_a_pointer_on_the_curve_reads_its_place(bench):
    from selenium.webdriver import ActionChains

    curve = bench.find_element("id", "curve")
    ActionChains(bench).move_to_element_with_offset(curve, 0, 0).perform()
    at = int(bench.find_element("id", "place").get_attribute("value"))
    assert 45 < at < 55  # the middle
