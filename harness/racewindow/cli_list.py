"""`racewindow list`: every installed scenario, with what it shows and what can be set."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from racewindow.cli_output import emit, program_output_to

if TYPE_CHECKING:
    from racewindow.target import Listed


def list_all() -> int:
    """Print the list; a scenario that cannot be loaded is shown as such."""
    from racewindow.target import list_scenarios

    with program_output_to(sys.stderr):
        found = list_scenarios()
    emit("\n\n".join(described(each) for each in found) if found else _NONE)
    return 0


_NONE = """No scenario is installed.

A scenario of your own needs no installation:
  racewindow explore file.py:function"""


def described(listed: Listed) -> str:
    """The entry of one scenario, in 80 columns."""
    from racewindow.report_layout import wrap

    scenario = listed.scenario
    origin = f"  (from {listed.origin})" if listed.origin not in ("", "racewindow") else ""
    lines = [f"{listed.name}{origin}"]
    if scenario is None:
        return "\n".join([*lines, *wrap(f"cannot be loaded: {listed.problem}", 2, 2)])
    lines += wrap(scenario.incident, 2) + wrap(scenario.summary, 2)
    if scenario.safeguards:
        lines.append("  safeguards (--safeguards all, or some: a,b):")
        width = max(map(len, scenario.safeguards))
        for name, what in scenario.safeguards.items():
            lines += wrap(f"{name:<{width}}  {what}", 4, width + 2)
    if scenario.checks:
        lines += wrap(f"checks: {', '.join(check.name for check in scenario.checks)}", 2, 2)
    if scenario.faults:
        lines += wrap(f"faults (--faults K): {', '.join(fault.text for fault in scenario.faults)}", 2, 2)
    if scenario.parameters:
        lines += wrap(f"to set: {', '.join(f'{p.name}={p.default}' for p in scenario.parameters)}", 2, 2)
    if scenario.feed_loader is not None:
        lines.append("  feed: its own recording, or yours with --feed FILE")
    return "\n".join(lines)
