"""What a scenario is expected to show: the catalogue's verdicts as data, next to the scenario that they are about.

A module under `racewindow_models.scenarios` names its own as `EXPECTED`. The tests run every scenario against it, and
the table of `docs/incidents.md` is what those runs gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SafeguardSet = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The verdicts that the catalogue of incidents states for a scenario.

    ident: its id in the catalogue, such as `S-PDX-3`. violates: the checkers that fail with no safeguard on, every one
    of them. closed_by: the smallest sets of safeguards with which nothing fails. not_closed_by: sets that could be
    thought to close it and do not. closes_only: sets that silence the named checkers, and not all. constraints: how
    many orderings the explanation of the shrunk failure may need at most. proved: whether the closing sets are proved
    by exhausting the orders (`dpor`); if not, `executions` runs of `auto` find nothing. params: sizes other than the
    defaults for which this holds. faults: the budget of faults with which it fails; 0: by orders alone.
    """

    ident: str
    violates: tuple[str, ...]
    closed_by: tuple[SafeguardSet, ...]
    not_closed_by: tuple[SafeguardSet, ...] = ()
    closes_only: Mapping[SafeguardSet, tuple[str, ...]] = field(default_factory=dict)
    constraints: int
    proved: bool = True
    executions: int = 2_000
    faults: int = 0
    params: Mapping[str, object] = field(default_factory=dict)
