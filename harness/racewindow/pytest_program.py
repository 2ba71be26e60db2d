"""A test as a program: what pytest would run, handed over so that it can be run many times.

Before each execution the fixtures of function scope are torn down and set up again by pytest itself, as is the instance
of the test's class; what is async in them is set up inside the execution. Then the test is called as pytest would call
it, but whoever calls `trio.run` for it is asked what it was going to run instead.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import inspect
import io
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import trio
from trio.abc import Clock, Instrument
from trio.testing import MockClock

from racewindow._trio_internals import RunAskedFor, keep_real_time, runs_asked_for
from racewindow.errors import RealIOError, RealThreadError, UsageError
from racewindow.pytest_fixtures import Deferred, deferring, ordered_fixtures, with_fixtures
from racewindow.runtime.diagnosis import flatten
from racewindow.runtime.execution import Environment
from racewindow.scenarios import Prepared, Scenario, Simulation
from racewindow.virtual import real

PYTEST_TRIO, ANYIO, NOBODY, OTHER = "pytest-trio", "anyio", "nobody", "another plugin"
"""Who would run a test: the last two are an async test that pytest refuses, and whatever else there may be."""


class CannotBeRunError(Exception):
    """There is no trio program to be had from a test; the text says why."""


class Program:
    """One test.

    `marked`: by the marker, so that an async test which no plugin would run is run as well. `verdicts`: exceptions with
    which a test says what is to become of it, such as that it is skipped.
    """

    def __init__(self, item: Any, *, marked: bool, verdicts: tuple[type[BaseException], ...] = ()) -> None:
        self.item, self.marked, self._verdicts = item, marked, verdicts
        self.verdict: BaseException | None = None
        self.simulation: Simulation | None = None
        self.refused: dict[str, None] = {}
        """What executions were refused: real input and output, real threads."""
        self._function = item.obj
        self._runtest: Callable[[], None] = item.runtest
        self._deferring = marked and not self._of_pytest_trio

    @property
    def is_async(self) -> bool:
        """Whether it is an async test."""
        return inspect.iscoroutinefunction(self._function)

    @property
    def is_hypothesis(self) -> bool:
        """Whether Hypothesis draws its arguments."""
        return hasattr(self._function, "hypothesis")

    @property
    def _of_pytest_trio(self) -> bool:
        return self.item.get_closest_marker("trio") is not None and "pytest_trio.plugin" in sys.modules

    def run_plainly(self) -> None:
        """Run it as if there were no racewindow."""
        self._runtest()

    def scenario(self, declared: Scenario | None, semantics: str) -> Scenario:
        """The test as a scenario; `declared`: whose checks, faults and the like it is to have."""
        return Scenario(
            function=inspect.unwrap(getattr(self._function, "__func__", self._function)),
            name=self.item.nodeid,
            semantics=semantics,
            wants_simulation="sim" in self.item.fixturenames,
            prepare=self._prepare,
            **({} if declared is None else _declaration(declared)),
        )

    @contextlib.contextmanager
    def executions(self, *, silent: bool = True) -> Iterator[None]:
        """Around everything that runs executions of the test. `silent`: what they print and log is not kept."""
        before, self._deferring = self._deferring, not self._of_pytest_trio
        self._tear_down()  # what is patched for the test has to be undone before other things are patched
        if trio.lowlevel.in_trio_run():
            raise CannotBeRunError("a fixture that outlives the test keeps a trio program running")
        with ordered_fixtures(), Environment(), self._silence() if silent else contextlib.nullcontext():
            try:
                yield
            finally:
                self._tear_down()
        self._set_up()  # so that pytest finds, and tears down, what it has set up
        self._deferring = before

    @contextlib.contextmanager
    def _silence(self) -> Iterator[None]:
        """Hundreds of executions say what one would; a test that looks at its log sees it still."""
        logger = logging.getLogger()
        handlers = logger.handlers[:]
        if "caplog" not in self.item.fixturenames:
            logger.handlers[:] = [logging.NullHandler()]
        hook = sys.unraisablehook
        if not self.marked:  # the plain run has said what there is to be said
            sys.unraisablehook = lambda _: None
        nowhere = io.StringIO()
        nowhere.write = len  # type: ignore[method-assign]
        try:
            with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
                yield
            gc.collect(1)  # what an execution has left half made complains when it goes
        finally:
            logger.handlers[:] = handlers
            sys.unraisablehook = hook

    # --- fixtures ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def setting_up(self, fixture: Any, request: Any) -> Iterator[None]:
        """Around pytest's set-up of a fixture: one that an execution has to set up becomes a `Deferred`."""
        if not (self._deferring and fixture.scope == "function" and self._waits(fixture, request)):
            yield
            return
        function = fixture.func
        bind = functools.partial(_bound, function, request.instance)
        fixture.func = deferring(fixture.argname, function, bind=bind)
        try:
            yield
        finally:
            fixture.func = function

    @staticmethod
    def _waits(fixture: Any, request: Any) -> bool:
        return _is_async(fixture.func) or any(
            isinstance(request.getfixturevalue(name), Deferred) for name in fixture.argnames
        )

    def _tear_down(self) -> None:
        """Tear down what has the scope of a function. It is set up once more for pytest, which hears of any error."""
        with contextlib.suppress(Exception):
            self.item.session._setupstate.teardown_exact(self.item.parent)  # noqa: SLF001  # no public way

    def _set_up(self) -> None:
        item = self.item
        if item.cls is None:
            item.obj = self._function
        else:
            vars(item).pop("_instance", None)  # a test has an instance of its class to itself
            vars(item).pop("_obj", None)
        item._initrequest()  # noqa: SLF001  # as plugins do that run a test again
        item.session._setupstate.setup(item)  # noqa: SLF001
        if "caplog" in item.funcargs:
            item.funcargs["caplog"].clear()

    # --- one execution ----------------------------------------------------------------------------------------------

    def _prepare(self, simulation: Simulation) -> Prepared:
        self.simulation = simulation
        self._tear_down()
        self._set_up()
        runner = self._runner()
        prepared = self._directly() if runner in (ANYIO, NOBODY) else self._asked(runner)
        if prepared.clock is not None:
            keep_real_time(prepared.clock, real.monotonic)
            if not isinstance(prepared.clock, MockClock) or prepared.clock.rate:
                raise CannotBeRunError("its clock runs in real time")

        async def main() -> None:
            await self._watched(prepared.main)

        main.__name__ = main.__qualname__ = self.item.originalname  # how reports call its task
        return prepared._replace(main=main)

    def _runner(self) -> str:
        if self._of_pytest_trio:
            return PYTEST_TRIO
        backend = self.item.funcargs.get("anyio_backend")
        if backend is None:
            return NOBODY if self.marked else OTHER
        name = backend if isinstance(backend, str) else backend[0]
        if name != "trio":
            raise CannotBeRunError(f"it runs on {name}, and only trio programs can be explored")
        return ANYIO

    def _directly(self) -> Prepared:
        item = self.item
        values = item.funcargs
        for name, (*_, fixture) in item._fixtureinfo.name2fixturedefs.items():  # noqa: SLF001
            if fixture.scope != "function" and _is_async(fixture.func):
                raise CannotBeRunError(f"its async fixture {name!r} outlives the test, and so any execution of it")
        clocks = [each for each in values.values() if isinstance(each, Clock)]
        return Prepared(
            functools.partial(with_fixtures, item.obj, values, item._fixtureinfo.argnames),  # noqa: SLF001
            clocks[0] if clocks else None,
            [each for each in values.values() if isinstance(each, Instrument)],
        )

    def _asked(self, runner: str) -> Prepared:
        if runner == PYTEST_TRIO:
            next(sys.modules["pytest_trio.plugin"].pytest_runtest_call(self.item))  # it takes the test's place
        try:
            with runs_asked_for():
                self._runtest()
        except RunAskedFor as asked:
            return Prepared(asked.main, asked.clock, asked.instruments)
        raise CannotBeRunError("it does not call trio.run")

    async def _watched(self, main: Callable[[], Awaitable[object]]) -> None:
        try:
            await main()
        except BaseException as error:
            for leaf in flatten(error):
                if isinstance(leaf, RealIOError | RealThreadError):
                    self.refused.setdefault(leaf.what)
                elif isinstance(leaf, self._verdicts):
                    self.verdict = leaf.with_traceback(None)
            raise


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _bound(function: Callable[..., Any], instance: object) -> Callable[..., Any]:
    """A fixture that is a method, as a method of the instance that the test has now."""
    own = getattr(function, "__self__", None)
    if instance is None or own is None or not isinstance(instance, type(own)):
        return function
    method: Callable[..., Any] = function.__func__.__get__(instance)  # type: ignore[attr-defined]
    return method


def _declaration(declared: Scenario) -> dict[str, Any]:
    return {
        "summary": declared.summary,
        "safeguards": declared.safeguards,
        "checks": declared.checks,
        "faults": declared.faults,
        "feed_loader": declared.feed_loader,
        "narrate": declared.narrate,
        "incident": declared.incident,
        "require_coverage": declared.require_coverage,
    }


class _Nowhere:
    """The host of a simulation outside of any execution."""

    def __getattr__(self, name: str) -> Any:
        raise UsageError(
            f"sim.{name} was used outside of an execution.",
            why="fixtures that are not async are set up before it.",
            do="use it in the test, or in an async fixture.",
        )


def no_simulation() -> Simulation:
    """The value of the `sim` fixture before there is an execution."""
    host: Any = _Nowhere()
    return Simulation(host, known={}, on=frozenset(), feed=None, log=logging.getLogger("racewindow"))  # type: ignore[arg-type]
