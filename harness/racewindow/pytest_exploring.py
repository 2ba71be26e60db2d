"""What is done with one test: failures of the past first, then the exploration, then what was expected of it.

Every function here takes a test as a `Program` and answers with a `Done`; nothing here knows of pytest.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import trio

from racewindow._trio_internals import runs_counted
from racewindow.corpus import Corpus, Entry, Tried, attempt
from racewindow.coverage import missed_text
from racewindow.errors import DivergenceError, InputError, UsageError
from racewindow.explainer import explain_briefly
from racewindow.explorer import explore, replay
from racewindow.failure import Failure
from racewindow.failure_file import StoredFailure
from racewindow.judging import names_of
from racewindow.pytest_program import CannotBeRunError, Program
from racewindow.pytest_wanted import Wanted
from racewindow.report_failure import untrusted_text
from racewindow.report_layout import bulleted, counted, wrap
from racewindow.result import Result
from racewindow.runtime.step import StopExecution
from racewindow.scenarios import Scenario
from racewindow.schedule import Schedule

EXPLORED, NOT_EXPLORED, REPLAYED, ORDINARY = "explored", "not explored", "replayed", "ordinary"
"""What became of a test; ordinary: it starts no trio program, so there is nothing to explore."""


_STEP_SECONDS = 3.0
"""Of real time, for a step of a test that was not written for racewindow."""


class Kept(NamedTuple):
    """What became of a failure of the past: file, verdict (see `racewindow.corpus`) and reason."""

    file: str
    verdict: str
    why: str


@dataclass(slots=True)
class Done:
    """What became of a test.

    `wrong`: why it fails, "" if it does not; `failure`: what was found, if that is why, with `file`. `why`: the reason
    for a test that was not explored, or for a result that is not to be trusted.
    """

    how: str = EXPLORED
    why: str = ""
    executions: int = 0
    complete: bool = False
    wrong: str = ""
    failure: Failure | None = None
    file: str | None = None
    corpus: list[Kept] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where files go. `shrink`: make what is found smaller, and explain it. `shown`: a path as it should be typed."""

    out: Path
    corpus: Path
    shrink: bool
    shown: Callable[[str], str] = str


class Exploring:
    """One test with what is wanted of it. `past`: what the corpus has of it."""

    def __init__(self, program: Program, wanted: Wanted, places: Places, past: Sequence[Entry] = ()) -> None:
        declared = wanted.scenario if isinstance(wanted.scenario, Scenario) else None
        self.program, self.wanted, self.places, self.past = program, wanted, places, past
        self.scenario = program.scenario(declared, wanted.semantics)
        self.done = Done()

    # --- three ways -------------------------------------------------------------------------------------------------

    def marked(self) -> Done:
        """Explore a test that asks for it; raises what it says of itself, such as that it is skipped."""
        with self._refusing(), self.program.executions():
            replay(self.scenario, self._default())
            if self.program.verdict is not None:
                raise self.program.verdict
            if not self._past_fails():
                self._explore()
        return self.done

    def suite(self) -> Done:
        """Run a test plainly, as ever, then explore it if it can be; raises what the plain run raises."""
        program, done = self.program, self.done
        with runs_counted() as runs:
            program.run_plainly()
        reason = self._why_not(len(runs))
        if reason is None:
            try:
                with program.executions():
                    reason = self._why_not_by_default() or self._explored_in_suite()
            except CannotBeRunError as error:
                reason = str(error)
        if reason is not None:
            done.how, done.why = (NOT_EXPLORED, reason) if reason else (ORDINARY, "")
        return done

    def again(self, stored: StoredFailure) -> Done:
        """Run a recorded failure again; what it prints and logs is kept."""
        done = self.done
        done.how = REPLAYED
        with self._refusing(), self.program.executions(silent=False):
            try:
                execution = replay(self.scenario, stored.schedule)
            except DivergenceError as error:
                done.wrong = str(error)
                return done
        done.executions = 1
        same = next((each for each in execution.failures if each.identity == stored.identity), execution.failure)
        if same is None:
            done.why = f"not reproduced: {names_of([stored.identity])} was recorded, and its order of events passes."
        else:
            self._fail(same, self.places.shown(str(stored.path)))
        return done

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except CannotBeRunError as error:
            raise UsageError(f"{self.scenario.name} cannot be explored: {error}.") from None

    def _default(self, **limits: float) -> Schedule:
        return Schedule((), seed=self.wanted.seed, semantics=self.wanted.semantics, limits=limits)

    # --- a suite ----------------------------------------------------------------------------------------------------

    def _why_not(self, runs: int) -> str | None:
        """Why a test that has passed cannot be explored: None if it can be, "" if there is nothing to explore."""
        if self.program.is_hypothesis:
            return "Hypothesis draws its arguments" if self.program.is_async or runs else ""
        if not self.program.is_async:
            return "not an async test, but calls trio.run itself" if runs else ""
        if not runs and not trio.lowlevel.in_trio_run():  # that of anyio began with the first fixture
            return "it does not run on trio"
        return None

    def _why_not_by_default(self) -> str | None:
        """Why a test that passes plainly fails in the default order, where nothing races: it needs what is real."""
        failure = replay(self.scenario, self._default(step_timeout=_STEP_SECONDS)).failure
        if failure is None:
            return None
        if failure.kind == "hang" or StopExecution.__name__ in failure.message:
            return f"a step takes more than {_STEP_SECONDS:g} s, or waits for real time to pass"
        said, *_ = failure.message.splitlines()
        return next(iter(self.program.refused), f"passes once, and fails when run again in virtual time: {said}")

    def _explored_in_suite(self) -> str | None:
        """Explore; why the failure that was found is none of the test's, if so."""
        done = self.done
        if not self._past_fails():
            self._explore()
        failure = done.failure
        if failure is None:
            return None
        is_new = not any(each.file == done.file for each in done.corpus)
        reason = next((each for each in self.program.refused if each in failure.message), None)
        if reason is None and self._why_not_by_default() is not None:
            reason = "passes at first, and then fails in the same order: state of one execution reaches the next"
        if reason is None:
            if is_new:
                self._keep(failure)
            return None
        if is_new and done.file is not None:
            Path(done.file).unlink(missing_ok=True)
        done.wrong, done.failure, done.file = "", None, None
        return reason

    # --- failures of the past ---------------------------------------------------------------------------------------

    def _past_fails(self) -> bool:
        """Try what the corpus has of the test; whether one of them fails still, which is then what is reported."""
        for entry in self.past:
            tried = attempt(entry, lambda stored: (self.scenario, stored.schedule))
            shown = self.places.shown(str(entry.path))
            self.done.corpus.append(Kept(shown, tried.verdict, tried.why))
            if tried.failure is not None and self._is_the_news(tried):
                self.done.executions = 1
                if not self.wanted.must_fail:
                    failure = tried.failure
                    self._fail(explain_briefly(self.scenario, failure) if self.places.shrink else failure, shown)
                return True
        return False

    def _is_the_news(self, tried: Tried) -> bool:
        return not self.wanted.must_fail or self._as_expected(tried.failure)

    # --- the exploration --------------------------------------------------------------------------------------------

    def _explore(self) -> None:
        wanted = self.wanted
        result = self._found(all_failures=False)
        if wanted.checker and result.failures and not any(map(self._as_expected, result.failures)):
            result = self._found(all_failures=True)
        if result.interrupted:
            raise KeyboardInterrupt
        done = self.done
        done.executions, done.complete = done.executions + result.executions, result.complete
        if wanted.must_fail:
            done.wrong = self._why_not_failed(result)
        elif result.failures:
            self._fail(result.failures[0], result.files[0])
            if self.program.marked:
                self._keep(result.failures[0])
        elif result.untrusted or result.missed:
            self._doubt(result)
        elif wanted.expect == "complete" and not result.complete:
            done.wrong = self._why_incomplete(result)

    def _found(self, *, all_failures: bool) -> Result:
        wanted, places = self.wanted, self.places
        options: dict[str, Any] = {} if wanted.must_fail else {"out": places.out, "explain": places.shrink}
        try:
            return explore(
                self.scenario,
                strategy=wanted.strategy,
                seed=wanted.seed,
                schedules=wanted.schedules,
                seconds=wanted.seconds,
                semantics=wanted.semantics,
                preemptions=wanted.preemptions,
                faults=wanted.faults,  # type: ignore[arg-type]  # text has been read by now
                shrink=places.shrink and not wanted.must_fail,
                all_failures=all_failures,
                target_name=self.scenario.name,
                **options,
            )
        except InputError as error:
            if not error.do.startswith("give --out"):
                raise
            do = "give --racewindow-report-dir a folder that you may write to."
            raise InputError(error.what, why=error.why, do=do) from None

    def _as_expected(self, failure: Failure | None) -> bool:
        return failure is not None and self.wanted.checker in ("", failure.checker, failure.kind)

    def _why_not_failed(self, result: Result) -> str:
        if any(map(self._as_expected, result.failures)):
            return ""
        wanted = f'expect="{self.wanted.expect}"'
        runs = counted(result.executions, "execution")
        if result.failures:
            found = names_of(each.identity for each in result.failures)
            return f"{wanted}, but what was found in {runs} is another failure: {found}."
        proof = "no order of events does" if result.complete else f"none of {runs} does"
        return f"{wanted}, but {proof}."

    def _why_incomplete(self, result: Result) -> str:
        left_out = result.incomplete or (f"the strategy {result.strategy} never knows whether it has run every order",)
        runs = counted(result.executions, "execution")
        head = f'expect="complete", but {runs} that passed were not every order of events:'
        return "\n".join([*wrap(head), *bulleted([f"{each}." for each in left_out], 6)])

    def _doubt(self, result: Result) -> None:
        """Silence is not a pass, but a suite that nobody has written for racewindow is only told of it."""
        if result.missed and not result.untrusted:
            self.done.wrong = missed_text(result.missed, result.executions, complete=result.complete)
        elif self.program.marked:
            self.done.wrong = untrusted_text(result)
        else:
            self.done.why = result.untrusted.partition("\n")[0].rstrip(":")

    def _fail(self, failure: Failure, file: str | None) -> None:
        self.done.failure, self.done.file = failure, file
        self.done.wrong = failure.message

    def _keep(self, failure: Failure) -> None:
        """In the corpus; a folder that cannot be written does not hide the failure."""
        try:
            Corpus(self.places.corpus).add(failure, target=self.scenario.name, scenario=self.scenario)
        except InputError as error:
            self.done.why = str(error.what)


def check_async(program: Program) -> None:
    """Raise UsageError for a marked test that cannot be explored."""
    name = program.item.nodeid
    if program.is_hypothesis:
        raise UsageError(
            f"{name} is marked racewindow, and Hypothesis draws its arguments.",
            why="each example would be explored as a whole, and data and schedule could not shrink together.",
            do="put @racewindow.hypothesis.explored(...) under @given, and leave the marker out.",
        )
    if not program.is_async:
        raise UsageError(
            f"{name} is marked racewindow, but is not an async test.",
            why="what is explored is the order of events in an async function.",
            do="write `async def`, or call racewindow.explore(...) in the test.",
        )
