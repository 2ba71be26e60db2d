"""What the panel on a terminal costs: `python benchmarks/panel.py`.

The real command explores the lost update by random walks in a pseudo-terminal, with the panel and with `--quiet`, in
processes that take turns; CPU time, of the best round. A short exploration of each shows what is there from the start.
Rounds differ by more than the panel costs, so what one picture costs is measured by itself, too.
"""

from __future__ import annotations

import argparse
import os
import pty
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from racewindow import progress_view
from racewindow.budget import Progress

PROGRAM = """
import trio
import racewindow

async def lost_update():
    balance = racewindow.Cell(0, name="balance")
    async def deposit():
        await trio.lowlevel.checkpoint()
        seen = balance.get()
        await trio.lowlevel.checkpoint()
        balance.set(seen + 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit)
        nursery.start_soon(deposit)
"""
COMMAND = (sys.executable, "-c", "import sys; from racewindow.cli import main; sys.exit(main())", "explore")
EVERY = progress_view.DRAWN_EVERY
CONTENDERS = {"--quiet": ("--quiet",), "panel": ()}


def drain(terminal: int) -> None:
    """Read what is drawn, as a terminal would, until the last writer has gone."""
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:
        return


def cpu_seconds(schedules: int, options: tuple[str, ...], folder: str) -> float:
    """CPU time of one exploration in a pseudo-terminal, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours, theirs = pty.openpty()
    reader = threading.Thread(target=drain, args=(ours,))
    reader.start()
    arguments = ["lost.py", "--strategy", "random", "--schedules", str(schedules), *options]
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("CI", None)
    subprocess.run(  # noqa: S603  # our own command
        [*COMMAND, *arguments], cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, check=True
    )
    os.close(theirs)
    reader.join()
    os.close(ours)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def picture_seconds(pictures: int) -> float:
    """CPU time of one picture of a panel with all its rows."""
    progress_view.DRAWN_EVERY = 0.0
    so_far = Progress(
        *(12_345, 0, 98_760, 0.75, 20_000, None, 521, 0.054, "random"),
        curve=tuple((2**power, 2 * power) for power in range(14)),
    )
    ours, theirs = pty.openpty()
    reader = threading.Thread(target=drain, args=(ours,))
    reader.start()
    with (
        open(theirs, "w", encoding="utf-8") as terminal,  # noqa: PTH123  # a number, not a path
        progress_view.ProgressView(terminal) as view,
    ):
        show = view.exploring("lost-update")
        show(so_far)
        before = time.thread_time()
        for _ in range(pictures):
            show(so_far)
        spent = time.thread_time() - before
    reader.join()
    os.close(ours)
    return spent / pictures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--schedules", type=int, default=60_000)
    asked = parser.parse_args()
    best = {(name, length): float("inf") for name in CONTENDERS for length in (1, asked.schedules)}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "lost.py").write_text(PROGRAM, encoding="utf-8")
        for _ in range(asked.rounds):
            for (name, length), seconds in best.items():
                best[name, length] = min(seconds, cpu_seconds(length, CONTENDERS[name], folder))
    rates = {name: (asked.schedules - 1) / (best[name, asked.schedules] - best[name, 1]) for name in CONTENDERS}
    for name, rate in rates.items():
        print(f"{name}: {rate:,.0f} executions/s, start and end {best[name, 1] * 1000:.0f} ms of CPU time")
    print(f"with the panel: {rates['panel'] / rates['--quiet']:.3f} times as fast")
    picture, a_second = min(picture_seconds(200) for _ in range(asked.rounds)), 1 / EVERY
    print(f"a picture takes {picture * 1000:.2f} ms; {a_second:.0f} a second are {picture * a_second:.1%} of the time")


if __name__ == "__main__":
    main()
