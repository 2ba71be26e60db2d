"""Make the pictures of pages in docs/pictures: `make pictures`, or `python tools/pictures.py [NAME]...`.

Each page is made by the command line as a user makes it, and opened in the Chromium that is installed, on a wide window
and on a phone; what is seen without scrolling is kept, in 256 colours. Look at each before it goes into a commit.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
RACEWINDOW = Path(sys.executable).with_name("racewindow")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


class Window(NamedTuple):
    """A size in CSS pixels; `scale`: pixels of the picture for each."""

    width: int
    height: int
    scale: int


SCHEDULES = "8000"
"""Executions that an explanation may take: as many as the whole day needs for a remedy, a minute's worth."""
WINDOWS = {"desktop": Window(1280, 800, 1), "phone": Window(390, 844, 2)}

FAILURES = {"h1": "paradex", "h2": "paradex-overlap", "paradex-day": "paradex-day"}
"""Name of a picture -> the scenario whose gravest failure it shows."""
INCIDENTS = [
    "paradex-partial-copy",
    "paradex-common-mode",
    "paradex-second-wave",
    "paradex-rollback",
    "dydx-settlement",
    "dydx-stale-oracle",
    "cme-failover",
    "cloudflare-rollout",
    "aws-dns-plan",
    "github-failover",
    "knight-partial-rollout",
    "binance-own-book",
]
"""Scenarios whose gravest failure is shown as well, on a wide window only."""
REPORTS = {
    "exploration": ("explore", "paradex", "--all-failures", "--no-explain"),
    "matrix": ("matrix", "paradex"),
}
"""Name of a picture -> the command whose `--report` it shows."""


def main() -> None:
    """Make those that are named, or all."""
    known = [*FAILURES, *REPORTS, *INCIDENTS]
    names = sys.argv[1:] or known
    unknown = sorted({*names} - {*known})
    if unknown:
        sys.exit(f"There is no picture called {unknown[0]}; there are {', '.join(known)}.")
    if CHROMIUM is None:
        sys.exit("There is no Chromium here, so no picture can be made.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        for name in names:
            page = made(name, Path(folder))
            for kind, window in list(WINDOWS.items())[: 1 if name in INCIDENTS else None]:
                path = FOLDER / f"{name}-{kind}.png"
                path.write_bytes(picture(browser, page, window))
                print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB", flush=True)
        browser.close()


def made(name: str, folder: Path) -> Path:
    """The page that is shown."""
    if name in REPORTS:
        run(folder, *REPORTS[name], "--report", name)
        return folder / name / "index.html"
    found = json.loads(run(folder, "explore", FAILURES.get(name, name), "--no-explain", "--json"))
    file = Path(found["failures"][0]["file"]).relative_to(folder.resolve())
    run(folder, "report", str(file), "-o", f"{name}.html", "--schedules", SCHEDULES)
    return folder / f"{name}.html"


def run(folder: Path, *arguments: str) -> str:
    """Run `racewindow ARGUMENTS`; that it finds a failure is as it should be."""
    done = subprocess.run([RACEWINDOW, *arguments], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode > 1:
        sys.exit(done.stderr)
    return done.stdout


def picture(browser: Browser, path: Path, window: Window) -> bytes:
    """What is seen of a page at once, as PNG."""
    context = browser.new_context(
        viewport={"width": window.width, "height": window.height},
        device_scale_factor=window.scale,
        is_mobile=window.scale > 1,
        color_scheme="light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(path.as_uri())
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    few = shot.quantize(256, kmeans=2, dither=Image.Dither.NONE)
    small = io.BytesIO()
    few.save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    main()
