"""State machines with async rules: Hypothesis chooses the rules and their data, and the order of events as well.

All rules of one example run in one execution. A rule runs to its end before the next one is chosen; whatever it has
started in `self.nursery` goes on meanwhile, and afterwards, in the order that was drawn. Hypothesis' own loop is run as
it is, in the place where an execution is driven, and each rule drives the execution until it has ended.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import outcome
import trio
from hypothesis import note, stateful
from hypothesis import settings as Settings  # noqa: N812  # a class, called in lower case by its users

from racewindow.errors import UsageError
from racewindow.faults import Fault, FaultPlan
from racewindow.host import Host
from racewindow.hypothesis.drawing import DrawingPicker, DrawnFaults, DrawnSchedule, shown
from racewindow.hypothesis.exploring import error_called
from racewindow.runtime.diagnosis import deadlock_text, hang_text
from racewindow.runtime.execution import STOPPED, Environment, Raw, run_once
from racewindow.runtime.faulting import Faulting
from racewindow.runtime.location import Locator
from racewindow.runtime.loop import BLOCKED, FINISHED, DecidedLoop
from racewindow.runtime.runner import SimRunner
from racewindow.runtime.watchdog import Watchdog
from racewindow.session import folder_of
from racewindow.strategies.replay import DecisionLog

Job = Callable[[], Any]
_MARKERS = ("RULE_MARKER", "INITIALIZE_RULE_MARKER", "INVARIANT_MARKER")
Faults = FaultPlan | Fault | None


class _Meta(stateful.StateMachineMeta):
    """Makes the machine in a task of the execution, so that what it makes may be made there only."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: N805  # of a metaclass
        make = functools.partial(super().__call__, *args, **kwargs)
        return make() if _Stage.current is None else _Stage.current.call(make)


class RuleBasedStateMachine(stateful.RuleBasedStateMachine, metaclass=_Meta):
    """`hypothesis.stateful.RuleBasedStateMachine` whose rules, invariants and `teardown` may be async.

    `nursery`: for services that live beside the rules; they are cancelled at the end. `semantics`, `faults`,
    `step_limit` (of one rule) and `step_timeout` (wall seconds) mean what they mean for `racewindow.explore`, and are
    set in the class. A rule that can never end is a deadlock, and fails.
    """

    semantics: ClassVar[str] = "processes"
    faults: ClassVar[Faults] = None
    step_limit: ClassVar[int] = 50_000
    step_timeout: ClassVar[float] = 10.0
    nursery: trio.Nursery

    def __init__(self) -> None:
        if _Stage.current is None:
            raise UsageError(
                f"{type(self).__name__} was made by hand.",
                why="its rules run in an execution, which its test case sets up.",
                do=f"run {type(self).__name__}.TestCase with pytest or unittest.",
            )
        super().__init__()
        self.nursery = _Stage.current.nursery

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for member in list(vars(cls).values()):
            for marker in _MARKERS:
                declared = getattr(member, getattr(stateful, marker), None)
                if declared is not None:
                    object.__setattr__(declared, "function", _driven(declared.function))  # an invariant is frozen
        if "teardown" in vars(cls):
            setattr(cls, "teardown", _driven(vars(cls)["teardown"]))  # noqa: B010  # mypy sees no method assigned

    @classmethod
    def _to_test_case(cls) -> Any:  # type: ignore[override]  # Hypothesis keeps the class in a cache; so does unittest
        case = super()._to_test_case()

        def runTest(self: Any) -> None:  # noqa: N802  # unittest's name
            _run_as_test(cls, self.settings)

        runTest.__dict__.update(vars(case.runTest))
        case.runTest = runTest  # type: ignore[method-assign]
        return case


def _driven(function: Callable[..., Any]) -> Callable[..., Any]:
    """A rule, invariant or teardown as a plain function that drives the execution until it has ended."""

    @functools.wraps(function)
    def driven(machine: RuleBasedStateMachine, *args: Any, **kwargs: Any) -> Any:
        assert _Stage.current is not None
        return _Stage.current.call(functools.partial(function, machine, *args, **kwargs))

    return driven


def _run_as_test(machine: type[RuleBasedStateMachine], settings: Settings) -> None:
    """As Hypothesis runs a state machine, with every example inside an execution of its own."""
    test = stateful.get_state_machine_test(machine, settings=settings)
    inner = test.hypothesis.inner_test  # type: ignore[attr-defined]

    @functools.wraps(inner)
    def example(data: Any) -> None:
        _Stage(machine, data.conjecture_data.draw).run(functools.partial(inner, data=data))

    test.hypothesis.inner_test = example  # type: ignore[attr-defined]
    test()


class _EndedError(Exception):
    """The execution ended in the middle of a rule, though nothing was raised."""


class _Stage:
    """One execution that Hypothesis' loop is run in. `current`: the one in progress."""

    current: ClassVar[_Stage | None] = None

    def __init__(self, machine: type[RuleBasedStateMachine], draw: Any) -> None:
        self._machine = machine
        schedule, plan = DrawnSchedule(draw), machine.faults
        plan = FaultPlan((plan,)) if isinstance(plan, Fault) else plan
        self._picker = DrawingPicker(schedule, () if plan is None else DrawnFaults(draw, plan))
        self._log = DecisionLog(self._picker)
        self._faulting = None if plan is None else Faulting(plan, self._log.pick_fault)
        self._locator = Locator(folder_of(machine))
        self._job: Job | None = None
        self._answer: outcome.Outcome[Any] | None = None
        self._end: str = ""

    def run(self, hypothesis_loop: Callable[[], None]) -> None:
        """Run one example: set up the execution, let Hypothesis choose rules in it, and take it down."""
        raised: BaseException | None = None

        def drive(runner: SimRunner) -> str:
            nonlocal raised
            self._runner = runner
            self._loop = DecidedLoop(
                runner,
                self._log.pick_task,  # type: ignore[arg-type]  # a SimTask is all that a Task is, and more
                batches=self._machine.semantics == "trio",
                racing=False,
                steps_max=1,
            )
            self._drive()
            try:
                hypothesis_loop()
                self._end_services()
            except BaseException as error:  # noqa: BLE001  # raised again outside of the execution
                raised = error
            return self._end or FINISHED

        with Watchdog(self._machine.step_timeout) as self._watchdog, Environment():
            _Stage.current = self
            try:
                raw = run_once(
                    self._main,
                    (),
                    drive,
                    self._log.pick_value,
                    full=True,  # an example cannot be run twice, so it begins in the form that can do everything
                    faulting=self._faulting,
                    on_start=Host(self._locator).start,
                )
            finally:
                _Stage.current = None
            if self._watchdog.interrupted:
                raise KeyboardInterrupt
        if self._picker.ended is not None:
            raise self._picker.ended
        if raised is not None:
            note(f"In the order of schedule={shown(self._log.deviations)}")
        if isinstance(raised, _EndedError) or (raw is not None and raw.end == STOPPED):
            assert raw is not None
            raise self._error(raw)
        if raised is not None:
            raise raised

    def call(self, function: Callable[[], Any]) -> Any:
        """Run `function`, and what it returns if that can be awaited, in the main task, until it has ended."""
        if self._end:
            return None  # the machine is being taken down, and there is nothing left that could run
        self._job, self._answer = function, None
        self._picker.chapter += 1  # so that a rule can be left out of an example without changing the rest
        trio.lowlevel.reschedule(self._task)
        self._drive()
        if self._answer is not None:
            return self._answer.unwrap()
        ended = self._runner.main_task_outcome
        raise ended.error if isinstance(ended, outcome.Error) else _EndedError  # the error is a service's

    def _drive(self) -> None:
        """Step until the main task asks for something to do, or until there is an end."""
        self._loop.steps_max = self._runner.step_serial + self._machine.step_limit
        self._asking, self._watchdog.runner = False, self._runner
        try:
            end = self._loop.run()
        finally:
            self._watchdog.runner = None
        if not self._asking:
            self._end = end

    def _end_services(self) -> None:
        self._job = None
        trio.lowlevel.reschedule(self._task)
        self._drive()
        if isinstance(self._runner.main_task_outcome, outcome.Error):
            raise self._runner.main_task_outcome.error
        if self._end != FINISHED:
            raise _EndedError

    async def _main(self) -> None:
        self._task = trio.lowlevel.current_task()
        async with trio.open_nursery() as self.nursery:
            while (job := await self._next_job()) is not None:
                try:
                    answer = job()
                    self._answer = outcome.Value(await answer if inspect.isawaitable(answer) else answer)
                except trio.Cancelled:
                    raise
                except BaseException as error:  # noqa: BLE001  # it is raised where the rule was called
                    self._answer = outcome.Error(error)
            self.nursery.cancel_scope.cancel()

    async def _next_job(self) -> Job | None:
        self._asking, self._loop.steps_max = True, 0  # the loop returns after this step
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.SUCCEEDED)
        return self._job

    def _error(self, raw: Raw) -> Exception:
        """What is wrong with an execution that ended in the middle of a rule."""
        if raw.end == BLOCKED:
            return error_called("deadlock", deadlock_text(raw.left, raw.stacks, self._locator))
        if raw.end == STOPPED:
            return error_called("hang", hang_text(raw.last, self._machine.step_timeout, self._locator))
        steps = f"a rule took more than {self._machine.step_limit:,} steps; the tasks that are left:"
        return error_called("livelock", f"{steps}\n{deadlock_text(raw.left, raw.stacks, self._locator)}")
