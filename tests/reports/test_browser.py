"""The page in a browser: it fits the screen, is not blank and runs nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neuroai.reports.page import write_page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = 1280, 390
HEIGHT = 900
TIMEOUT_S = 120
# Opens every fold, so that the tables are measured too, and tells the page around it.
MEASURE = (
    "<script>for (const d of document.querySelectorAll('details')) d.open = true;"
    "const root = document.documentElement;"
    "parent.postMessage('W' + root.scrollWidth + 'of' + root.clientWidth, '*');</script></body>"
)
# Windows have a least width, frames have none.
FRAME = (
    "<!DOCTYPE html><title></title><script>addEventListener('message', (event) => "
    "{{ document.title = event.data; }});</script>"
    '<iframe src="{name}" style="border:0;width:{width}px;height:{height}px"></iframe>'
)
HOSTILE = '</svg><script>document.title="owned"</script><img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def browser() -> str:
    """Give the path of a browser, or skip; fail where every test must run."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    reason = "no Chromium: install it from the system's packages (apt-get install chromium)"
    if os.environ.get("NEUROAI_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def run_browser(browser: str, page: Path, profile: Path, *, width: int, action: str) -> str:
    """Open a page without a window and give what the browser prints."""
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--virtual-time-budget=5000",
        f"--user-data-dir={profile}",
        f"--window-size={width},{HEIGHT}",
        action,
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=True)
    return done.stdout.decode("utf-8")


def without_policy(path: Path, *, script: str) -> Path:
    """Write a copy of the page that may run one script of the test."""
    text = path.read_text(encoding="utf-8")
    text, removed = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    assert removed == 1
    copy = path.with_name("measured.html")
    copy.write_text(text.replace("</body>", script), encoding="utf-8")
    return copy


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_page_fits_the_screen(browser, make_results, tmp_path, width) -> None:
    """With every fold open the page is no wider than the screen."""
    results = make_results(n_layers=28, n_stimuli=92)
    page = write_page(results, tmp_path / "report.html")
    copy = without_policy(page, script=MEASURE)
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(name=copy.name, width=width, height=HEIGHT), encoding="utf-8")
    dom = run_browser(browser, frame, tmp_path / "profile", width=DESKTOP, action="--dump-dom")
    needed, given = map(int, re.search(r"<title>W(\d+)of(\d+)</title>", dom).groups())
    assert given == width
    assert needed <= width


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_page_is_drawn(browser, results, tmp_path, width) -> None:
    """The screen shows text and figures, with empty margins at both sides."""
    page = write_page(results, tmp_path / "report.html")
    shot = tmp_path / "shot.png"
    run_browser(browser, page, tmp_path / "profile", width=width, action=f"--screenshot={shot}")
    with Image.open(shot) as picture:
        pixels = np.asarray(picture.convert("L"), dtype=float)
    assert pixels.shape == (HEIGHT, width)
    assert pixels.std() > 10
    below_banner = pixels[120:]
    assert np.ptp(below_banner[:, -8:]) == 0
    assert (below_banner.min(axis=1) < 128).mean() > 0.15


def test_hostile_names_run_nothing(browser, make_results, tmp_path) -> None:
    """Even without its policy, the page of hostile names holds no script and runs none."""
    results = make_results(name=lambda text: text + HOSTILE)
    page = write_page(results, tmp_path / "report.html")
    copy = without_policy(page, script="</body>")
    dom = run_browser(browser, copy, tmp_path / "profile", width=DESKTOP, action="--dump-dom")
    assert "<script" not in dom
    assert "<img" not in dom
    assert "<title>toy2020 and two networks" in dom
