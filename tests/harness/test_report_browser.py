"""The pages in a real browser: nothing fails in it, every filter and key works, and what matters is seen at once.

Where no Chromium is installed these tests are skipped, and say so. A page is driven by a script that is put into a copy
of it; that it runs nothing but its own script is looked at in the page as it is.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.harness.command_line import CommandLine, racewindow
from tests.harness.test_cli_replay import recorded

__all__ = ["racewindow"]

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: the pages were not tried in a browser"),
]

DRIVER = """
<script>
window.errors = [];
addEventListener("error", event => errors.push(String(event.message)));
addEventListener("load", () => setTimeout(() => {
  const look = () => { %s };
  let found;
  try { found = look(); } catch (error) { found = {failed: String(error)}; }
  const out = document.createElement("pre");
  out.id = "found";
  out.textContent = JSON.stringify({...found, errors});
  document.body.append(out);
}));
</script>
"""


def browse(page: Path, *more: str, width: int = 1280, height: int = 800) -> tuple[str, str]:
    """The document after its scripts have run, and what the browser complained of."""
    assert CHROMIUM is not None
    ran = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"),
            *(f"--window-size={width},{height}", f"--user-data-dir={page.absolute()}.profile", *more),
            page.absolute().as_uri(),
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    return ran.stdout, "\n".join(line for line in ran.stderr.splitlines() if "CONSOLE" in line)


def driven(page: Path, script: str, *more: str, width: int = 1280, height: int = 800) -> dict[str, Any]:
    """What a script, the body of a function, says of a page."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    copy = page.with_suffix(".driven.html")
    copy.write_text(text.replace("<title>", DRIVER % script + "<title>", 1))
    dumped, _ = browse(copy, *more, width=width, height=height)
    found = re.search(r'<pre id="found">(.*?)</pre>', dumped, re.DOTALL)
    assert found, "the script did not come to its end"
    return dict(json.loads(unescape(found[1])))


@pytest.fixture
def page(racewindow: CommandLine) -> Path:
    assert racewindow("report", recorded(racewindow), "-o", "out.html").status == 0
    return Path("out.html")


@pytest.fixture
def h1(racewindow: CommandLine) -> Path:
    found = racewindow("explore", "paradex", "--no-explain", "--json", "--out", "found").out
    file = json.loads(found)["failures"][0]["file"]
    assert racewindow("report", file, "-o", "h1.html", "--schedules", "500").status == 0
    return Path("h1.html")


def test_the_policy_lets_the_own_script_run_and_nothing_complains(page: Path) -> None:
    dumped, complaints = browse(page)

    assert complaints == ""
    assert re.search(r'<form id="filter">', dumped)


def test_the_policy_keeps_other_scripts_and_requests_out(page: Path) -> None:
    other = '<script>document.title = "run"</script><img src="http://127.0.0.1:9/x.png"></main>'
    page.write_text(page.read_text().replace("</main>", other))
    dumped, complaints = browse(page)

    assert "<title>run" not in dumped
    assert complaints.count("Content Security Policy") == 2


def test_filters_hide_and_show_rows(page: Path) -> None:
    found = driven(
        page,
        """
        const form = document.getElementById("filter");
        const rows = () => [...document.querySelectorAll("[data-lane]")].filter(each => !each.hidden);
        const set = (select, index) => {
          select.selectedIndex = index;
          select.dispatchEvent(new Event("change", {bubbles: true}));
        };
        const all = rows().length;
        set(form.elements.lane, 1);
        const lane = form.elements.lane.value;
        const ofLane = rows().length, alien = rows().filter(each => each.dataset.lane !== lane).length;
        const said = document.getElementById("shown").textContent;
        set(form.elements.lane, 0);
        set(form.elements.object, 1);
        const object = form.elements.object.value, ofObject = rows().length;
        const strange = rows().filter(each => !each.dataset.objects.split(" ").includes(object)).length;
        set(form.elements.object, 0);
        return {all, ofLane, alien, said, ofObject, strange, again: rows().length};
        """,
    )

    assert found["errors"] == []
    assert 0 < found["ofLane"] < found["all"] == found["again"]
    assert 0 < found["ofObject"] < found["all"]
    assert (found["alien"], found["strange"]) == (0, 0)
    assert found["said"] == f"{found['ofLane']} of {found['all']} rows"


def test_rows_are_reached_and_told_by_the_keyboard(page: Path) -> None:
    found = driven(
        page,
        """
        const rows = [...document.querySelectorAll(".row[tabindex]")];
        const more = row => getComputedStyle(row.querySelector(".more")).display;
        const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
        const before = more(rows[0]);
        rows[0].focus();
        const shown = more(rows[0]), text = rows[0].querySelector(".more").textContent;
        press("ArrowDown");
        const next = document.activeElement === rows[1];
        press("Escape");
        return {before, shown, text, next, after: more(rows[1]), named: rows.every(each => each.ariaLabel)};
        """,
    )

    assert (found["before"], found["shown"], found["after"]) == ("none", "block", "none")
    assert found["next"]
    assert found["named"]
    assert found["text"].startswith("Step ")


PAIRS = """
const rows = [...document.querySelectorAll("article .row.first, article .row.second")];
return {
  bottoms: rows.map(each => each.getBoundingClientRect().bottom),
  tops: rows.map(each => each.getBoundingClientRect().top),
  orders: [...document.querySelectorAll("article")].map(order =>
    [...order.querySelectorAll(".row.first, .row.second")].map(row => row.classList[1])),
  wide: document.documentElement.scrollWidth, height: innerHeight, width: innerWidth,
};
"""


def test_both_orders_of_the_pair_are_seen_without_scrolling(h1: Path) -> None:
    found = driven(h1, PAIRS, height=800)

    assert found["orders"] == [["first", "second"], ["second", "first"]]
    assert min(found["tops"]) > 0
    assert max(found["bottoms"]) < found["height"] <= 800
    assert h1.stat().st_size < 2_000_000


def test_a_phone_does_not_have_to_scroll_sideways(h1: Path) -> None:
    framed = h1.with_name("frame.html")
    framed.write_text(f'<iframe src="{h1.name}" style="width:390px;height:800px;border:0"></iframe>')
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", h1.read_text())
    probe = "<script>document.title = document.documentElement.scrollWidth</script></body>"
    inner = h1.with_name("inner.html")
    inner.write_text(text.replace("</body>", probe))
    whole = inner.read_text().replace("&", "&amp;").replace('"', "&quot;")
    framed.write_text(
        f'<iframe srcdoc="{whole}" style="width:390px;height:800px;border:0"></iframe><pre id="found"></pre><script>'
        'onload = () => document.getElementById("found").textContent = frames[0].document.title</script>'
    )
    dumped, _ = browse(framed)

    assert re.search(r'<pre id="found">(\d+)</pre>', dumped)
    assert int(re.findall(r'<pre id="found">(\d+)</pre>', dumped)[0]) <= 390


CONTRAST = """
const channel = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const numbers = text => text.match(/[\\d.]+/g).map(Number);
const light = text => { const [r, g, b] = numbers(text);
  return .2126*channel(r) + .7152*channel(g) + .0722*channel(b); };
const ground = each => {
  for (; each; each = each.parentElement) {
    const color = getComputedStyle(each).backgroundColor;
    if (numbers(color).length < 4 || numbers(color)[3] > 0) return color;
  }
  return "rgb(255, 255, 255)";
};
let least = 99, where = "";
for (const each of document.querySelectorAll("main *")) {
  if (each.closest("svg") || ![...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
  const [a, b] = [light(getComputedStyle(each).color), light(ground(each))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < least) { least = ratio; where = each.outerHTML.slice(0, 80); }
}
const labelled = [...document.querySelectorAll("select,button")].every(each => each.labels?.length || each.textContent);
const levels = [...document.querySelectorAll("h1,h2,h3")].map(each => each.tagName);
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
return {least, where, dark, labelled, levels, mains: document.querySelectorAll("main").length};
"""


@pytest.mark.parametrize("scheme", [1, 0], ids=["light", "dark"])
def test_contrast_labels_and_landmarks(page: Path, scheme: int) -> None:
    found = driven(page, CONTRAST, f"--blink-settings=preferredColorScheme={scheme}")

    assert found["least"] >= 4.5, found["where"]
    assert found["dark"] == (scheme == 0)
    assert found["labelled"]
    assert found["mains"] == 1
    assert (found["levels"][0], found["levels"].count("H1")) == ("H1", 1)
