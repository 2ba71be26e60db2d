"""How a budget of time is divided among targets: each gets what it needed last time, the rest is shared evenly.

What was needed is kept in a small file; without it, or where a target ran out of time, nothing is known of its need.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from racewindow.whole_file import remove_parts, write_whole

TIMES = Path(".racewindow/ci-times.json")
_MARGIN = 1.5
"""A target may need that much more than last time: another machine, a program that has grown."""


@dataclass(frozen=True, slots=True)
class Past:
    """Seconds that a target took last time; `enough`: it came to its end in them."""

    seconds: float
    enough: bool

    @property
    def need(self) -> float | None:
        """Seconds that should do, None where there is no saying."""
        return max(self.seconds * _MARGIN, 0.1) if self.enough else None


def share_of_first(needs: Sequence[float | None], total: float) -> float:
    """The seconds of `total` for the first of several targets that need so much, None for as much as there is.

    No one gets more than it needs as long as another can use it, and those that get less than they need get the same.
    """
    left, waiting = max(total, 0.0), len(needs)
    for need in sorted(each for each in needs if each is not None):
        if need > left / waiting:
            break
        left -= need
        waiting -= 1
    first = needs[0]
    if not waiting:  # there is enough for all, and to spare: this one may have grown
        return left + (first or 0.0)
    level = left / waiting
    return level if first is None else min(first, level)


def read_times(path: Path = TIMES) -> dict[str, Past]:
    """What every target took last time; empty if nothing is known, or the file is not what it should be."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): Past(float(each["seconds"]), each["enough"] is True) for name, each in data.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}  # only the division is less good without it


def write_times(times: Mapping[str, Past], path: Path = TIMES) -> None:
    """Keep them, all or not at all; a folder that cannot be written to costs only the division next time."""
    data = {name: {"seconds": round(each.seconds, 3), "enough": each.enough} for name, each in sorted(times.items())}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(data, indent=2) + "\n").encode())
    except OSError:
        return
    remove_parts(path.parent)
