"""The page in a real browser: nothing is fetched, nothing is complained of, nothing runs, nothing overflows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from triage.case import Case

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true })"
SIZES = {"phone": (390, 844), "laptop": (1366, 768)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., tuple[Any, list[str]]]]:
    """Opens a file; beside the page, everything that was asked of a network or complained of on the console."""
    pages = []

    def opened(path: Path, size: str = "laptop", scheme: str = "light") -> tuple[Any, list[str]]:
        width, height = SIZES[size]
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        pages.append(page)
        noise: list[str] = []
        page.on("request", lambda request: noise.append(request.url) if request.url != path.as_uri() else None)
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("dialog", lambda dialog: (noise.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri())
        return page, noise

    yield opened
    for page in pages:
        page.close()


@pytest.mark.parametrize("size", SIZES)
def test_quiet_whole_and_within_its_width(
    see: Any, write: Any, open_page: Any, quarter: list[Case], hostile: Case, size: str
) -> None:
    page, noise = open_page(write(see(*quarter[:120], *[hostile] * 6)), size)
    page.evaluate(_OPEN_ALL)
    assert noise == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    assert page.evaluate("document.scripts.length") == 0
    assert "{{7*7}}" in page.text_content("body")
    assert page.evaluate("document.querySelectorAll('main img, main iframe, main object').length") == 0


def test_a_number_opens_its_cases_and_closes_again(see: Any, write: Any, open_page: Any, quarter: list[Case]) -> None:
    page, noise = open_page(write(see(*quarter)), "phone")
    assert page.query_selector("aside.panel:target") is None
    page.click("table.grid a[href^='#p']")
    panel = page.query_selector("aside.panel:target")
    assert panel is not None
    assert panel.is_visible()
    assert panel.query_selector("mark") is not None
    panel.query_selector(".close").click()
    assert page.query_selector("aside.panel:target") is None
    assert noise == []


def test_print_has_the_whole_queue(see: Any, write: Any, open_page: Any, quarter: list[Case]) -> None:
    page, _ = open_page(write(see(*quarter[:60])))
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print")
    assert not page.query_selector("nav").is_visible()


_CONTRAST = """() => {
  const light = c => { const v = c.map(x => { x /= 255; return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4 });
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };
  const rgb = s => s.match(/[\\d.]+/g).map(Number);
  const over = (top, under) => top.length < 4 ? top : [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]));
  const ground = el => { const c = rgb(getComputedStyle(el).backgroundColor);
    return c.length < 4 || c[3] === 1 ? c : over(c, el.parentElement ? ground(el.parentElement) : [255, 255, 255]) };
  const poor = {};
  for (const el of document.querySelectorAll('main *, header *')) {
    const words = [...el.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!words || !el.checkVisibility() || el.closest('svg')) continue;
    const [a, b] = [light(over(rgb(getComputedStyle(el).color), ground(el))), light(ground(el))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor[el.tagName + '.' + el.className] = ratio;
  }
  return poor }"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_have_contrast(see: Any, write: Any, open_page: Any, quarter: list[Case], scheme: str) -> None:
    page, _ = open_page(write(see(*quarter[300:420])), "laptop", scheme)
    page.evaluate(_OPEN_ALL)
    assert page.evaluate(_CONTRAST) == {}


@pytest.mark.parametrize("count", [0, 1])
def test_empty_states(see: Any, write: Any, open_page: Any, count: int) -> None:
    page, noise = open_page(write(see(*[Case(text="没人管,打12315")] * count)), "phone")
    words = page.inner_text("main")
    assert noise == []
    assert ("没有可比的前期" in words) is bool(count)
    assert ("没有一条联系得到结果" in words) is not bool(count)
