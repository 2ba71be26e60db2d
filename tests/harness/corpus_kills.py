"""Kills a process that adds to a corpus, once at each line that touches the disk, and says what the folder then holds.

Run as a script, in a process of its own without threads, because it forks. Prints one JSON line per kill: the line
reached (null where adding came to its end), the names of files, and what each entry says.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from racewindow.corpus import Corpus
from racewindow.failure import Failure
from racewindow.scenarios import as_scenario
from tests.harness.told import LIQUIDATED


async def paradex() -> None:
    """A window."""


SCENARIO = as_scenario(paradex)
BEFORE = replace(LIQUIDATED, message="before")
AFTER = replace(LIQUIDATED, message="after" * 20_000)  # more than one write


def add(corpus: Corpus, failure: Failure) -> None:
    """As a run does that has found something."""
    corpus.add(failure, target="paradex", scenario=SCENARIO)


def add_and_die(corpus: Corpus, lines: int) -> None:
    """Add, and be killed before the line of that number is run, counted over the code that writes."""
    seen = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal seen
        if Path(frame.f_code.co_filename).name not in {"corpus.py", "whole_file.py"}:
            return None
        if event == "line":
            seen += 1
            if seen == lines:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    add(corpus, AFTER)
    sys.settrace(None)


def main(folder: Path) -> None:
    """Kill at every line until adding comes to its end before."""
    corpus = Corpus(folder)
    lines, ended = 1, False
    while not ended:
        add(corpus, BEFORE)
        before = sorted(path.name for path in folder.iterdir())
        process = os.fork()
        if process == 0:
            add_and_die(corpus, lines)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        ended = not os.WIFSIGNALED(status)
        said = [
            {"message": each.stored and each.stored.message[:6], "problem": each.problem} for each in corpus.entries()
        ]
        print(json.dumps({"line": None if ended else lines, "before": before, "entries": said}), flush=True)  # noqa: T201
        lines += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
