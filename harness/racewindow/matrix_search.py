"""`racewindow.matrix`: one exploration for each set of safeguards that matters, in the order of a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from racewindow.budget import Progress, check_budget
from racewindow.errors import UsageError
from racewindow.explorer import explore
from racewindow.failure import Failure
from racewindow.faults import NO_FAULTS
from racewindow.matrix_plan import Plan
from racewindow.result import Result
from racewindow.safeguard_matrix import Limits, Matrix, SafeguardSet, Tried
from racewindow.scenarios import Scenario, as_scenario
from racewindow.settings import Target
from racewindow.strategies import UNLIMITED
from racewindow.virtual import real

SCHEDULES_OF_A_SET, SECONDS_IN_ALL = 4_000, 600.0
"""The limits, unless others are given."""
_MOST = 16
"""Safeguards: more have too many sets to look at one by one."""
_SHARES, _LARGEST = 2, 1 / 150
"""A set may take so many times its even share of the time left, but this part of it in any case."""
_MORE = 1 / 10
"""Where nothing failed in that time and it was too short, the set is worth this part of what is left."""
_LEAST_SECONDS = 0.05
_ENDINGS = ("deadlock", "livelock", "hang", "exception", "assertion")


class MatrixProgress(NamedTuple):
    """How far a matrix has come: sets run, about how many are left, what is run now, and wall seconds.

    `current`: how far the exploration of `on` has come; None before it begins.
    """

    done: int
    left: int
    on: tuple[str, ...]
    current: Progress | None
    seconds: float
    seconds_limit: float | None


def matrix(
    target: Target,
    *,
    safeguards: Sequence[str] | str | None = None,
    strategy: str = "auto",
    seed: int = 0,
    schedules: int | None = None,
    seconds: float | None = None,
    everything: bool = False,
    on_progress: Callable[[MatrixProgress], None] | None = None,
    target_name: str | None = None,
    **options: Any,
) -> Matrix:
    """Find out which sets of the safeguards of `target` close what can fail in it.

    `safeguards`: those to try, in every combination that matters; all that are declared unless given. `schedules`:
    executions at most for each set (4,000; none for "dfs" and "dpor", which end by themselves). `seconds`: wall time
    at most in all (600). `everything`: run what could be inferred, too. `strategy`, `seed`, and of `options`
    `semantics`, `clock`, `preemptions`, `depth`, `params`, `feed`, `feed_options`, `faults`, `step_limit`,
    `step_timeout` and `require_coverage`: as of `explore`.

    Raises UsageError for misuse, and if there are no safeguards, or more than 16, to try. Ctrl-C ends it with what is
    known until then.
    """
    scenario = as_scenario(target)
    names = tuple(scenario.safeguards) if safeguards is None else scenario.resolve_safeguards(safeguards)
    _check(scenario, names, options)
    check_budget(schedules, seconds, 1, 1)
    if schedules is None and strategy not in UNLIMITED:
        schedules = SCHEDULES_OF_A_SET
    limits = Limits(schedules, SECONDS_IN_ALL if seconds is None else seconds)
    search = _Search(scenario, names, limits, {"strategy": strategy, "seed": seed, **options}, on_progress)
    search.run(everything=everything)
    return search.matrix(target_name or scenario.name, options.get("feed"))


_OPTIONS = (
    *("semantics", "clock", "preemptions", "depth", "params", "feed", "feed_options", "faults"),
    *("step_limit", "step_timeout", "require_coverage"),
)


def _check(scenario: Scenario, names: Sequence[str], options: Mapping[str, object]) -> None:
    for name in options:
        if name not in _OPTIONS:
            raise TypeError(f"matrix() got an unexpected keyword argument {name!r}")
    if not names:
        declared = tuple(scenario.safeguards)
        raise UsageError(
            f"{scenario.name} {'is given no safeguards to try' if declared else 'declares no safeguards'}.",
            why="a matrix says which sets of safeguards close what fails.",
            do=f"leave --safeguards out, or name some of {', '.join(declared)}."
            if declared
            else "declare some with @racewindow.scenario(safeguards=...), and ask sim.safeguard('name') in the code.",
        )
    if len(names) > _MOST:
        raise UsageError(
            f"{scenario.name} has {len(names)} safeguards, which have {2 ** len(names):,} sets.",
            why=f"a matrix is made of at most {_MOST} of them.",
            do=f"name those that matter: --safeguards {','.join(names[:2])}",
        )


class _Search:
    """One matrix in the making."""

    def __init__(
        self,
        scenario: Scenario,
        names: tuple[str, ...],
        limits: Limits,
        options: Mapping[str, Any],
        on_progress: Callable[[MatrixProgress], None] | None,
    ) -> None:
        self.scenario, self.names, self.limits, self.options = scenario, names, limits, options
        self.on_progress = on_progress
        self.not_in_all = tuple(name for name in names if name in scenario.not_in_all)
        self.tried: dict[SafeguardSet, Tried] = {}
        self.seen: dict[str, None] = {}
        """What fails and is no declared checker."""
        self.notes: dict[str, None] = {}
        self.first: Result | None = None
        self.stopped, self.interrupted = "", False
        self.started = real.monotonic()

    def run(self, *, everything: bool) -> None:
        """Try one set after the other, as the plan has them, until it ends or the time does."""
        whole = frozenset(self.names) - frozenset(self.not_in_all)
        plan = Plan(self.names, whole, self.tried, everything=everything)
        for on in plan:
            seconds = self._share(plan.left)
            if seconds is not None and seconds < _LEAST_SECONDS:
                if self.tried:
                    self.stopped = "there was no time left for them"
                    return
                seconds = _LEAST_SECONDS
            ordered = tuple(name for name in self.names if name in on)
            try:
                result = self._explore(ordered, seconds, plan.left)
                more = self._rest * _MORE
                if seconds is not None and more > seconds and not result.failing and _hurried(result):
                    result = self._explore(ordered, more, plan.left)
            except KeyboardInterrupt:
                self.interrupted, self.stopped = True, "it was interrupted"
                return
            self._take(on, result)
            if result.interrupted:
                self.interrupted, self.stopped = True, "it was interrupted"
                return

    def _share(self, left: int) -> float | None:
        """The seconds for the next set: more than its even share, for most sets need less."""
        if self.limits.seconds is None:
            return None
        return self._rest * min(1.0, max(_SHARES / max(left, 1), _LARGEST))

    @property
    def _rest(self) -> float:
        """The seconds that are left; 0 where there is no limit."""
        return (self.limits.seconds or 0.0) - (real.monotonic() - self.started)

    def _explore(self, on: tuple[str, ...], seconds: float | None, left: int) -> Result:
        tell = self.on_progress

        def progressed(current: Progress | None) -> None:
            assert tell is not None
            spent = real.monotonic() - self.started
            tell(MatrixProgress(len(self.tried), left, on, current, spent, self.limits.seconds))

        if tell is not None:
            progressed(None)
        return explore(
            self.scenario,
            safeguards=on,
            schedules=self.limits.schedules,
            seconds=seconds,
            all_failures=True,
            shrink=False,
            on_progress=None if tell is None else progressed,
            **self.options,
        )

    def _take(self, on: SafeguardSet, result: Result) -> None:
        self.first = self.first or result
        fails: dict[str, int] = {}
        for failure in result.failures:
            name = name_of(failure)
            fails[name] = min(failure.execution + 1, fails.get(name, failure.execution + 1))
        fails |= dict.fromkeys(result.missed, result.executions)
        self.seen |= dict.fromkeys(fails)
        self.notes |= dict.fromkeys(result.notes)
        self.tried[on] = Tried(
            on=on,
            executions=result.executions,
            complete=result.complete,
            fails=fails,
            unknown=frozenset(result.unknown),
            untrusted=result.untrusted,
            cut=_reasons(result),
            hurried=_hurried(result),
        )

    def matrix(self, target: str, feed: str | Path | None) -> Matrix:
        """What is known by now."""
        declared = [check.name for check in self.scenario.checks]
        others = [name for name in self.seen if name not in declared and name not in _ENDINGS]
        first = self.first
        return Matrix(
            target=target,
            safeguards=self.names,
            checkers=(*(name for name in _ENDINGS if name in self.seen), *declared, *others),
            tried=self.tried,
            not_in_all=self.not_in_all,
            strategy=self.options["strategy"],
            seed=self.options["seed"],
            semantics=self.scenario.semantics if first is None else first.semantics,
            clock="idle" if first is None else first.clock,
            params={} if first is None else first.params,
            faults=NO_FAULTS if first is None else first.faults,
            feed=None if feed is None else str(feed),
            limits=self.limits,
            seconds=real.monotonic() - self.started,
            stopped=self.stopped,
            interrupted=self.interrupted,
            notes=tuple(self.notes),
        )


def name_of(failure: Failure) -> str:
    """What a column of a matrix is called: the checker, or how the execution ended."""
    if failure.checker is not None:
        return failure.checker
    return "assertion" if failure.kind == "violation" else failure.kind


def _hurried(result: Result) -> bool:
    """Whether the time was over before the executions were."""
    bound = result.bounds.get("seconds")
    return not result.complete and (result.interrupted or (bound is not None and bound.reached))


def _reasons(result: Result) -> tuple[str, ...]:
    """Why it is not complete, without the seconds, which are others for each set."""
    bound = result.bounds.get("seconds")
    mine = "" if bound is None else f"the limit of {bound.limit:,} s "
    return tuple(_TIME if mine and reason.startswith(mine) else reason for reason in result.incomplete)


_TIME = "its share of the time came before the last order"
