"""One target: loaded, explored, and held against what is expected of it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from racewindow.budget import Progress
from racewindow.ci.config import FILE, Expected, Wanted
from racewindow.ci.places import source_of
from racewindow.ci.rows import Row, Status
from racewindow.cli_options import fault_plan, feed_of
from racewindow.cli_output import shown_path
from racewindow.errors import RacewindowError
from racewindow.explorer import explore
from racewindow.failure import KINDS, Failure
from racewindow.report_layout import counted
from racewindow.result import Result
from racewindow.scenarios import Scenario
from racewindow.target import resolve
from racewindow.virtual import real

OnProgress = Callable[[Progress], None]
_QUICK: Mapping[str, Any] = {"shrink": False, "explain": False, "out": None}
"""Enough where only the verdict counts."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A target and its scenario, or why there is none. `full_name`: `mine.py` as `mine.py:restart`."""

    wanted: Wanted
    scenario: Scenario | None
    full_name: str
    problem: str = ""


def load_target(wanted: Wanted) -> Loaded:
    """Load one target; whatever goes wrong is its own problem and nobody else's."""
    try:
        scenario, name = resolve(wanted.target)
    except RacewindowError as error:
        return Loaded(wanted, None, wanted.target, str(error))
    return Loaded(wanted, scenario, name)


def run_target(loaded: Loaded, **every: Any) -> Row:
    """Explore a target, with keyword arguments of `explore` that its own options go before; `seconds` bounds both.

    Shrinking and explaining what is not expected come on top.
    """
    scenario, started = loaded.scenario, real.monotonic()
    if scenario is None:
        return _broken(loaded, loaded.problem, 0.0)
    try:
        result = _explored(loaded, scenario, every)
    except RacewindowError as error:
        return _broken(loaded, str(error), real.monotonic() - started)
    except Exception as error:  # noqa: BLE001  # such as of a scenario's own feed loader; the other rows go on
        return _broken(loaded, f"{type(error).__name__}: {error}", real.monotonic() - started)
    return _judged(loaded, scenario, result, real.monotonic() - started)


def _explored(loaded: Loaded, scenario: Scenario, shared: Mapping[str, Any]) -> Result:
    wanted, options = loaded.wanted, dict(loaded.wanted.options)
    kinds, budget = options.pop("fault", []), options.pop("faults", None)
    limits = [each for each in (options.pop("seconds", None), shared.get("seconds")) if each is not None]
    negative = options.pop("allow_negative_prices", False)
    every = {
        **shared,
        **options,
        **feed_of(scenario, options.pop("feed", None), allow_negative_prices=negative),
        "seconds": min(limits, default=None),
        "faults": fault_plan(scenario, kinds, budget),
        "target_name": loaded.full_name,
    }
    if wanted.expect.verdict != "fails":
        return explore(scenario, **every, explain=True)
    result = explore(scenario, **{**every, **_QUICK})
    if not result.failures or as_expected(result, wanted.expect):
        return result
    # It fails, but first in another way: look for the expected one among all, and keep what was found.
    return explore(scenario, **every, all_failures=True, explain=True)


def as_expected(result: Result, expected: Expected) -> bool:
    """Whether a result is what was expected, where it can be trusted."""
    if expected.verdict == "fails":
        if not expected.checker:
            return result.verdict == "failure"
        return any(expected.checker in (each.checker, each.kind) for each in result.failures)
    return result.verdict == "complete" or (expected.verdict == "safe" and result.verdict == "nothing found")


def _judged(loaded: Loaded, scenario: Scenario, result: Result, seconds: float) -> Row:
    wanted = loaded.wanted
    status: Status
    why = list(result.notes)
    never = [kind for kind in _named_kinds(wanted, result) if not result.faults_offered.get(kind)]
    if as_expected(result, wanted.expect):
        status = "ok"
    elif result.verdict == "untrusted":
        status, why = "unsure", [result.untrusted, *why]
    else:
        status, why = "unexpected", [*_reasons(result, wanted.expect, scenario), *why]
    if never and not result.failures:  # a failure has ended the exploration before its time
        status = "broken"
        why.insert(0, f"the fault {', '.join(never)} is asked for, and no execution could have had it.")
    failure = result.failures[0] if result.failures and status == "unexpected" else None
    file = next((shown_path(each) for each in result.files if each is not None), None) if failure else None
    return Row(
        kind="target",
        name=wanted.name,
        target=loaded.full_name,
        expected=str(wanted.expect),
        found=found_text(result, wanted.expect.checker),
        status=status,
        why=tuple(why),
        seconds=seconds,
        file=FILE,
        line=wanted.line,
        result=result,
        failure=failure,
        failure_file=file or "",
        source=source_of(scenario),
    )


def _named_kinds(wanted: Wanted, result: Result) -> list[str]:
    """Kinds that the configuration names, and not just the scenario."""
    return list(result.faults.kinds) if wanted.options.get("fault") and result.faults else []


def _reasons(result: Result, expected: Expected, scenario: Scenario) -> list[str]:
    if expected.verdict == "fails":
        if result.failures:
            said = f"it fails, but not in the way of {expected.checker}."
        else:
            said = "no execution failed. If it has been mended, expect it to be safe."
        known = sorted({each.name for each in scenario.checks} | set(KINDS))
        near = [] if expected.checker in known else difflib.get_close_matches(expected.checker, known, n=1)
        return [f"{said} Did you mean {near[0]!r}?" if near else said]
    if result.failures:
        return [name_of(each) + ": " + each.message.partition("\n")[0] for each in result.failures]
    if result.missed:
        return [f"never happened, and has to: {', '.join(result.missed)}."]
    return [f"not every order was run: {'; '.join(result.incomplete) or 'the strategy does not run them all'}."]


def name_of(failure: Failure) -> str:
    """The checker that found it, with its class, or the way in which the execution ended."""
    return " ".join(filter(None, (failure.checker or failure.kind, failure.class_)))


def found_text(result: Result, checker: str) -> str:
    """What was found, in few words; of several failures the one that `checker` names, or else the gravest."""
    runs = counted(result.executions, "execution")
    if result.failures:
        first, *more = sorted(dict.fromkeys(each.checker or each.kind for each in result.failures), key=checker.__ne__)
        return f"fails: {first}" + (f" and {len(more)} more" if more else "")
    if result.missed:
        return f"never reached: {', '.join(result.missed)}"
    return {"complete": f"complete, {runs}", "nothing found": f"nothing in {runs}"}.get(result.verdict, result.verdict)


def _broken(loaded: Loaded, problem: str, seconds: float) -> Row:
    return unrun(loaded.wanted, "not run", problem, "broken", seconds)


def unrun(wanted: Wanted, found: str, why: str, status: Status, seconds: float = 0.0) -> Row:
    """The row of a target that was not explored."""
    return Row(
        kind="target",
        name=wanted.name,
        target=wanted.target,
        expected=str(wanted.expect),
        found=found,
        status=status,
        why=tuple(why.splitlines()),
        seconds=seconds,
        file=FILE,
        line=wanted.line,
    )
