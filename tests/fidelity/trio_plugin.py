"""A pytest plugin for trio's own tests: `trio.run` is `racewindow.run`, and trio's own loop cannot be entered.

Loaded into a pytest process of its own (see `trio_suite.py`), which knows nothing of this project's configuration.
Every test is run once per seed. Each run that it makes gets a seed of its own, a function of seed, test and number of
the run: a test that repeats a run until it has seen both orders of something would otherwise see one of them for ever.
"""

from __future__ import annotations

import json
import signal
import zlib
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest
import trio
from trio import _core
from trio._core import _run

import racewindow
from racewindow import running
from racewindow.runtime.loop import DecidedLoop
from racewindow.runtime.task import SimTask
from tests.fidelity.trio_suite import CANNOT_PASS, Outcome

STEPS_MAX = 20_000
"""For a test that is known to poll for what only a real thread would do."""
STUCK_SECONDS = 60
"""The last resort, for a test that does not come back."""


class _BoundedLoop(DecidedLoop):
    """The loop that `racewindow.run` uses, with an end."""

    def _step(self, task: SimTask) -> None:
        assert self.runner.step_serial < STEPS_MAX, "polls for ever"
        super()._step(task)


class _Suite:
    """One session: how its tests are run, and what became of each."""

    def __init__(self, semantics: str) -> None:
        self.semantics = semantics
        self.test, self.seed, self.runs = "", 0, 0
        self.outcomes: dict[str, Outcome] = {}

    def run(self, function: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
        """Stand for `trio.run`."""
        __tracebackhide__ = True
        self.runs += 1
        seed = zlib.crc32(f"{self.seed} {self.test} {self.runs}".encode())
        return racewindow.run(function, *args, seed=seed, semantics=self.semantics, **options)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Function) -> Generator[None, object, object]:
        """Say which test is run, bound those that cannot pass, and end one that is stuck."""
        self.test, self.seed, self.runs = item.name, _seed(item), 0
        running.DecidedLoop = _BoundedLoop if _name(item) in CANNOT_PASS else DecidedLoop  # type: ignore[attr-defined]
        before = signal.signal(signal.SIGALRM, _stuck)
        signal.alarm(STUCK_SECONDS)
        try:
            return (yield)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep the outcome of each test: of its call, unless setting it up or tearing it down did not go well."""
        report = yield
        if report.when == "call" or report.outcome != "passed":
            expected = hasattr(report, "wasxfail") and report.outcome == "skipped"
            self.outcomes[item.nodeid] = Outcome(
                test=_name(item),
                seed=_seed(item),
                outcome="xfailed" if expected else report.outcome,
                why="" if report.outcome == "passed" else report.longreprtext,
            )
        return report


def _seed(item: pytest.Function) -> int:
    seed = item.callspec.params["racewindow_seed"]
    assert isinstance(seed, int)
    return seed


def _name(item: pytest.Function) -> str:
    return f"{item.module.__name__}::{item.originalname}"


def _stuck(_signal: int, _frame: FrameType | None) -> NoReturn:
    pytest.fail(f"did not come back within {STUCK_SECONDS} s")


def _trios_own_loop(*_args: object, **_kwargs: object) -> NoReturn:
    raise AssertionError("trio's own loop was entered")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `trio_suite.py` hands in."""
    group = parser.getgroup("racewindow")
    group.addoption("--racewindow-seeds", type=json.loads, default=[0])
    group.addoption("--racewindow-semantics", default="trio")
    group.addoption("--racewindow-report", type=Path)


def pytest_configure(config: pytest.Config) -> None:
    """Replace `run` wherever a test can find it, before the first test module is imported."""
    suite = _Suite(config.getoption("--racewindow-semantics"))
    config.pluginmanager.register(suite, "racewindow-suite")
    for module in (trio, _core, _run):
        module.run = suite.run  # type: ignore[attr-defined]
    _run.unrolled_run = _run.setup_runner = _trios_own_loop


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat every test for every seed, which it need not ask for."""
    metafunc.fixturenames.append("racewindow_seed")
    metafunc.parametrize("racewindow_seed", metafunc.config.getoption("--racewindow-seeds"), ids="seed{}".format)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Write what became of every test."""
    suite: _Suite | None = config.pluginmanager.get_plugin("racewindow-suite")
    report: Path | None = config.getoption("--racewindow-report")
    if suite is not None and report is not None:
        report.write_text(json.dumps([each._asdict() for each in suite.outcomes.values()]), encoding="utf-8")
