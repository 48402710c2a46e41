"""The report in a real browser: it lays out, fits a phone, follows the theme and asks nobody for anything."""

import json
import re
import shutil
import subprocess

import cv2
import numpy as np
import pytest
from finished_runs import write_run

from airsim_seg.benchmark.report.build import write_report
from airsim_seg.benchmark.results import load_run

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on this machine")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions")

# Writes what it measured into the title of the outer page, where --dump-dom shows it.
PROBE = """<!doctype html><title>waiting</title>
<iframe src="report.html" style="width:{width}px;height:800px;border:0"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const page = frame.contentDocument;
  const wide = [...page.body.querySelectorAll("*")].filter(e =>
    !e.closest(".scroll, .chart, pre, details") && e.getBoundingClientRect().right > {width} + 1);
  const pictures = [...page.images];
  const fetched = frame.contentWindow.performance.getEntriesByType("resource").map(e => e.name);
  document.title = JSON.stringify({{
    overflow: page.documentElement.scrollWidth, wide: wide.map(e => e.tagName + "." + e.className),
    pictures: pictures.length, broken: pictures.filter(p => !p.complete || p.naturalWidth === 0).length,
    columns: new Set(pictures.map(p => Math.round(p.getBoundingClientRect().left))).size,
    outside: fetched.filter(name => !name.startsWith("data:")),
    charts: page.querySelectorAll(".chart svg").length,
  }}).replaceAll("<", "");
}};
</script>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    run = write_run(tmp_path_factory.mktemp("runs") / "paper", depths=(0, 2, 4, 6))
    write_report(load_run(run))
    return run


def browse(folder, *arguments):
    profile = folder / "profile"
    command = [BROWSER, *FLAGS, "--allow-file-access-from-files", f"--user-data-dir={profile}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def measure(folder, width):
    (folder / "probe.html").write_text(PROBE.format(width=width))
    dom = browse(folder, "--virtual-time-budget=5000", "--dump-dom", f"file://{folder}/probe.html")
    title = re.search(r"<title>(.*?)</title>", dom)[1]
    assert title != "waiting", dom[:2000]
    return json.loads(title.replace("&amp;", "&"))


@pytest.mark.parametrize(("width", "columns"), [(1100, 4), (390, 2)])
def test_it_fits_the_screen_and_every_picture_shows(folder, width, columns):
    found = measure(folder, width)
    assert found["overflow"] <= width
    assert found["wide"] == []
    assert found["pictures"] == 8
    assert found["broken"] == 0
    assert found["columns"] == columns
    assert found["charts"] == 2
    assert found["outside"] == []


def brightness(folder, name, *arguments):
    path = folder / name
    browse(folder, "--window-size=900,1200", f"--screenshot={path}", *arguments, f"file://{folder}/report.html")
    picture = cv2.imread(str(path))
    return picture, float(np.median(picture))


def test_it_is_light_by_day_and_dark_by_night_and_readable_in_both(folder):
    for name, arguments, is_dark in (
        ("light.png", (), False),
        ("dark.png", ("--blink-settings=preferredColorScheme=0",), True),
    ):
        picture, median = brightness(folder, name, *arguments)
        assert (median < 60) is is_dark
        text = np.percentile(picture, 99.5 if is_dark else 0.5)
        assert abs(text - median) > 150  # ink against page
