"""Answer once, remember, and give the same answers when the execution begins again.

A picker that looks ahead or learns cannot be asked twice: meanwhile guesses have been corrected, and the loop that runs
an execution again for the record makes none. So what is run again is not the picker but the list of its answers.
"""

from __future__ import annotations

from racewindow.strategies.replay import default_of
from racewindow.strategy import Picker, Task


class Remembering:
    """Wraps a picker, which sees each decision of an execution once, however often that begins again.

    Answers are kept by position, which is enough: the same decisions lead to the same candidates in the same order.
    Where the program breaks that rule, an answer may not be there any more; then it is the default, and the explorer
    finds the difference when it compares the two executions. An execution that was cut off and begun again is
    continued by the wrapped picker from where it was.
    """

    words = None

    def __init__(self, picker: Picker) -> None:
        self._picker = picker
        self._answers: list[int] = []
        self._at = 0

    @property
    def decisions(self) -> int:
        """How many decisions the execution has had."""
        return len(self._answers)

    def restart(self) -> None:
        """The same answers from the first; the wrapped picker is not told."""
        self._at = 0

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The answer given before, else that of the wrapped picker."""
        at, self._at = self._at, self._at + 1
        if at == len(self._answers):
            self._answers.append(
                self._picker.pick_task(candidates, may_advance=may_advance, last=last, advances=advances)
            )
        index = self._answers[at]
        return index if index < len(candidates) + may_advance else default_of(candidates, last)

    def pick_value(self, count: int, *, task: Task) -> int:
        """The answer given before, else that of the wrapped picker."""
        at, self._at = self._at, self._at + 1
        if at == len(self._answers):
            self._answers.append(self._picker.pick_value(count, task=task))
        index = self._answers[at]
        return index if index < count else 0
