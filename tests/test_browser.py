"""The page in a real browser: nothing fails, is fetched, or runs that was injected."""

from __future__ import annotations

import json
import shutil

import pages
import pytest
from conftest import not_here

from seqclf.report.page import page, sections_page

pytestmark = pytest.mark.slow
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--window-size=1100,1400",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        not_here("Chromium and ChromeDriver are not here")
    options = Options()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability(
        "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"}
    )
    one = webdriver.Chrome(options, Service(driver))
    yield one
    one.quit()


@pytest.fixture
def opened(browser, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(page(pages.comparison(), pages.details()), "utf-8")
    browser.get_log("performance")
    browser.get(file.as_uri())
    return browser


def shown(browser, selector):
    script = (
        "return [...document.querySelectorAll(arguments[0])].filter(e => !e.hidden)"
    )
    return browser.execute_script(f"{script}.length", selector)


def test_no_error_no_request_and_nothing_injected(opened):
    assert opened.get_log("browser") == []
    sent = [
        json.loads(line["message"])["message"] for line in opened.get_log("performance")
    ]
    urls = [
        message["params"]["request"]["url"]
        for message in sent
        if message["method"] == "Network.requestWillBeSent"
    ]
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
    sent = [
        json.loads(line["message"])["message"]
        for line in browser.get_log("performance")
    ]
    asked = [m for m in sent if m["method"] == "Network.requestWillBeSent"]
    assert len(asked) == 1
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


def test_dark_and_light_have_colours_of_their_own(opened):
    seen = set()
    for scheme in ("light", "dark"):
        opened.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )
        seen.add(
            opened.execute_script(
                "const s = getComputedStyle(document.body);"
                "const t = getComputedStyle(document.querySelector('figure svg text'));"
                "return s.color + s.backgroundColor + t.fill"
            )
        )
    assert len(seen) == 2
