"""Deliberate mistakes in the reduction and in the footprints that it rests on, for tests that have to notice them.

Each is a context manager that puts one mistake in and takes it out again. It has to be entered before the environment
of an execution, which installs the hooks on trio.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import trio

from racewindow.causality import Causality
from racewindow.runtime import primitives
from racewindow.runtime.recorder import Recorder
from racewindow.runtime.task import SimTask
from racewindow.runtime.trail_recorder import TrailRecorder
from racewindow.strategies import reversals
from racewindow.strategies.reversals import Reversals
from racewindow.strategies.wakeup import Word
from racewindow.trail import Pending, Row, Stride

Mistake = Callable[[], Any]
"""Makes a context manager."""


def _instead(owner: Any, name: str, replacement: Any) -> Mistake:
    return lambda: mock.patch.object(owner, name, replacement)


def _nothing(*_args: object, **_kwargs: object) -> None:
    """Does nothing."""


# --- in the search ---------------------------------------------------------------------------------------------------


def _without_blocked_tasks() -> Any:
    plan_all = Reversals.plan_all

    def plan(self: Reversals) -> None:
        self.trail = self.trail._replace(pending=[])
        plan_all(self)

    return mock.patch.object(Reversals, "plan_all", plan)


def _cut_short() -> Any:
    reverse = Reversals._reverse

    def shorter(self: Reversals, first: int, second: Stride | Pending, options: Any) -> None:
        end = self.strides.index(second) if isinstance(second, Stride) else len(self.strides)
        bit = 1 << first
        steps = [i for i in range(first + 1, end) if not self.strides[i].before & bit]
        self._words[first] = Word(self.strides, steps, None)
        reverse(self, first, second, options)

    return mock.patch.object(Reversals, "_reverse", shorter)


def _only_new_races() -> Any:
    reverse = Reversals._reverse

    def if_new(self: Reversals, first: int, second: Stride | Pending, options: Any) -> None:
        if isinstance(second, Pending) or self.strides.index(second) >= self.known:
            reverse(self, first, second, options)

    return mock.patch.object(Reversals, "_reverse", if_new)


def _only_immediate_races() -> Any:
    add = Causality.add

    def add_as_if_woken(self: Causality, row: Row) -> None:
        add(self, (*row[:6], False, *row[7:]))

    return mock.patch.object(Causality, "add", add_as_if_woken)


@contextmanager
def _nothing_covered_by_sleep() -> Iterator[None]:
    """Nor by what is known before anything is asked about footprints."""
    no: Any = staticmethod(lambda _node, _of: False)
    with mock.patch.object(reversals, "is_covered", no), mock.patch.object(Reversals, "_is_next", no):
        yield


SEARCH: dict[str, Mistake] = {
    "blocked tasks have no races": _without_blocked_tasks,
    "the reversal ends where its second step was": _cut_short,
    "races inside the shared prefix are skipped": _only_new_races,
    "races of until are immediate": _only_immediate_races,
    "sleeping tasks cover nothing": _nothing_covered_by_sleep,
}

# --- in the footprints -----------------------------------------------------------------------------------------------


def _without(method: str, owner: type) -> Mistake:
    """A hook that notes nothing."""

    def noting_nothing() -> Any:
        methods = tuple(
            (each, name, _nothing if (each, name) == (owner, method) else note)
            for each, name, note in primitives._METHODS
        )
        return mock.patch.object(primitives, "_METHODS", methods)

    return noting_nothing


def _without_wake_edges() -> Any:
    def woken(self: TrailRecorder, task: SimTask) -> None:
        Recorder.woken(self, task)

    return mock.patch.object(TrailRecorder, "woken", woken)


def _no_scopes_at_the_start() -> Any:
    begin = TrailRecorder.begin

    def begins(self: TrailRecorder, task: SimTask) -> None:
        begin(self, task)
        for code in self._scopes_before:
            self.footprint.pop(code, None)
        self._scopes_before = {}

    return mock.patch.object(TrailRecorder, "begin", begins)


@contextmanager
def _no_scopes_at_the_end() -> Iterator[None]:
    """Nor when a scope is entered, which is the same thing but for a scope that is left in the same step."""
    end = TrailRecorder.end

    def ends(self: TrailRecorder, task: SimTask, now_ns: int, exited: bool) -> None:  # noqa: FBT001
        del exited
        end(self, task, now_ns, True)

    with mock.patch.object(TrailRecorder, "end", ends), _without("__enter__", trio.CancelScope)():
        yield


def _cancelled_until_is_woken() -> Any:
    drop_predicate = SimTask.drop_predicate

    def drop(self: SimTask, raise_cancel: object) -> trio.lowlevel.Abort:
        answer: trio.lowlevel.Abort = drop_predicate(self, raise_cancel)
        self.waited_for = None
        return answer

    return mock.patch.object(SimTask, "drop_predicate", drop)


@contextmanager
def _past_deadlines_do_nothing() -> Iterator[None]:
    """But that the scope is written, as by any setting of its deadline."""
    woken = TrailRecorder.woken

    def woken_by_somebody(self: TrailRecorder, task: SimTask) -> None:
        if self.current is not None:
            woken(self, task)

    with (
        mock.patch.object(TrailRecorder, "_strike", _nothing),
        mock.patch.object(TrailRecorder, "woken", woken_by_somebody),
    ):
        yield


FOOTPRINTS: dict[str, Mistake] = {
    "a cancel writes no scope": _without("_cancel", trio.CancelScope),
    "a step does not read its scopes at its start": _no_scopes_at_the_start,
    "a step does not read its scopes at its end": _no_scopes_at_the_end,
    "an aborted wait is not written": _instead(Recorder, "aborted", _nothing),
    "the scopes of a woken task are not read": _instead(TrailRecorder, "_read_scopes_of_woken", _nothing),
    "a woken step needs nobody": _without_wake_edges,
    "a deadline moved into the past does nothing": _past_deadlines_do_nothing,
    "a deadline moved into the past aborts no wait": _instead(TrailRecorder, "_strike", _nothing),
    "a nursery closes with its last exit": _instead(TrailRecorder, "closed", _nothing),
    "an until that is cancelled is a woken step": _cancelled_until_is_woken,
}
"""Those marked in the table of rules as necessary, and what they consist of."""
