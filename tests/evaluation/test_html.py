"""The report in a real browser: it asks for nothing, and its table and curves do what they promise."""

import functools
import json
import os
import platform
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

BROWSERS = ("google-chrome", "chromium", "chromium-browser")
SETTINGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1200,900")


@pytest.fixture(scope="module")
def browser():
    """Returns headless Chromium; without one, tests are skipped, or fail with REQUIRE_BROWSER=1."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        reason = "needs chromium and chromedriver"
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for setting in SETTINGS:
        options.add_argument(setting)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def report(browser, league_run):
    """Opens the report from disk, and returns its address."""
    address = (league_run / "report.html").as_uri()
    browser.get(address)
    WebDriverWait(browser, 30).until(lambda page: page.find_elements(By.CSS_SELECTOR, "#cdf .scatterlayer .trace"))
    return address


@pytest.fixture
def page(browser, report):
    """Returns the browser with the report as it was opened."""
    for name in ("env", "task", "policy"):
        Select(browser.find_element(By.ID, f"filter-{name}")).select_by_value("")
    box = browser.find_element(By.ID, "filter-left-out")
    if box.is_selected():
        box.click()
    return browser


def column(page, name):
    names = [cell.text for cell in page.find_elements(By.CSS_SELECTOR, "#table thead th")]
    script = (
        "return [...document.querySelectorAll('#table tbody tr')].map(row => row.children[arguments[0]].innerText)"
    )
    return page.execute_script(script, names.index(name))


def click(page, name):
    cells = page.find_elements(By.CSS_SELECTOR, "#table thead th")
    (cell,) = [cell for cell in cells if cell.text == name]
    page.execute_script("arguments[0].scrollIntoView({inline: 'center', block: 'center'})", cell)
    cell.find_element(By.TAG_NAME, "button").click()
    return cell


def traces(page):
    return page.execute_script("return document.getElementById('cdf').data")


def requests(log):
    events = (json.loads(entry["message"])["message"] for entry in log)
    return [
        event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"
    ]


def test_it_opens_from_disk_without_errors_or_requests(browser, report):
    browser.get_log("performance")
    browser.refresh()
    WebDriverWait(browser, 30).until(lambda page: page.find_elements(By.CSS_SELECTOR, "#cdf .scatterlayer .trace"))
    asked = requests(browser.get_log("performance"))
    assert report in asked
    assert [url for url in asked if url != report and not url.startswith(("data:", "blob:"))] == []
    assert browser.get_log("browser") == []


def test_it_says_what_was_run(page):
    text = page.execute_script("return document.body.textContent")
    assert "league table, suite quick" in page.title
    assert "3 tasks, 3 policies, 3 networks a task" in text
    for said in ("mec-cf-gym 0.", "seeds 3758096384 to 3758096386", "ica (too slow)", platform.platform()):
        assert said in text


@pytest.mark.parametrize("name", ["Gap", "Mean ms", "Decision ms"])
def test_a_click_on_a_number_sorts_by_it_and_another_reverses(page, name):
    values = functools.partial(numbers, page, name)
    shuffled = values()
    cell = click(page, name)
    assert cell.get_attribute("aria-sort") == "ascending"
    assert values() == sorted(shuffled) != sorted(shuffled, reverse=True)
    click(page, name)
    assert cell.get_attribute("aria-sort") == "descending"
    assert values() == sorted(shuffled, reverse=True)


def numbers(page, name):
    return [float(text.rstrip(" %").replace(",", "").replace("\u2212", "-")) for text in column(page, name)]


def test_a_click_on_a_name_sorts_by_it(page):
    click(page, "Policy")
    assert column(page, "Policy") == sorted(
        ["full-power", "random", "exact", "random", "exact", "full-power", "exact"]
    )


def test_filters_keep_what_was_chosen(page):
    def choose(name, value):
        Select(page.find_element(By.ID, f"filter-{name}")).select_by_value(value)

    assert len(column(page, "Policy")) == 7
    choose("policy", "random")
    assert set(column(page, "Policy")) == {"random"}
    choose("env", "MECCellular-v0")
    assert column(page, "Environment") == ["MECCellular-v0"]
    assert "1 of 13 rows" in page.find_element(By.ID, "count").text
    choose("policy", "")
    choose("env", "")
    choose("task", "headlines")
    assert set(column(page, "Environment")) == {"MECCellFree-v0", "MECUserCentric-v0"}


def test_policies_left_out_are_shown_with_the_reason(page):
    page.find_element(By.ID, "filter-left-out").click()
    assert len(column(page, "Policy")) == 13
    reasons = [cell.text for cell in page.find_elements(By.CSS_SELECTOR, "tr.left-out td[colspan]")]
    assert sorted(reasons) == ["left out: not installed"] * 3 + ["left out: too slow"] * 3


def test_the_figure_has_a_curve_a_policy_and_follows_the_task(page):
    choice = Select(page.find_element(By.ID, "cdf-task"))
    choice.select_by_value("free")
    free = traces(page)
    assert [trace["name"] for trace in free] == ["full-power", "random", "exact", "deadline"]
    assert free[2]["x"] == sorted(free[2]["x"])
    assert (free[2]["y"][0], free[2]["y"][-1], len(free[2]["y"])) == (0, 1, 3 * 2 + 1)
    choice.select_by_value("grid")
    assert [trace["name"] for trace in traces(page)] == ["full-power", "exact", "deadline"]
    assert len(page.find_elements(By.CSS_SELECTOR, "#cdf .scatterlayer .trace")) == 3


def test_the_page_fits_a_narrow_window_and_follows_the_dark_scheme(browser, report):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [DARK]})
    browser.set_window_size(500, 900)
    try:
        assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        ground = browser.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
        assert ground == "rgb(20, 23, 27)"
        assert browser.execute_script("return document.getElementById('cdf').layout.paper_bgcolor") == "#14171b"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        browser.set_window_size(1200, 900)


DARK = {"name": "prefers-color-scheme", "value": "dark"}
