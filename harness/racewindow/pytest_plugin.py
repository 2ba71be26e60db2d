"""The pytest plugin: the marker, the options, the `sim` fixture, and the places where pytest calls.

Every pytest run of an environment loads this module, also those that have nothing to do with racewindow: it imports
pytest and nothing else, and everything behind it when a test asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from racewindow.corpus import Entry
    from racewindow.failure_file import StoredFailure
    from racewindow.pytest_exploring import Done, Places
    from racewindow.pytest_program import Program  # noqa: F401  # in a text
    from racewindow.pytest_wanted import Options
    from racewindow.scenarios import Simulation

_TEXTS = {
    "schedules": ("N", "executions of each test at most (200 with --racewindow)"),
    "seconds": ("S", "wall time for each test at most (5 with --racewindow)"),
    "strategy": ("NAME", "how orders of events are chosen (auto)"),
    "seed": ("N", "of what is drawn by chance (0)"),
    "faults": ("K", "faults that may strike in one execution, or kinds, as 'crash|drop'"),
    "report-dir": ("DIR", "folder for the files of failures (.racewindow/failures)"),
}
_SWITCHES = {
    "": "run every async test of the suite in many orders of events",
    "-no-shrink": "leave failures as they are found, neither smaller nor explained",
}
_MARKER = (
    "racewindow(strategy=, schedules=, seconds=, seed=, semantics=, faults=, preemptions=, scenario=, expect=): "
    "run this async test in many orders of events"
)


CORPUS = "tests/racewindow_corpus"
"""The same as `racewindow.corpus.FOLDER`, without loading it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and an ini setting of the same name for each that makes sense in a file."""
    group = parser.getgroup("racewindow", "orders of events (racewindow)")
    for name, what in _SWITCHES.items():
        group.addoption(f"--racewindow{name}", action="store_true", help=what)
        parser.addini(f"racewindow{name}".replace("-", "_"), what, type="bool", default=False)
    for name, (value, what) in _TEXTS.items():
        group.addoption(f"--racewindow-{name}", metavar=value, help=what)
        parser.addini(f"racewindow_{name}".replace("-", "_"), what, default=None)
    group.addoption("--racewindow-replay", metavar="FILE", help="run a recorded failure of a test again")
    parser.addini("racewindow_corpus", f"folder for failures of the past ({CORPUS})", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse options that make no sense."""
    config.addinivalue_line("markers", _MARKER)
    session = _Session(config)
    config.pluginmanager.register(session, "racewindow-session")
    if session.is_asked_for():
        with _complaining(pytest.UsageError):
            session.check()


@pytest.fixture
def sim(request: pytest.FixtureRequest) -> Simulation:
    """The `racewindow.Simulation` of the execution that the test is in."""
    program = request.node.stash.get(_PROGRAM, None)
    if program is None:
        pytest.fail("sim belongs to an execution: mark the test @pytest.mark.racewindow", pytrace=False)
    from racewindow.pytest_program import no_simulation

    return program.simulation or no_simulation()


class Failed(pytest.fail.Exception, AssertionError):  # type: ignore[name-defined,misc]  # noqa: N818  # as in pytest
    """What a test fails with: its text is all that is printed, and it passes for an assertion that failed."""

    __module__ = "builtins"  # so that pytest prints it without one, as it does its own


class _complaining:  # noqa: N801  # used as a function
    """Turns an error about what the user gave into one that pytest prints without a traceback."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, Exception) and _is_usage_error(error):
            raise self.kind(str(error)) from None


def _is_usage_error(error: Exception) -> bool:
    from racewindow.errors import UsageError

    return isinstance(error, UsageError)


def _is_explored(item: pytest.Function) -> bool:
    """Whether every example of the test is explored already, by `racewindow.hypothesis`."""
    inner = getattr(getattr(item.obj, "hypothesis", None), "inner_test", None)
    return getattr(inner, "racewindow_explored", False) is True


def _failed(text: str) -> Failed:
    return Failed(text, pytrace=False)  # type: ignore[call-arg]


_PROGRAM = pytest.StashKey["Program"]()
_DONE = pytest.StashKey["Done"]()


class _Session:
    """What one run of pytest has to remember."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.tests: list[dict[str, Any]] = []
        self.collected: set[str] = set()
        self._options: Options | None = None
        self._corpus: list[Entry] | None = None
        self._stored: StoredFailure | None = None

    # --- what was asked for -----------------------------------------------------------------------------------------

    def _text(self, name: str) -> str | None:
        value: str | None = self.config.getoption(f"racewindow_{name}")
        return value

    def _ini(self, name: str) -> str | None:
        value = self.config.getini(f"racewindow_{name}")
        return str(value) if value else None

    def _on(self, name: str) -> bool:
        option = "racewindow" if name == "suite" else f"racewindow_{name}"
        return bool(self.config.getoption(option) or self.config.getini(option))

    # Methods and no properties: older versions of pluggy evaluate each attribute of a plugin.
    def is_asked_for(self) -> bool:
        """Whether anything was set, on the command line or in the ini file."""
        names = [name.replace("-", "_") for name in _TEXTS]
        return any(
            (*map(self._text, (*names, "replay")), *map(self._ini, names), *map(self._on, ("suite", "no_shrink")))
        )

    def options(self) -> Options:
        """All of it, checked."""
        if self._options is None:
            from racewindow.pytest_wanted import read_options

            self._options = read_options(self._text, self._ini, self._on)
        return self._options

    def check(self) -> None:
        """Raise UsageError for what makes no sense."""
        replay = self.options().replay
        if replay is not None:
            from racewindow.failure_file import load

            self._stored = load(self.config.invocation_params.dir / replay)

    def _places(self) -> Places:
        from racewindow.pytest_exploring import Places

        out = self.config.rootpath / self.options().report_dir
        return Places(out=out, corpus=self._folder(), shrink=self.options().shrink, shown=self._shown)

    def _folder(self) -> Path:
        """Of the corpus."""
        return self.config.rootpath / (self._ini("corpus") or CORPUS)

    def _shown(self, path: str) -> str:
        """Relative to where pytest was started, if it lies there."""
        start = self.config.invocation_params.dir
        return os.path.relpath(path, start) if Path(path).is_relative_to(start) else path

    def _typed(self, item: pytest.Item) -> str:
        """A test as it should be typed."""
        start = self.config.invocation_params.dir
        if not item.path.is_relative_to(start):
            return item.nodeid
        return self._shown(str(item.path)) + item.nodeid[item.nodeid.find("::") :]

    # --- which tests ------------------------------------------------------------------------------------------------

    def pytest_report_header(self) -> str | None:
        """Say what is about to be done."""
        if self._stored is not None:
            return f"racewindow: replaying {self._stored.target}"
        if not self._on("suite"):
            return None
        with _complaining(pytest.UsageError):
            from racewindow.pytest_wanted import wanted_of_suite

            wanted = wanted_of_suite(self.options())
        seconds = "" if wanted.seconds is None else f" or {wanted.seconds:g} s"
        budget = f"{wanted.schedules} orders of events{seconds}" if wanted.schedules else seconds[4:]
        return f"racewindow: each async test in at most {budget}, strategy {wanted.strategy}, seed {wanted.seed}"

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """The same tests that each process has."""
        self.collected.update(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """A replay leaves out every other test."""
        self.collected.update(item.nodeid for item in items)
        if self._stored is None:
            return
        wanted = self._stored.target
        others = [item for item in items if item.nodeid != wanted]
        if items and len(others) == len(items):
            msg = f"{self._stored.path} is a failure of {wanted}, which is not among the tests collected.\n"
            raise pytest.UsageError(msg + f"Do:  pytest --racewindow-replay {self._stored.path} {wanted}")
        items[:] = [item for item in items if item.nodeid == wanted]
        if others:
            config.hook.pytest_deselected(items=others)

    def _past(self, item: pytest.Item) -> list[Entry]:
        return [each for each in self._entries() if each.target == item.nodeid]

    def _untried(self) -> list[tuple[str, str, str]]:
        """What the corpus has of tests that are not there any more, and what cannot be read."""
        if self._stored is not None or not self._folder().is_dir():
            return []
        config, found = self.config, []
        chosen = [config.getoption(name, None) for name in ("keyword", "markexpr", "lf", "failedfirst", "stepwise")]
        some = any(chosen) or any("::" in each for each in config.args)
        for entry in self._entries():
            file, _, _ = entry.target.partition("::")
            searched = any(each.startswith(f"{file}::") for each in self.collected) and not some
            shown = self._shown(str(entry.path))
            if entry.problem:
                found.append((shown, "broken", entry.problem))
            elif entry.target not in self.collected and (searched or not (config.rootpath / file).exists()):
                found.append((shown, "stale", f"there is no test {entry.target} any more."))
        return found

    def _entries(self) -> list[Entry]:
        if self._corpus is None:
            from racewindow.corpus import Corpus

            self._corpus = [each for each in Corpus(self._folder()).entries() if each.of_pytest or each.problem]
        return self._corpus

    # --- one test ---------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Take the place of a test that is to be explored."""
        if not isinstance(item, pytest.Function) or _is_explored(item):
            return
        marks = [(mark.args, mark.kwargs) for mark in reversed(list(item.iter_markers("racewindow")))]
        if not (marks or self._stored is not None or self._on("suite")):
            return
        with _complaining(_failed):
            from racewindow.pytest_exploring import Exploring, check_async
            from racewindow.pytest_program import Program
            from racewindow.pytest_wanted import wanted_of_marker, wanted_of_suite

            wanted = wanted_of_marker(marks, self.options()) if marks else wanted_of_suite(self.options())
            program = Program(item, marked=bool(marks), verdicts=(pytest.skip.Exception, pytest.xfail.Exception))
            if marks:
                check_async(program)
            exploring = Exploring(program, wanted, self._places(), () if self._stored else self._past(item))
        item.stash[_PROGRAM] = program
        stored = self._stored

        def runtest() -> None:
            with _complaining(_failed):
                if stored is not None:
                    done = exploring.again(stored)
                else:
                    done = exploring.marked() if marks else exploring.suite()
            self._note(item, done)
            if done.wrong:
                raise _failed(self._told(item, done))

        item.runtest = runtest  # type: ignore[method-assign]

    def _note(self, item: pytest.Item, done: Done) -> None:
        """For the reports, and for the JUnit file."""
        if done.file is not None:
            done.file = self._shown(done.file)
        item.stash[_DONE] = done
        if done.how != "ordinary":
            item.user_properties += [("racewindow", done.how), ("racewindow_executions", done.executions)]
        if done.failure is not None and done.file is not None:
            from racewindow.pytest_told import replay_command

            item.user_properties.append(("racewindow_replay", replay_command(done.file, self._typed(item))))

    def _told(self, item: pytest.Item, done: Done) -> str:
        from racewindow.pytest_told import failure_sections

        if done.failure is None:
            return done.wrong
        return failure_sections(done.failure, self._typed(item), None)[0]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, object, object]:
        """Leave async fixtures to the executions of the test."""
        program = request.node.stash.get(_PROGRAM, None)
        if program is None:
            return (yield)
        with program.setting_up(fixturedef, request):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put into the report what was found."""
        report = yield
        done = item.stash.get(_DONE, None)
        if done is None or call.when != "call":
            return report
        from racewindow.pytest_told import as_data, failure_sections

        test = self._typed(item)
        report.racewindow = as_data(done, test)  # type: ignore[attr-defined]  # pytest-xdist carries it over
        if done.failure is not None and report.failed:
            _, sections = failure_sections(done.failure, test, done.file)
            report.sections += [(f"racewindow: {title}", text) for title, text in sections]
        return report

    # --- the end ----------------------------------------------------------------------------------------------------

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather what is to be said at the end, from wherever the test was run."""
        data = getattr(report, "racewindow", None)
        if data is not None:
            self.tests.append(data)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was explored and what was not."""
        untried = self._untried()
        if not self.tests and not untried:
            return
        from racewindow.pytest_told import summary

        lines = summary(self.tests, untried)
        if lines:
            terminalreporter.section("racewindow")
            for line in lines:
                terminalreporter.line(line)
