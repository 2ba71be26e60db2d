"""`racewindow faults`: every installed kind of fault, by family, with what it does and what can be set."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from racewindow.cli_output import emit, emit_json, program_output_to

if TYPE_CHECKING:
    from racewindow.fault_parameters import Parameter
    from racewindow.faults import Fault, ListedKind

OWN = ("", "racewindow")
"""The distribution of our own kinds."""


def list_kinds(*, as_json: bool) -> int:
    """Print the list; a kind that cannot be loaded is shown as such and does not hide the others."""
    from racewindow.faults import installed_kinds

    with program_output_to(sys.stderr):
        found = installed_kinds()
    if as_json:
        emit_json({"format": 1, "faults": [as_dict(each) for each in found]})
    else:
        emit("\n".join(in_words(found)) if found else _NONE)
    return 0


_NONE = """No kind of fault is installed.

Those of racewindow are listed in its own package: install it again."""
_HOW = "racewindow explore TARGET --fault KIND:NAME=VALUE,... --faults K"


def in_words(found: list[ListedKind]) -> list[str]:
    """The whole list, in 80 columns."""
    from racewindow.fault_parameters import COMMON, parameters_of
    from racewindow.faults import Fault
    from racewindow.report_layout import wrap

    loaded = [(each, each.fault) for each in found if each.fault is not None]
    lines = []
    for family in sorted({fault.family for _, fault in loaded}):
        lines.append(f"{family or 'other'}:")
        for listed, fault in loaded:
            if fault.family == family:
                lines += _described(listed, fault)
        lines.append("")
    broken = [each for each in found if each.fault is None]
    for each in broken:
        lines += [f"{each.name}{_origin(each)}", *wrap(f"cannot be loaded: {each.problem}", 2, 2), ""]
    lines += ["All of them:", *_parameters([each for each in parameters_of(Fault) if each.name in COMMON], 2), ""]
    return [*lines, *wrap("Times may have a unit: ms, s, min, h. To let some strike, at most K in one execution:"),
            f"  {_HOW}"]  # fmt: skip


def _described(listed: ListedKind, fault: type[Fault]) -> list[str]:
    from racewindow.fault_parameters import COMMON, parameters_of
    from racewindow.report_layout import wrap

    own = [each for each in parameters_of(fault) if each.name not in COMMON]
    return [
        f"  {listed.name}{_origin(listed)}",
        *wrap(fault.summary, 4),
        *wrap(f"at {where(fault)}", 4, 2),
        *_parameters(own, 4),
    ]


def where(fault: type[Fault]) -> str:
    """The fault points that a kind applies to, in words."""
    return "any fault point" if fault.points == ("*",) else ", ".join(fault.points)


def _parameters(parameters: list[Parameter], indent: int) -> list[str]:
    from racewindow.report_layout import wrap

    return [line for each in parameters for line in wrap(f"{each.typed}  {each.described}", indent, 4)]


def _origin(listed: ListedKind) -> str:
    return "" if listed.origin in OWN else f"  (from {listed.origin})"


def as_dict(listed: ListedKind) -> dict[str, Any]:
    """One kind for the JSON; of one that cannot be loaded the name, where it is from and why."""
    from racewindow.fault_parameters import parameters_of, shown

    fault = listed.fault
    return {
        "kind": listed.name,
        "origin": listed.origin,
        "problem": listed.problem or None,
        "family": None if fault is None else fault.family,
        "summary": None if fault is None else fault.summary,
        "points": None if fault is None else list(fault.points),
        "parameters": None
        if fault is None
        else [
            {
                "name": each.name,
                "default": shown(each.default),
                "unit": "seconds" if each.is_time else each.unit or None,
                "what": each.what,
                "values": each.values,
            }
            for each in parameters_of(fault)
        ],
    }
