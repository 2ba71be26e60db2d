"""`racewindow list`: the installed scenarios by incident, a line or two each; or all about some of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from racewindow.cli_output import emit, program_output_to
from racewindow.errors import unknown_name

if TYPE_CHECKING:
    from racewindow.target import Listed


def list_scenarios(names: Sequence[str]) -> int:
    """Print the list, or all about the named ones; a scenario that cannot be loaded is shown as such.

    Raises UsageError for a name that is not installed.
    """
    from racewindow import target

    with program_output_to(sys.stderr):
        found = target.list_scenarios()
    known = {name for each in found for name in (each.name, *each.aliases)}
    for name in names:
        if name not in known:
            raise unknown_name("scenario", name, {each.name for each in found})
    if names:
        emit("\n\n".join(described(each) for name in names for each in found if name in (each.name, *each.aliases)))
    else:
        emit(overview(found) if found else _NONE)
    return 0


_NONE = """No scenario is installed.

A scenario of your own needs no installation:
  racewindow explore file.py:function"""
_NO_INCIDENT, _NOT_LOADED = "Of no incident", "Cannot be loaded"


def overview(found: Sequence[Listed]) -> str:
    """Each with its name and what it shows, under the incident that it is about, the latest incident first."""
    groups: dict[str, list[Listed]] = {}
    for each in found:
        scenario = each.scenario
        groups.setdefault(_NOT_LOADED if scenario is None else scenario.incident or _NO_INCIDENT, []).append(each)
    last = {_NO_INCIDENT: 1, _NOT_LOADED: 2}
    ordered = sorted(sorted(groups, reverse=True), key=lambda incident: last.get(incident, 0))
    parts = [
        "\n".join([incident, *(line for each in groups[incident] for line in _brief(each))]) for incident in ordered
    ]
    example = groups[ordered[0]][0].name
    parts.append(
        f"racewindow list {example}      its safeguards, checks, faults and parameters\n"
        f"racewindow explore {example}   find an order of events that breaks it"
    )
    return "\n\n".join(parts)


def _brief(listed: Listed) -> list[str]:
    """The name on a line of its own, below it what it shows: names are too long for two columns."""
    from racewindow.report_layout import wrap

    scenario = listed.scenario
    return [f"  {_title(listed)}", *wrap(listed.problem if scenario is None else scenario.summary, 6)]


def _title(listed: Listed) -> str:
    origin = f"(from {listed.origin})" if listed.origin not in ("", "racewindow") else ""
    return "  ".join(filter(None, (listed.name, ", ".join(listed.aliases), origin)))


def described(listed: Listed) -> str:
    """All about one scenario, in 80 columns."""
    from racewindow.report_layout import wrap

    scenario = listed.scenario
    lines = [_title(listed)]
    if scenario is None:
        return "\n".join([*lines, *wrap(f"cannot be loaded: {listed.problem}", 2, 2)])
    lines += wrap(scenario.incident, 2) + wrap(scenario.summary, 2)
    if scenario.safeguards:
        lines.append("  safeguards (--safeguards all, or some: a,b):")
        width = max(map(len, scenario.safeguards))
        for name, what in scenario.safeguards.items():
            apart = " (not part of all)" if name in scenario.not_in_all else ""
            lines += wrap(f"{name:<{width}}  {what}{apart}", 4, width + 2)
    if scenario.checks:
        lines += wrap(f"checks: {', '.join(check.name for check in scenario.checks)}", 2, 2)
    if scenario.faults:
        lines += wrap(f"faults (--faults K): {', '.join(fault.text for fault in scenario.faults)}", 2, 2)
    if scenario.parameters:
        lines += wrap(f"to set: {', '.join(f'{p.name}={p.default}' for p in scenario.parameters)}", 2, 2)
    if scenario.feed_loader is not None:
        lines.append("  feed: its own recording, or yours with --feed FILE")
    return "\n".join(lines)
