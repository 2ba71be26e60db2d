"""`explored`: an async function becomes a test whose data, order of events and faults Hypothesis chooses."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, overload

from hypothesis import note
from hypothesis.control import current_build_context
from hypothesis.errors import InvalidArgument, StopTest, UnsatisfiedAssumption

from racewindow.errors import ExplorationFailed, UsageError
from racewindow.failure import Execution
from racewindow.faults import Fault, FaultPlan, parse_fault
from racewindow.hypothesis.drawing import (
    DrawingPicker,
    Drawn,
    DrawnFaults,
    DrawnSchedule,
    Given,
    as_deviations,
    draw_of_this_example,
    shown,
)
from racewindow.report_failure import told, what_made_it_happen
from racewindow.runtime.diagnosis import flatten
from racewindow.runtime.execution import Environment
from racewindow.runtime.watchdog import Watchdog
from racewindow.scenarios import Scenario, as_scenario
from racewindow.session import Session
from racewindow.settings import Settings, make_settings
from racewindow.strategies.replay import DecisionLog

Program = Callable[..., Awaitable[object]]


@overload
def explored(target: Program | Scenario, /) -> Callable[..., None]: ...
@overload
def explored(
    *,
    semantics: str | None = None,
    clock: str = "idle",
    faults: FaultPlan | Fault | int | None = None,
    safeguards: Sequence[str] | str | None = None,
    seed: int = 0,
    step_limit: int = 50_000,
    step_timeout: float = 10.0,
) -> Callable[[Program | Scenario], Callable[..., None]]: ...
def explored(
    target: Program | Scenario | None = None,
    /,
    *,
    semantics: str | None = None,
    clock: str = "idle",
    faults: FaultPlan | Fault | int | None = None,
    safeguards: Sequence[str] | str | None = None,
    seed: int = 0,
    step_limit: int = 50_000,
    step_timeout: float = 10.0,
) -> Any:
    """Run an async function once per example, in the order of events and with the faults that Hypothesis draws.

    Put it under `@given`. With `schedule=schedules()` there (and `faults=faults(...)`), the order is an argument like
    the others, and `@example(schedule=[...])` repeats one; without, it is drawn all the same and shown by a note. The
    function may take `sim`, the `Simulation`. A `Scenario` can be explored as well; the other arguments are then its
    parameters.

    `faults`: what may strike if `@given` does not say. The rest is as for `racewindow.explore`.

    What comes out is a plain function. It raises what the function raises, and an ExplorationFailed for a deadlock, a
    livelock, a hang, or what a checker says.
    """
    options = {
        "semantics": semantics,
        "clock": clock,
        "safeguards": safeguards,
        "seed": seed,
        "step_limit": step_limit,
        "step_timeout": step_timeout,
    }

    def decorate(inner: Program | Scenario) -> Callable[..., None]:
        if not isinstance(inner, Scenario) and not inspect.iscoroutinefunction(inspect.unwrap(inner)):
            raise UsageError(
                f"{getattr(inner, '__qualname__', inner)!s:.80} is not an async function.",
                why="@explored runs one under orders of events of its own choice.",
                do="put @explored under @given, directly above an `async def` function or a scenario.",
            )
        if faults is not None and (isinstance(faults, bool) or not isinstance(faults, FaultPlan | Fault | int)):
            raise UsageError(
                f"faults cannot be {faults!r:.60}.",
                why="@explored takes a FaultPlan, a fault, or a budget for those that the scenario declares.",
                do='to name kinds by text, have them drawn: @given(..., faults=faults("crash", "stall:seconds=30")).',
            )
        return _as_test(_Explored(inner, options, faults))

    return decorate if target is None else decorate(target)


class _Explored:
    """An explored function: its sessions, and the arguments of the example in hand."""

    def __init__(
        self, inner: Program | Scenario, options: dict[str, Any], faults: FaultPlan | Fault | int | None
    ) -> None:
        self.inner, self._options, self._faults = inner, options, faults
        function = inner.function if isinstance(inner, Scenario) else inner
        self.signature = inspect.signature(function)
        self._wants = frozenset(self.signature.parameters)
        self._arguments: dict[str, Any] = {}
        self._raised: BaseException | None = None
        self._sessions: dict[Any, Session] = {}

    def run(
        self,
        kwargs: dict[str, Any],
        schedule: DrawnSchedule | Given | None,
        faults: DrawnFaults | Given | None,
    ) -> None:
        """Run one example; see `explored`."""
        __tracebackhide__ = True
        implied = schedule is None or (faults is None and self._faults is not None)
        if schedule is None:
            schedule = DrawnSchedule(draw_of_this_example())
        if faults is None and self._faults is not None and isinstance(schedule, DrawnSchedule):
            faults = DrawnFaults(schedule.draw, _plan_of(self._faults))
        faults = () if faults is None else faults
        picker = DrawingPicker(schedule, faults)
        log = DecisionLog(picker)
        execution = self._execute(log, kwargs, self._session(schedule, faults, kwargs))
        for each in (schedule, faults):
            if isinstance(each, (DrawnSchedule, DrawnFaults)):
                each.used(log.deviations)
        if implied or any(each.shown_bare for each in (schedule, faults) if isinstance(each, Drawn)):
            note(f"In the order of schedule={shown(log.deviations)}")
        self._judge(execution, picker.ended)

    def _execute(self, log: DecisionLog, kwargs: dict[str, Any], session: Session) -> Execution:
        self._arguments, self._raised = kwargs, None
        with Watchdog(session.settings.step_timeout) as watchdog, Environment(footprints=True):
            session.watchdog = watchdog
            execution = session.record(log)
            if watchdog.interrupted:
                raise KeyboardInterrupt
        return execution

    def _session(self, schedule: Any, faults: Any, kwargs: dict[str, Any]) -> Session:
        """One for all examples, so that what it has learned of the code is learned once."""
        plan = faults.plan if isinstance(faults, DrawnFaults) else _plan_given(schedule, faults)
        key = plan if isinstance(plan, int) else None if plan is None else (plan.faults, plan.budget)
        if key not in self._sessions:
            target = self.inner if isinstance(self.inner, Scenario) else as_scenario(self._main())
            self._sessions[key] = Session(make_settings(target, faults=plan, **self._options))
        session = self._sessions[key]
        if not isinstance(self.inner, Scenario):
            return session
        settings: Settings = replace(session.settings, params=self.inner.resolve_params(kwargs))
        return Session(settings)

    def _main(self) -> Program:
        """The function with the arguments of the example in hand, and with nothing else to ask for but `sim`."""
        inner = self.inner

        async def main(*sim: Any) -> None:
            __tracebackhide__ = True
            try:
                await inner(**self._arguments, **({"sim": sim[0]} if sim else {}))
            except BaseException as error:
                self._raised = error
                raise

        functools.update_wrapper(main, inner)
        wanted = [inspect.Parameter("sim", inspect.Parameter.POSITIONAL_ONLY)] if "sim" in self._wants else []
        main.__signature__ = inspect.Signature(wanted)  # type: ignore[attr-defined]
        return main

    def _judge(self, execution: Execution, ended: BaseException | None) -> None:
        """Raise what Hypothesis and the user should see of an execution."""
        __tracebackhide__ = True
        if ended is not None:
            raise ended
        raised, self._raised = self._raised, None
        for leaf in () if raised is None else flatten(raised):
            if isinstance(leaf, (UnsatisfiedAssumption, StopTest)):
                raise leaf  # as bare as Hypothesis looks for it, whatever nursery it came through
        failure = execution.failure
        if failure is None:
            return
        if raised is not None and failure.checker is None and failure.kind in ("violation", "exception"):
            if _is_final():
                raised.add_note("\n".join(what_made_it_happen(failure)))
            raise raised
        name = self.inner.name if isinstance(self.inner, Scenario) else getattr(self.inner, "__name__", "main")
        text = "\n".join(told(failure, name))
        words = (failure.kind, failure.checker, failure.class_, failure.subject)
        raise error_called(" ".join(word for word in words if word), text)

    def takes(self, name: str) -> bool:
        """Whether the function itself has a parameter of that name."""
        return name in self._wants and not isinstance(self.inner, Scenario)


def _as_test(explored_: _Explored) -> Callable[..., None]:
    inner = explored_.inner

    def test(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True  # a failure is in the function, not in here
        given = {**dict(zip(positional, args, strict=False)), **kwargs}
        drawn = {name: given.get(name) for name in ("schedule", "faults")}
        passed = {name: value for name, value in given.items() if name not in drawn or explored_.takes(name)}
        explored_.run(passed, **drawn)

    functools.update_wrapper(test, inner.function if isinstance(inner, Scenario) else inner)
    del test.__dict__["__wrapped__"]  # it is not the async function any more, for whoever looks
    # What `@given` draws besides goes by keyword, as it takes no parameter with a default, such as `schedule` would be.
    asked = () if isinstance(inner, Scenario) else explored_.signature.parameters.values()
    kept = [p for p in asked if p.name != "sim" and p.kind is not p.VAR_KEYWORD and p.default is p.empty]
    positional = [p.name for p in kept if p.kind is not p.KEYWORD_ONLY]
    kept.append(inspect.Parameter("drawn", inspect.Parameter.VAR_KEYWORD))
    test.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
    test.__annotations__ = {}
    # pytest-trio refuses a function that is not async where a whole module is marked `trio`, but not one that it has
    # wrapped before.
    test._trio_test_runner_wrapped = True  # type: ignore[attr-defined]  # noqa: SLF001
    test.racewindow_explored = True  # type: ignore[attr-defined]  # so that our own plugin leaves it alone
    return test


def _plan_of(faults: FaultPlan | Fault | int) -> FaultPlan | int:
    return FaultPlan((faults,)) if isinstance(faults, Fault) else faults


def _plan_given(*given: Any) -> FaultPlan | None:
    """What strikes in deviations that were given; they name each fault by its text."""
    deviations = [d for each in given if not isinstance(each, DrawnSchedule) for d in as_deviations(each)]
    texts = dict.fromkeys(d.option for d in deviations if d.kind == "fault")
    return FaultPlan(tuple(map(parse_fault, texts)), len(deviations)) if texts else None


def _is_final() -> bool:
    try:
        return bool(current_build_context().is_final)
    except InvalidArgument:
        return True  # called by hand


@functools.cache
def _error_type(what: str) -> type[ExplorationFailed]:
    return type(what, (ExplorationFailed,), {"__module__": __name__})


def error_called(what: str, text: str) -> ExplorationFailed:
    """An error of a type of its own for each `what`: by types Hypothesis tells one failure from another."""
    return _error_type(what)(text)
