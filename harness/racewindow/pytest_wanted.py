"""What is wanted of a test: its marker, the options of the command line and the ini settings, together and checked.

The command line has the last word, then the marker nearest to the test, then the ini file. Every mistake is a
UsageError with one message; whoever asks decides whether it ends the session (options) or one test (markers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from racewindow.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from racewindow.faults import Fault, FaultPlan
    from racewindow.scenarios import Scenario

OPTIONS = ("schedules", "seconds", "strategy", "seed", "faults")
"""What can be set as a marker's argument, as an option and in the ini file."""
SUITE_SCHEDULES, SUITE_SECONDS = 200, 5.0
"""What `pytest --racewindow` spends on each test of a suite unless told otherwise."""
REPORT_DIR = ".racewindow/failures"
MARKER = "@pytest.mark.racewindow"
_FAILS = "fails: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The arguments of the marker, after every default has been filled in.

    `expect`: None, "complete", "fails", or "fails: CHECKER". `schedules`, `seconds`: None where `explore` decides.
    """

    strategy: str = "auto"
    schedules: int | None = None
    seconds: float | None = None
    seed: int = 0
    semantics: str = "processes"
    faults: FaultPlan | Fault | int | str | None = None
    preemptions: int | None = None
    scenario: Scenario | str | None = None
    expect: str | None = None

    @property
    def must_fail(self) -> bool:
        """Whether it is a failure that is expected."""
        return self.expect is not None and self.expect.startswith("fails")

    @property
    def checker(self) -> str:
        """The checker that has to be violated, "" if any failure will do."""
        return (self.expect or "").partition(_FAILS)[2].strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a session. `given`: those of `OPTIONS` on the command line; `ini`: those in the ini file."""

    suite: bool = False
    replay: str | None = None
    shrink: bool = True
    report_dir: str = REPORT_DIR
    given: Mapping[str, Any] = field(default_factory=dict)
    ini: Mapping[str, Any] = field(default_factory=dict)


def read_options(option: Callable[[str], Any], ini: Callable[[str], Any], on: Callable[[str], bool]) -> Options:
    """The options of a session; `option`, `ini`: the text given under a name, or None; `on`: for those without a text.

    Raises UsageError for a value that makes no sense, naming the option.
    """
    return Options(
        suite=on("suite"),
        replay=option("replay"),
        shrink=not on("no_shrink"),
        report_dir=option("report_dir") or ini("report_dir") or REPORT_DIR,
        given=_values({name: option(name) for name in OPTIONS}, lambda name: f"--racewindow-{name}"),
        ini=_values({name: ini(name) for name in OPTIONS}, lambda name: f"racewindow_{name} in the ini file"),
    )


def _values(texts: Mapping[str, str | None], called: Callable[[str], str]) -> dict[str, Any]:
    given = {name: text for name, text in texts.items() if text is not None}
    if not given:
        return {}
    from racewindow.cli_options import positive_seconds, whole_number
    from racewindow.strategies import STRATEGIES

    values: dict[str, Any] = dict(given)
    if "strategy" in given and given["strategy"] not in STRATEGIES:
        raise unknown_name(f"strategy for {called('strategy')}", given["strategy"], STRATEGIES)
    if "schedules" in given:
        why = "it is the number of executions to run, so it has to be at least 1."
        values["schedules"] = whole_number(called("schedules"), given["schedules"], least=1, why=why)
    if "seconds" in given:
        values["seconds"] = positive_seconds(called("seconds"), given["seconds"])
    if "seed" in given:
        values["seed"] = whole_number(called("seed"), given["seed"])
    if "faults" in given:
        try:
            values["faults"] = _faults(given["faults"], None)
        except UsageError as error:
            raise UsageError(f"{called('faults')}: {error.what}", why=error.why, do=error.do) from None
    return values


# --- markers ---------------------------------------------------------------------------------------------------------


def wanted_of_marker(marks: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]], options: Options) -> Wanted:
    """What a marked test wants; `marks`: arguments of its markers, the nearest one last.

    Raises UsageError for an argument that there is not, or a value that it cannot have.
    """
    merged: dict[str, Any] = {}
    names = [each.name for each in fields(Wanted)]
    for positional, keywords in marks:
        if positional:
            raise UsageError(
                f"{MARKER} takes no positional arguments, and was given {positional[0]!r:.60}.",
                do=f"name it: {MARKER}({names[0]}={positional[0]!r:.60})",
            )
        for name in keywords:
            if name not in names:
                raise unknown_name(f"argument of {MARKER}", name, names)
        merged.update(keywords)
    return _checked(Wanted(**{**options.ini, **merged, **options.given}))


def wanted_of_suite(options: Options) -> Wanted:
    """What `--racewindow` wants of a test that says nothing."""
    budget = {"schedules": SUITE_SCHEDULES, "seconds": SUITE_SECONDS}
    return _checked(Wanted(semantics="trio", **{**budget, **options.ini, **options.given}))


def _checked(wanted: Wanted) -> Wanted:
    from racewindow.scenarios import Scenario
    from racewindow.strategies import Options as StrategyOptions
    from racewindow.strategies import make_strategy

    for name, kinds, words in (
        ("strategy", (str,), "the name of a strategy"),
        ("schedules", (int,), "a number of executions"),
        ("seconds", (int, float), "a number of seconds"),
        ("seed", (int,), "a whole number"),
        ("semantics", (str,), '"processes" or "trio"'),
        ("preemptions", (int,), "a whole number"),
        ("scenario", (str, Scenario), "a scenario, or its name"),
        ("expect", (str,), '"fails", "fails: CHECKER" or "complete"'),
    ):
        value = getattr(wanted, name)
        optional = name not in ("strategy", "seed", "semantics")
        if not (isinstance(value, kinds) and not isinstance(value, bool)) and not (value is None and optional):
            raise UsageError(f"{name} cannot be {value!r:.60}.", why=f"it is {words}.")
    if wanted.semantics not in ("processes", "trio"):
        raise unknown_name("semantics", wanted.semantics, ("processes", "trio"))
    expect = wanted.expect
    if expect not in (None, "fails", "complete") and not wanted.checker:
        raise UsageError(f"expect cannot be {expect!r:.60}.", why='it is "fails", "fails: CHECKER" or "complete".')
    make_strategy(wanted.strategy, StrategyOptions(preemptions=wanted.preemptions, semantics=wanted.semantics))
    scenario = wanted.scenario
    if isinstance(scenario, str):
        from racewindow.target import resolve

        scenario, _ = resolve(scenario)
    return replace(wanted, scenario=scenario, faults=_faults(wanted.faults, scenario))


def _faults(given: object, scenario: Scenario | None) -> FaultPlan | Fault | int | None:
    """A plan as it is, or as text: a budget, or kinds joined by `|`, `crash|stall:seconds=30`."""
    from racewindow.faults import Fault, FaultPlan, parse_fault

    if given is None or (isinstance(given, int | Fault | FaultPlan) and not isinstance(given, bool)):
        return given
    if isinstance(given, str) and given.strip().isdecimal():
        return int(given)
    if isinstance(given, str) and given.strip():
        known = [] if scenario is None else [type(fault) for fault in scenario.faults]
        return FaultPlan(tuple(parse_fault(each.strip(), known=known) for each in given.split("|")))
    raise UsageError(
        f"faults cannot be {given!r:.60}.",
        why='it is a FaultPlan, a fault, a budget for those that the scenario declares, or kinds, as "crash|drop".',
    )
