"""Nothing is reported that has not been run again: on the record, and then from its schedule alone.

A difference between two runs of one schedule makes the result untrusted: the program depends on something that no
schedule holds.
"""

from __future__ import annotations

from racewindow.errors import DivergenceError
from racewindow.failure import Execution
from racewindow.judging import Identity, names_of
from racewindow.runtime.execution import Environment
from racewindow.runtime.watchdog import Watchdog
from racewindow.session import Ran, Session
from racewindow.strategies.replay import ReplayPicker
from racewindow.strategy import Picker
from racewindow.tally import Tally
from racewindow.trace import first_difference
from racewindow.wording import first_divergence


class Confirming:
    """Runs executions again, and notes in the tally if they are not the same."""

    def __init__(self, session: Session, watchdog: Watchdog, tally: Tally) -> None:
        self.session, self.watchdog, self.tally = session, watchdog, tally

    def confirm(self, picker: Picker, ran: Ran) -> Execution | None:
        """The execution again, on the record, then from its schedule alone; None if they are not the same."""
        with Environment(footprints=True):
            picker.restart()
            first = self.session.record(picker)
            if self.watchdog.interrupted and first.outcome == "hang":
                return None
            found = {finding.identity for finding in ran.judged.findings}
            if {failure.identity for failure in first.failures} != found:
                self.tally.untrusted = _not_the_same(found, first)
                return None
            schedule = self.session.settings.schedule(first.failures[0].schedule.deviations)
            return first if self._repeats(first, ReplayPicker(schedule)) else None

    def compare(self, picker: Picker) -> None:
        """Run an execution that did not fail twice on the record: one schedule has to give one trace."""
        with Environment(footprints=True):
            picker.restart()
            first = self.session.record(picker)
            if first.failures and not self.watchdog.interrupted:
                self.tally.untrusted = _not_the_same(set(), first)
                return
            picker.restart()
            self._repeats(first, picker)

    def _repeats(self, first: Execution, picker: Picker) -> bool:
        try:
            second = self.session.record(picker)
        except DivergenceError as error:
            self.tally.untrusted = f"a schedule did not fit the execution that it was recorded from. {error}"
            return False
        if self.watchdog.interrupted and second.outcome == "hang":
            return False
        if first.digest != second.digest:
            index = first_difference(first.trace.steps, second.trace.steps)
            assert index is not None
            self.tally.untrusted = "nondeterminism: one schedule gave two different executions; " + first_divergence(
                first.trace, second.trace, index
            )
            return False
        if {f.identity for f in first.failures} != {f.identity for f in second.failures}:
            self.tally.untrusted = (
                "nondeterminism: one schedule gave two verdicts; "
                f"first {names_of({f.identity for f in first.failures})}, "
                f"then {names_of({f.identity for f in second.failures})}."
            )
            return False
        return True


def _not_the_same(found: set[Identity], again: Execution) -> str:
    return (
        "the same execution was run twice and did not fail in the same way: "
        f"first {names_of(found)}, then {names_of({f.identity for f in again.failures})}."
    )
